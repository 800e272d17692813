"""CodeContests (Li et al. 2022): contest programs graded on stdin and stdout; the paper's protocol.

Rows are those of deepmind/code_contests. Tests are the public, private and generated ones, in this order. Each prompt
shows two problems of the train split with a Python solution, chosen separately for each problem. The paper takes the
140 test problems whose description shows no image, and gives programs their problem's own time limit and 10 s more.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sandboxes.config import Config
from tasks.datasets.paper.few_shot import chosen
from tasks.datasets.paper.subsets import check, subset
from tasks.errors import UserError
from tasks.files.schema import RowModel, Where
from tasks.files.sources import Hub, Source, read, row_error
from tasks.records import FewShotExample, LabelledSample, Problem, StdioCheck, StdioTest

HUB = Hub("deepmind/code_contests")
_EXAMPLE = '{"name": "...", "description": "...", "public_tests": {"input": ["1"], "output": ["2"]}, ...}'
_PYTHON3 = 3
_IMAGES = ("<image>", "[Image]")


class _Tests(RowModel):
    input: Sequence[str] = ()
    output: Sequence[str] = ()


class _Solutions(RowModel):
    language: Sequence[int] = ()
    solution: Sequence[str] = ()

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.language) != len(self.solution):
            raise ValueError(f"has {len(self.language)} languages and {len(self.solution)} solutions")
        return self


class _Duration(RowModel):
    seconds: int = Field(default=0, ge=0)
    nanos: int = Field(default=0, ge=0)


class _Row(RowModel):
    name: str = Field(min_length=1)
    description: str
    public_tests: _Tests = _Tests()
    private_tests: _Tests = _Tests()
    generated_tests: _Tests = _Tests()
    solutions: _Solutions = _Solutions()
    incorrect_solutions: _Solutions = _Solutions()
    time_limit: _Duration | None = None
    memory_limit_bytes: int | None = None

    @property
    def shows_images(self) -> bool:
        return any(tag in self.description for tag in _IMAGES)


class CodeContestsDataset(Config):
    """CodeContests, from local files or the Hugging Face hub."""

    template: ClassVar[str] = "code_contests"
    grader: ClassVar[str] = "code_contests"
    graders: ClassVar[tuple[str, ...]] = ("code_contests", "stdio", "stdio_exact")
    stop: ClassVar[tuple[str, ...]] = ("Q:", "Question:")
    max_tokens: ClassVar[int] = 1024

    name: Literal["code_contests"] = "code_contests"
    path: str | None = Field(
        default=None,
        description="Test split (Parquet, JSONL, .gz; folder or URL too); empty: from the Hugging Face hub",
    )
    train_path: str | None = Field(
        default=None, description="Train split, for the examples; empty: from the Hugging Face hub"
    )
    subset: Literal["paper"] | None = Field(default=None, description="The paper's 140 problems; empty: all")
    shots: int = Field(default=2, ge=0, le=100, description="Examples before each question; 0 needs no train split")
    shots_seed: int = Field(default=0, ge=0, description="Another seed chooses other examples; 0 the paper's")
    extra_time_s: float = Field(
        default=10, ge=0, allow_inf_nan=False, description="Seconds beyond each problem's own limit; the paper gives 10"
    )
    memory_limit_mb: int | None = Field(
        default=2048,
        ge=1,
        description="Memory limit per program (the paper sets none); empty: each problem's own limit",
    )

    def load(self) -> list[Problem]:
        """The problems in upstream order; raises UserError where they cannot be read."""
        source = Source(self.path, HUB, "test")
        rows = self._rows(source)
        shots = chosen(self._examples(), len(rows), self.shots, self.shots_seed)
        return [self._problem(where, row, shots[number]) for number, (where, row) in enumerate(rows)]

    def solutions(self) -> Iterator[LabelledSample]:
        """The dataset's Python solutions, and its incorrect Python solutions."""
        for _, row in self._rows(Source(self.path, HUB, "test")):
            for known, correct in ((row.solutions, True), (row.incorrect_solutions, False)):
                for text in _python(known):
                    yield LabelledSample(row.name, f"```\n{text}\n```", correct)

    def _rows(self, source: Source) -> list[tuple[Where, _Row]]:
        rows = list(read(source, _Row, _EXAMPLE))
        if self.subset is None:
            return rows
        paper = subset(self.name)
        plain = [at for at, (_, row) in enumerate(rows) if not row.shows_images]
        if len(rows) != paper.of or tuple(plain) != paper.rows:
            raise UserError(
                f"dataset.subset: the paper's problems are those {len(paper.rows)} of the {paper.of} test problems that"
                f" show no image; {source.name} has {len(rows)} rows, and {len(plain)} of them show none"
                + ("" if len(rows) != paper.of else ", others than the paper's")
            )
        check(self.name, [row.description for _, row in rows], source.name)
        return [rows[at] for at in plain]

    def _problem(self, where: Where, row: _Row, shots: tuple[FewShotExample, ...]) -> Problem:
        tests: list[StdioTest] = []
        for group in ("public_tests", "private_tests", "generated_tests"):
            of_group: _Tests = getattr(row, group)
            inputs, outputs = len(of_group.input), len(of_group.output)
            if inputs != outputs:
                raise row_error(where, group, f"has {inputs} inputs and {outputs} outputs")
            tests += [StdioTest(*pair) for pair in zip(of_group.input, of_group.output, strict=True)]
        own_s = row.time_limit.seconds + row.time_limit.nanos / 1e9 if row.time_limit else 0
        own_mb = row.memory_limit_bytes // 2**20 if row.memory_limit_bytes else None
        return Problem(
            row.name,
            row.description,
            StdioCheck(tuple(tests), public=len(row.public_tests.input)),
            time_limit_s=own_s + self.extra_time_s if own_s else None,
            memory_limit_mb=own_mb if self.memory_limit_mb is None else self.memory_limit_mb,
            shots=shots,
        )

    def _examples(self) -> list[FewShotExample]:
        """Train problems without images that have a Python solution in plain ASCII, each with the first of these."""
        if self.shots == 0:
            return []
        found = []
        for _, row in read(Source(self.train_path, HUB, "train", "dataset.train_path"), _Row, _EXAMPLE):
            solution = next((text for text in _python(row.solutions) if text.isascii()), None)
            if solution is not None and not row.shows_images:
                found.append(FewShotExample(row.description, solution.strip()))
        return found


def _python(known: _Solutions) -> list[str]:
    languages = zip(known.language, known.solution, strict=True)
    return [text for language, text in languages if language == _PYTHON3]
