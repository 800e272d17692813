"""The files that `monkeys grade` reads, a row at a time."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from tasks.errors import UserError
from tasks.files.rows import read_rows
from tasks.files.schema import RowModel
from tasks.records import Problem, StdioCheck, StdioTest

_PROBLEM = '{"id": "...", "tests": [{"input": "1 2", "output": "3"}]} (other problems need --grader or --prover)'
_SAMPLE = '{"problem_id": "...", "index": 0, "text": "print(3)"}'


class _TestRow(RowModel):
    input: str
    output: str


class _ProblemRow(RowModel):
    id: str = Field(min_length=1)
    tests: Annotated[list[_TestRow], Field(min_length=1)]
    time_limit_s: float | None = Field(None, gt=0, allow_inf_nan=False)
    memory_limit_mb: int | None = Field(None, ge=1)


class _SampleRow(RowModel):
    # A sandbox takes any text, and one sample must not stop the others.
    unicode: ClassVar[bool] = False

    problem_id: str
    index: int | None = Field(None, ge=0)
    text: str


@dataclass(frozen=True, slots=True)
class SampleText:
    """A row of a file of samples."""

    problem_id: str
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Samples:
    """A file of samples that was read once and is valid: the number of samples, a digest of their content, and the ids
    of their problems."""

    path: Path
    count: int
    digest: str
    problem_ids: frozenset[str]

    def read(self) -> Iterator[SampleText]:
        """Its samples in order; those without an index are numbered within their problem.

        Raises:
            UserError: the file has changed since, and is no longer valid.
        """
        following: Counter[str] = Counter()
        for _, row in read_rows(self.path, _SampleRow, _SAMPLE):
            index = following[row.problem_id] if row.index is None else row.index
            following[row.problem_id] += row.index is None
            yield SampleText(row.problem_id, index, row.text)


def read_problems(path: Path) -> dict[str, Problem]:
    """The problems of a file by their id.

    Raises:
        UserError: the file cannot be read, a row is malformed, or an id occurs twice.
    """
    problems: dict[str, Problem] = {}
    for where, row in read_rows(path, _ProblemRow, _PROBLEM):
        if row.id in problems:
            raise UserError(f"{where}: id: {row.id!r} occurs twice; ids must be unique")
        tests = tuple(StdioTest(test.input, test.output) for test in row.tests)
        problems[row.id] = Problem(
            row.id, "", StdioCheck(tests), time_limit_s=row.time_limit_s, memory_limit_mb=row.memory_limit_mb
        )
    if not problems:
        raise UserError(f"{path}: holds no problem; a row looks like {_PROBLEM}")
    return problems


def check_samples(path: Path, problems: Mapping[str, Problem]) -> Samples:
    """Read a whole file of samples, so that a fault in its last row is found before anything is graded.

    Raises:
        UserError: the file cannot be read, a row is malformed, or names an unknown problem.
    """
    count, digest = 0, hashlib.sha256()
    used: set[str] = set()
    for where, row in read_rows(path, _SampleRow, _SAMPLE):
        if row.problem_id not in problems:
            raise UserError(
                f"{where}: problem_id: {row.problem_id!r} is not one of the {len(problems):,} problems;"
                f" the first is {next(iter(problems))!r}"
            )
        digest.update(repr((row.problem_id, row.index, row.text)).encode())
        count += 1
        used.add(row.problem_id)
    if not count:
        raise UserError(f"{path}: holds no sample; a row looks like {_SAMPLE}")
    return Samples(path, count, digest.hexdigest(), frozenset(used))


def fingerprint(problems: Mapping[str, Problem], samples: Samples, ingredients: Mapping[str, object]) -> str:
    """A short hash of the problems, the samples and everything else that verdicts depend on."""
    known = hashlib.sha256(repr(sorted(problems.items())).encode()).hexdigest()
    document = json.dumps([known, samples.digest, ingredients], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()[:12]
