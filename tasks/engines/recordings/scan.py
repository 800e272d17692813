"""Reads a file of samples from start to end: checks every row, and notes what it holds and where its rows are.

JSON Lines stay where they are, and drawing reads them a second time. Everything else (compressed files, Parquet, CSV,
other tools' formats) is unpacked into a temporary file of rows.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pydantic_core

from tasks.engines.recordings.contents import Contents
from tasks.engines.recordings.files import HashedFile, Spool, Stamp, sha256, stamps
from tasks.engines.recordings.places import Places
from tasks.errors import UserError
from tasks.files.rows import opened_raw, parse_json, read_rows, read_rows_in, unpacked
from tasks.files.schema import RowModel, Where, parse_row
from tasks.importers import Importer
from tasks.importers.normalize import Numbering, digest, read
from tasks.importers.pairing import asked
from tasks.importers.sample_rows import (
    MAX_INDEX,
    Index,
    Row,
    optional_values,
    optional_values_of,
    row_parser,
    with_optional_fields,
)
from tasks.records import Sample

OPTION = "engine.path"
"""What names the file, for messages."""

_EXAMPLE = '{"problem_id": "...", "index": 0, "text": "..."}'
_BUFFER = 1 << 20


@with_optional_fields
class _Row(RowModel):
    problem_id: str
    index: Index
    text: str
    question: str | None = None
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """What a file holds, and where.

    Attributes:
        contents: what it holds.
        stamps: what the file system says about it.
        places: where each sample's row is.
        spool: the rows; None: they are in the file itself, which may change.
    """

    contents: Contents
    stamps: list[Stamp]
    places: Places
    spool: Spool | None


def scan_rows(path: Path) -> Scan:
    """Read a file of rows with `problem_id`, `index` and `text`.

    Raises:
        UserError: it cannot be read, changes meanwhile, has a malformed row, or one sample twice.
    """
    found = _Found(Places(), {})
    with opened_raw(path, _EXAMPLE, option=OPTION) as (raw, name):
        before = stamps(path)
        stream, kind = unpacked(raw, path.name)
        if kind == "jsonl" and stream is raw:
            hashed, spool = HashedFile(raw), None
            found.add(_lines(io.BufferedReader(hashed, _BUFFER), name, found.questions))
            content = hashed.digest
        else:
            content, spool = sha256(raw), Spool(name)
            if kind == "jsonl":
                found.add(_copied(_lines(stream, name, found.questions), spool))
            else:
                found.add(_spooled(read_rows_in(raw, path.name, name, _Row, _EXAMPLE), found.questions, spool))
            spool.flush()
    _refuse_changed(path, before)
    twice = found.places.sort()
    if twice is not None:
        raise _repeated(path, *twice)
    return Scan(Contents(content, found.places.held(), found.questions), before, found.places, spool)


def scan_imported(path: Path, importer: Importer, ids: str | None) -> Scan:
    """Read files of another tool; gaps between the indices of a problem are closed.

    Raises:
        UserError: as `tasks.importers.normalize.read`; an index is too high, or the files change meanwhile.
    """
    before, content = stamps(path), digest([path])
    found, numbering = _Found(Places(), {}), Numbering()
    spool = Spool(f"{OPTION}: {path}")
    for each in read(importer, [path], verdict=None, ids=ids, graded=False):
        if each.text is None:
            continue
        index = numbering.place(each)
        if index > MAX_INDEX:
            raise UserError(
                f"{each.where}: index {index} of problem {each.problem_id!r} is above {MAX_INDEX}; number the samples"
                " of a problem from 0 on"
            )
        if each.question is not None:
            found.questions.setdefault(each.problem_id, each.question)
        known = {"problem_id": each.problem_id, "index": index, "text": each.text}
        line = _line(known | optional_values_of(each))
        found.places.add(each.problem_id, index, spool.write(line), len(line))
    spool.flush()
    _refuse_changed(path, before)
    found.places.sort()
    found.places.close_gaps()
    return Scan(Contents(content, found.places.held(), found.questions), before, found.places, spool)


def parse_rows(where: object, lines: Sequence[bytes]) -> list[Row]:
    """The samples in rows of JSON.

    Raises:
        UserError: one is malformed; `str(where)` begins the message.
    """
    try:
        return list(map(row_parser(), lines))
    except ValueError:
        return [_values(_parse_slowly(where, line)) for line in lines]


def _parse_slowly(where: object, line: bytes) -> _Row:
    return parse_row(where, parse_json(where, line), _Row, _EXAMPLE)


class _Line(NamedTuple):
    """Where the row of a sample is: the bytes `line` at `offset`."""

    problem_id: str
    sample: int
    offset: int
    line: bytes


class _Found(NamedTuple):
    places: Places
    questions: dict[str, str]

    def add(self, lines: Iterable[_Line]) -> None:
        """Note where rows are."""
        add = self.places.add
        for problem_id, index, offset, line in lines:
            add(problem_id, index, offset, len(line))


def _lines(stream: Iterable[bytes], name: str, questions: dict[str, str]) -> Iterator[_Line]:
    """The rows of JSON Lines. Questions are added to `questions`, the first of each problem."""
    parse = row_parser()
    end = 0
    for number, line in enumerate(stream, start=1):
        offset, end = end, end + len(line)
        try:
            row = parse(line)
            problem_id, index = row["problem_id"], row["index"]
        except ValueError:
            if not line.strip():
                continue
            known = _parse_slowly(Where(name, "line", number), line)
            problem_id, index = known.problem_id, known.index
        if (b'"question"' in line or b'"prompt"' in line) and problem_id not in questions:
            _note(_parse_slowly(Where(name, "line", number), line), questions)
        yield _Line(problem_id, index, offset, line)


def _copied(lines: Iterable[_Line], spool: Spool) -> Iterator[_Line]:
    return (each._replace(offset=spool.write(each.line)) for each in lines)


def _spooled(rows: Iterable[tuple[Where, _Row]], questions: dict[str, str], spool: Spool) -> Iterator[_Line]:
    for _, row in rows:
        if row.problem_id not in questions:
            _note(row, questions)
        line = _line(_values(row))
        yield _Line(row.problem_id, row.index, spool.write(line), line)


def _note(row: _Row, questions: dict[str, str]) -> None:
    if row.question is not None or row.prompt is not None:
        questions[row.problem_id] = asked(row.question, row.prompt) or ""


def _values(row: _Row) -> Row:
    sample = Sample(row.problem_id, row.index, row.text, **optional_values(row))
    return {"problem_id": row.problem_id, "index": row.index, "text": row.text, **optional_values_of(sample)}


def _line(row: Row) -> bytes:
    return pydantic_core.to_json(row, inf_nan_mode="constants")


def _refuse_changed(path: Path, before: list[Stamp]) -> None:
    if stamps(path) != before:
        raise UserError(f"{OPTION}: {path}: changed while it was read; run again when it is complete")


def _repeated(path: Path, problem_id: str, index: int) -> UserError:
    """The error for a sample that a file has twice, with the place of the second row."""
    places = [
        where
        for where, row in read_rows(path, _Row, _EXAMPLE, option=OPTION)
        if (row.problem_id, row.index) == (problem_id, index)
    ]
    return UserError(f"{places[1]}: index {index} of problem {problem_id!r} occurs twice; indices must be unique")
