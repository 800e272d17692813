r"""MATH (Hendrycks et al. 2021): competition problems whose answer is an expression; the paper's protocol.

Rows are those of hendrycks/competition_math and of its copies: problem and solution, whose last `\boxed{}` holds the
answer. The prompt is Minerva's, with its four fixed examples. The hub's copy is EleutherAI/hendrycks_math, seven
subjects one after another in alphabetical order.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

from pydantic import Field

from sandboxes.config import Config
from tasks.answers.minerva_math import boxed
from tasks.datasets.known_faults import with_corrections
from tasks.datasets.paper.subsets import check
from tasks.files.schema import RowModel, Where
from tasks.files.sources import Hub, Source, read, row_error
from tasks.records import AnswerCheck, LabelledSample, Problem

_SUBJECTS = ("algebra", "counting_and_probability", "geometry", "intermediate_algebra", "number_theory")
HUB = Hub("EleutherAI/hendrycks_math", (*_SUBJECTS, "prealgebra", "precalculus"))
_EXAMPLE = r'{"problem": "...", "solution": "... \\boxed{42}"}'


class _Row(RowModel):
    problem: str
    solution: str
    answer: str | None = None
    unique_id: str | None = None


class MathDataset(Config):
    """MATH's 5,000 test problems, from a local file or the Hugging Face hub."""

    template: ClassVar[str] = "math"
    grader: ClassVar[str] = "math"
    graders: ClassVar[tuple[str, ...]] = ("math", "math_tolerant", "math_verify")
    # The model may continue with another problem.
    stop: ClassVar[tuple[str, ...]] = ("Problem:",)
    max_tokens: ClassVar[int] = 512

    name: Literal["math"] = "math"
    path: str | None = Field(
        default=None, description="Test split (JSONL, .gz, Parquet, CSV; URL too); empty: from the Hugging Face hub"
    )
    subset: Literal["paper"] | None = Field(default=None, description="The paper's 128 problems; empty: all")
    golds: Literal["published", "corrected"] = Field(
        default="published",
        description="published: gold answers as MATH's own rule extracts them. corrected: the same, with the 10 that it"
        " extracts wrongly fixed. Samples are not affected",
    )

    def load(self) -> list[Problem]:
        """The problems in upstream order, the paper's in the paper's; raises UserError where they cannot be read."""
        source = Source(self.path, HUB, "test")
        problems = problems_of(source)
        if self.subset is not None:
            rows = check(self.name, [problem.question for problem in problems], source.name)
            problems = [problems[at] for at in rows]
        return with_corrections(self.name, problems, correct=self.golds == "corrected")

    def solutions(self) -> Iterator[LabelledSample]:
        """The solutions of the dataset itself, with the closing sentence of the prompt."""
        source = Source(self.path, HUB, "test")
        problems = self.load() if self.golds == "corrected" else []
        corrected = {each.id: each.check.answer for each in problems if isinstance(each.check, AnswerCheck)}
        yield from solutions_of(source, corrected)


def problems_of(source: Source) -> list[Problem]:
    """The problems of a file or hub dataset in its order.

    Raises:
        UserError: it cannot be read, or a row has no answer.
    """
    rows = enumerate(read(source, _Row, _EXAMPLE))
    return [Problem(_id(at, row), row.problem, AnswerCheck(_answer(where, row))) for at, (where, row) in rows]


def solutions_of(source: Source, golds: Mapping[str, str] = MappingProxyType({})) -> Iterator[LabelledSample]:
    """The solutions of the dataset itself, with the closing sentence of the prompt about their own answer or, by the
    problem's id, that of `golds`; raises as `problems_of` does."""
    for at, (where, row) in enumerate(read(source, _Row, _EXAMPLE)):
        answer = golds.get(_id(at, row)) or _answer(where, row)
        closing = f"Final Answer: The final answer is ${answer}$. I hope it is correct."
        yield LabelledSample(_id(at, row), f"{row.solution}\n{closing}")


def _id(at: int, row: _Row) -> str:
    return row.unique_id or f"math/{at:04d}"


def _answer(where: Where, row: _Row) -> str:
    answer = row.answer or boxed(row.solution)
    if not answer or not answer.strip():
        raise row_error(where, "solution", r"has no \boxed{} answer")
    return answer
