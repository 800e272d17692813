"""The files that `monkeys grade` reads, a line at a time; what is wrong with one is said with file, line and field."""

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field

from tasks.errors import UserError
from tasks.files.schema import RowModel, parse_row
from tasks.records import Problem, StdioCheck, StdioTest

_PROBLEM_LINE = '{"id": "...", "tests": [{"input": "1 2", "output": "3"}]}'
_SAMPLE_LINE = '{"problem_id": "...", "index": 0, "text": "print(3)"}'


class _TestLine(RowModel):
    input: str
    output: str


class _ProblemLine(RowModel):
    id: str = Field(min_length=1)
    tests: Annotated[list[_TestLine], Field(min_length=1)]
    time_limit_s: float | None = Field(None, gt=0, allow_inf_nan=False)
    memory_limit_mb: int | None = Field(None, ge=1)


class _SampleLine(RowModel):
    problem_id: str
    index: int = Field(ge=0)
    text: str


_AnyLine = TypeVar("_AnyLine", bound=RowModel)


@dataclass(frozen=True, slots=True)
class SampleText:
    """A sample that is a program."""

    problem_id: str
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Samples:
    """A file of samples that was read once and is sound: how many, and a digest of what it holds."""

    path: Path
    count: int
    digest: str

    def read(self) -> Iterator[SampleText]:
        """Its samples in order.

        Raises:
            UserError: the file has changed, and is not sound any more.
        """
        for _, line in _lines(self.path, _SampleLine, _SAMPLE_LINE):
            yield SampleText(line.problem_id, line.index, line.text)


def read_problems(path: Path) -> dict[str, Problem]:
    """The problems of a file by their id.

    Raises:
        UserError: the file cannot be read, a line is malformed, or an id occurs twice.
    """
    problems: dict[str, Problem] = {}
    for where, line in _lines(path, _ProblemLine, _PROBLEM_LINE):
        if line.id in problems:
            raise UserError(f"{where}: id: {line.id!r} occurs twice; ids must be unique")
        tests = tuple(StdioTest(test.input, test.output) for test in line.tests)
        for field, text in (("id", line.id), *(("tests", test.stdin + test.stdout) for test in tests)):
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise UserError(f"{where}: {field}: is not valid Unicode ({error.reason})") from error
        problems[line.id] = Problem(
            line.id, "", StdioCheck(tests), time_limit_s=line.time_limit_s, memory_limit_mb=line.memory_limit_mb
        )
    if not problems:
        raise UserError(f"{path}: holds no problem; a line looks like {_PROBLEM_LINE}")
    return problems


def check_samples(path: Path, problems: Mapping[str, Problem]) -> Samples:
    """Read a whole file of samples once, so that a fault in its last line is known before any work.

    Raises:
        UserError: the file cannot be read, a line is malformed, or names a problem that is not there.
    """
    count, digest = 0, hashlib.sha256()
    for where, line in _lines(path, _SampleLine, _SAMPLE_LINE):
        if line.problem_id not in problems:
            raise UserError(f"{where}: problem_id: {line.problem_id!r} is not one of the {len(problems):,} problems")
        digest.update(repr((line.problem_id, line.index, line.text)).encode())
        count += 1
    if not count:
        raise UserError(f"{path}: holds no sample; a line looks like {_SAMPLE_LINE}")
    return Samples(path, count, digest.hexdigest())


def fingerprint(problems: Mapping[str, Problem], samples: Samples, ingredients: Mapping[str, object]) -> str:
    """A short name for a piece of work: the same for the same problems, samples and ingredients, and for no other."""
    known = hashlib.sha256(repr(sorted(problems.items())).encode()).hexdigest()
    document = json.dumps([known, samples.digest, ingredients], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()[:12]


def _lines(path: Path, model: type[_AnyLine], example: str) -> Iterator[tuple[str, _AnyLine]]:
    """Each line of a JSONL file (also .gz) with the words that say where it is. Blank lines are left out."""
    try:
        if not path.is_file():
            raise UserError(f"{path}: is not a file; give one of lines like {example}")
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, data in enumerate(file, start=1):
                if data.strip():
                    where = f"{path}, line {number}"
                    yield where, _line(where, data, model, example)
    except (OSError, EOFError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from error


def _line(where: str, data: bytes, model: type[_AnyLine], example: str) -> _AnyLine:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: broken JSON ({error}); a line looks like {example}") from error
    return parse_row(where, found, model, "line", example)
