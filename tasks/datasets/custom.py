"""Problems of your own: rows in JSON Lines, Parquet, CSV or a JSON list.

A row has `id` (a unique text), `question`, and one of these, the same for all rows of a file, to grade its samples by:

- `answer`: the gold final answer, a text;
- `tests`: a list of `{"input": "...", "output": "..."}`, what a program reads from stdin and must print; those with
  `"public": true` may be used to pick one of several programs, and are run first;
- `function`: `{"entry_point": "f", "test": "def check(candidate): assert candidate(1) == 2"}`;
- `theorem`: `{"prover": "rocq", "header": "Require Import Arith.", "statement": "Theorem t : 1 + 1 = 2."}`, in Lean
  `{"prover": "lean", "statement": "theorem t : 1 + 1 = 2 := by"}`; its `question` may be left out.

It may also have `time_limit_s`, `memory_limit_mb`, and `solutions`: texts that are known to be correct, for
`monkeys audit`.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from sandboxes.config import Config
from tasks.datasets.formal import lean, rocq
from tasks.datasets.formal.statement import Unreadable
from tasks.errors import UserError
from tasks.files.schema import RowModel, Where
from tasks.files.sources import Hub, Source, read, row_error
from tasks.records import (
    AnswerCheck,
    Check,
    FunctionCheck,
    LabelledSample,
    Problem,
    StdioCheck,
    StdioTest,
    TheoremCheck,
)

_EXAMPLE = '{"id": "...", "question": "...", "answer": "42"} (or "tests", "function" or "theorem")'
_GRADERS = {
    "answer": ("final_answer", "gsm8k", "gsm8k_tolerant", "math", "math_tolerant", "math_verify"),
    "tests": ("stdio", "stdio_exact", "code_contests"),
    "function": ("functions", "humaneval"),
    "theorem": ("proof",),
}


class _Test(RowModel):
    input: str
    output: str
    public: bool = False


class _Function(RowModel):
    entry_point: str = Field(pattern=r"^[A-Za-z_]\w*$")
    test: str


class _Theorem(RowModel):
    prover: Literal["rocq", "lean"]
    header: str = ""
    statement: str

    @property
    def asked(self) -> str:
        """What a model is asked, if nothing else is."""
        return f"{self.header}\n\n{self.statement}".strip()


class _Row(RowModel):
    id: str = Field(min_length=1)
    question: str | None = None
    answer: str | None = Field(default=None, min_length=1)
    tests: list[_Test] | None = Field(default=None, min_length=1)
    function: _Function | None = None
    theorem: _Theorem | None = None
    time_limit_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    memory_limit_mb: int | None = Field(default=None, ge=1)
    solutions: Sequence[str] = ()

    @property
    def kind(self) -> str | None:
        """The field that samples are graded by; None if the row has none of them, or several."""
        kinds = [kind for kind in _GRADERS if getattr(self, kind) is not None]
        return kinds[0] if len(kinds) == 1 else None


class CustomDataset(Config):
    """Your own problems, from a file."""

    name: Literal["custom"] = "custom"
    path: str = Field(min_length=1, description="JSONL of id, question, and answer, tests, function or theorem; or URL")
    template: str = Field(default="question", description="Bundled prompt template, or a .txt file with {question}")
    stop: tuple[str, ...] = Field(default=(), description="Strings that end a sample")
    max_tokens: int = Field(default=1024, ge=1, description="Longest sample in tokens")

    @property
    def grader(self) -> str:
        """The usual grader for these problems."""
        return self.graders[0]

    @property
    def graders(self) -> tuple[str, ...]:
        """All graders for these problems."""
        where, row = next(read(self._source, _Row, _EXAMPLE))
        if row.kind is None:
            raise _unclear(where)
        return _GRADERS[row.kind]

    def load(self) -> list[Problem]:
        """All problems in the file's order; raises UserError where it cannot be read."""
        problems = []
        kind = None
        for where, row in read(self._source, _Row, _EXAMPLE):
            if row.kind is None:
                raise _unclear(where)
            if kind not in {None, row.kind}:
                raise row_error(where, row.kind, f"the rows before have `{kind}`; one file has one kind")
            kind = row.kind
            problems.append(_problem(where, row))
        return problems

    def solutions(self) -> Iterator[LabelledSample]:
        """The rows' `solutions`."""
        for _, row in read(self._source, _Row, _EXAMPLE):
            yield from (LabelledSample(row.id, text) for text in row.solutions)

    @property
    def _source(self) -> Source:
        return Source(self.path, Hub("problems of your own"), "test", what=f"a file of rows like {_EXAMPLE}")


def _unclear(where: Where) -> UserError:
    return row_error(where, "answer", "a row has one of `answer`, `tests`, `function` and `theorem`")


def _problem(where: Where, row: _Row) -> Problem:
    question = row.theorem.asked if row.question is None and row.theorem is not None else row.question
    if question is None:
        raise row_error(where, "question", f"is missing; a row looks like {_EXAMPLE}")
    return Problem(
        row.id,
        question,
        _check(where, row),
        time_limit_s=row.time_limit_s,
        memory_limit_mb=row.memory_limit_mb,
    )


def _check(where: Where, row: _Row) -> Check | None:
    if row.answer is not None:
        return AnswerCheck(row.answer)
    if row.tests is not None:
        ordered = sorted(row.tests, key=lambda test: not test.public)
        public = sum(test.public for test in row.tests)
        return StdioCheck(tuple(StdioTest(test.input, test.output) for test in ordered), public=public or None)
    if row.theorem is not None:
        return _theorem(where, row.theorem)
    return None if row.function is None else FunctionCheck(row.function.entry_point, row.function.test)


def _theorem(where: Where, theorem: _Theorem) -> TheoremCheck:
    try:
        if theorem.prover == "lean":
            found = lean.statement(theorem.header, theorem.statement)
        else:
            found = rocq.statement(f"{theorem.header}\n{theorem.statement}")
    except Unreadable as error:
        raise row_error(where, "theorem.statement", str(error)) from error
    return TheoremCheck(theorem.prover, found.header, found.name, found.text)
