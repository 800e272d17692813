"""The reader of rows: JSON Lines, a JSON list, CSV or Parquet, also compressed with gzip, a row at a time.

Everything that reads rows uses it: datasets, importers, `engine: recorded`, `monkeys grade`. What is wrong with a row
is one message that names file, line and field.

JSON is parsed by pydantic's own parser, straight into the fields that are wanted: 1.7 times as fast as the standard
library and a validation after it. What it refuses is tried again by the standard library, whose rules are those of the
Python tools that write such files: NaN, a byte order mark, any depth. orjson is faster still, but refuses NaN and reads
large integers as floats; pyarrow's readers of JSON and CSV guess one type for each column and name no line.
"""

import codecs
import csv
import gzip
import io
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import pydantic_core
from pydantic import ValidationError

from tasks.errors import UserError
from tasks.files.json_stream import JsonStream
from tasks.files.schema import AnyRow, Where, parse_row

KINDS = (".jsonl", ".jsonl.gz", ".json", ".json.gz", ".parquet", ".csv", ".csv.gz")
"""How the names of files of rows end. A file with another name is read as JSON Lines."""

_PARQUET_BYTES = 4 << 20
_PARQUET_ROWS = 1024


def rows(path: Path, *, option: str = "") -> Iterator[tuple[Where, Any]]:
    """The rows of a file, as JSON values.

    Args:
        path: the file; its name says its format (`KINDS`).
        option: the option or config field that names the file, for messages.

    Raises:
        UserError: it cannot be read; a row is not JSON, CSV or Parquet.
    """
    with opened_raw(path, option=option) as (stream, file):
        yield from rows_in(stream, path.name, file)


def read_rows(path: Path, model: type[AnyRow], example: str, *, option: str = "") -> Iterator[tuple[Where, AnyRow]]:
    """The rows of a file with the fields of `model`.

    Args:
        path: the file; its name says its format (`KINDS`).
        model: the fields that a row must have.
        example: a good row, for messages.
        option: the option or config field that names the file, for messages.

    Raises:
        UserError: it cannot be read; a row is malformed.
    """
    with opened_raw(path, example, option=option) as (stream, file):
        yield from read_rows_in(stream, path.name, file, model, example)


def read_rows_in(
    stream: BinaryIO, name: str, file: str, model: type[AnyRow], example: str
) -> Iterator[tuple[Where, AnyRow]]:
    """As `read_rows`, from an open file. `name` says its format, and `file` is what messages call it."""
    stream, kind = unpacked(stream, name)
    if kind == "jsonl":
        yield from _lines_as(stream, file, model, example)
        return
    for where, data in _rows_of(kind, stream, file):
        yield where, parse_row(where, data, model, example, as_text=kind == "csv")


def rows_in(stream: BinaryIO, name: str, file: str) -> Iterator[tuple[Where, Any]]:
    """As `rows`, from an open file. `name` says its format, and `file` is what messages call it."""
    stream, kind = unpacked(stream, name)
    yield from _rows_of(kind, stream, file)


def first_row(path: Path) -> Mapping[str, Any]:
    """The first row of a file. For a JSON document, its members up to the first list or object, without that one's
    value; for a folder, or anything else, empty.

    Raises:
        UserError: the file cannot be read.
    """
    if path.is_dir() or path.suffix in {".eval", ".yaml", ".yml"}:
        return {}
    with opened(path) as stream:
        if path.name.removesuffix(".gz").endswith(".json") and _begins(stream, "{"):
            document = JsonStream(stream, lambda what: UserError(f"{path}: {what}"))
            found: dict[str, Any] = {}
            for name in document.members():
                found[name] = None
                if document.peek() in {"[", "{"}:
                    return found
                found[name] = document.value()
            return found
    row = next((row for _, row in rows(path)), None)
    return row if isinstance(row, dict) else {}


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file's bytes, decompressed where its name ends in .gz.

    Raises:
        UserError: it cannot be opened or read; also raised in the `with` block.
    """
    with opened_raw(path) as (stream, _):
        yield unpacked(stream, path.name)[0]


@contextmanager
def opened_document(path: Path) -> Iterator[JsonStream]:
    """A JSON document, read a member at a time; raises as `opened` does, or where it is not JSON."""
    with opened(path) as stream:
        yield JsonStream(stream, lambda what: UserError(f"{path}: {what}"))


def parse_json(where: object, data: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        UserError: it is not JSON in UTF-8; `str(where)` begins the message.
    """
    try:
        return pydantic_core.from_json(data)
    except ValueError:
        return _parse_slowly(where, data)


def _parse_slowly(where: object, data: bytes) -> Any:
    """As `parse_json`, by the standard library, which accepts more and has clearer messages."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UserError(f"{where}: is UTF-16; save it as UTF-8")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: is not valid UTF-8 (byte {error.start:,})") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: broken JSON ({error.msg}, character {error.pos + 1:,})") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: broken JSON ({error})") from error


@contextmanager
def opened_raw(path: Path, example: str = "", *, option: str = "") -> Iterator[tuple[BinaryIO, str]]:
    """A file's bytes as they are, and what messages call it.

    Args:
        path: the file.
        example: a good row, for messages.
        option: the option or config field that names the file, for messages.

    Raises:
        UserError: it cannot be opened or read; also raised in the `with` block.
    """
    file = f"{option}: {path}" if option else str(path)
    advice = f"; give a file of rows like {example}" if example else ""
    try:
        with path.open("rb") as stream:
            yield stream, file
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise UserError(f"{file}: cannot be read ({reason}){advice}") from error


def unpacked(stream: BinaryIO, name: str) -> tuple[BinaryIO, str]:
    """A file's bytes, decompressed where its name ends in .gz, and its format: `jsonl`, `json`, `csv` or `parquet`."""
    name = name.lower()
    if name.endswith(".gz"):
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    kind = name.removesuffix(".gz").rpartition(".")[2]
    return stream, kind if kind in {"json", "csv", "parquet"} else "jsonl"


def _rows_of(kind: str, stream: BinaryIO, file: str) -> Iterator[tuple[Where, Any]]:
    match kind:
        case "parquet":
            return _parquet(stream, file)
        case "csv":
            return _csv(stream, file)
        case "json":
            return _json(stream, file)
    return _lines(stream, file)


def _lines_as(lines: Iterable[bytes], file: str, model: type[AnyRow], example: str) -> Iterator[tuple[Where, AnyRow]]:
    validate = model.model_validate_json
    for number, line in enumerate(lines, start=1):
        where = Where(file, "line", number)
        try:
            row = validate(line)
        except ValidationError:
            if not line.strip():
                continue
            row = parse_row(where, parse_json(where, line), model, example)
        yield where, row


def _lines(lines: Iterable[bytes], file: str) -> Iterator[tuple[Where, Any]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            where = Where(file, "line", number)
            yield where, parse_json(where, line)


def _json(stream: BinaryIO, file: str) -> Iterator[tuple[Where, Any]]:
    """The rows of a JSON list, or of JSON Lines under the wrong name."""
    if not _begins(stream, "["):
        first = next((line for line in stream if line.strip()), b"")
        if first.strip().startswith(b"{") and not _is_json(first):
            raise UserError(f"{file}: is not a list of rows")
        stream.seek(0)
        yield from _lines(stream, file)
        return
    number = 0
    document = JsonStream(stream, lambda what: UserError(f"{file}, after row {number}: {what}"))
    for row in document.elements():
        number += 1
        yield Where(file, "row", number), row
    if document.peek():
        raise UserError(f"{file}: broken JSON (something follows the list)")


def _is_json(line: bytes) -> bool:
    try:
        parse_json("", line)
    except UserError:
        return False
    return True


def _begins(stream: BinaryIO, character: str) -> bool:
    found = stream.read(1 << 10).removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    stream.seek(0)
    return found == character.encode()


def _csv(stream: BinaryIO, file: str) -> Iterator[tuple[Where, Any]]:
    # Questions may be longer than the module's own bound of 128 KiB.
    csv.field_size_limit(1 << 30)
    # Excel writes a byte order mark.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    table = csv.reader(text, strict=True)
    try:
        columns = next(table, [])
        twice = next((name for at, name in enumerate(columns) if name and name in columns[:at]), None)
        if twice is not None:
            raise UserError(f"{file}, line 1: column {twice!r} occurs twice")
        for values in table:
            where = Where(file, "line", table.line_num)
            if any(values[len(columns) :]):
                raise UserError(
                    f"{where}: has {len(values)} values for {len(columns)} columns; quote values that contain commas"
                )
            if values:
                yield where, {name: value for name, value in zip(columns, values, strict=False) if name}
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{file}, line {table.line_num + 1}: broken CSV ({error})") from error
    finally:
        text.detach()


def _parquet(stream: BinaryIO, file: str) -> Iterator[tuple[Where, Any]]:
    import pyarrow as pa  # 0.2 s that only readers of Parquet should pay
    import pyarrow.parquet as pq

    try:
        # Buffered, a column is not read a whole row group at once.
        table = pq.ParquetFile(stream, buffer_size=1 << 20)
        batches = table.iter_batches(batch_size=_rows_at_once(table.metadata))
        values = itertools.chain.from_iterable(batch.to_pylist() for batch in batches)
        for number, row in enumerate(values, start=1):
            yield Where(file, "row", number), row
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the file could not be read, which says nothing about its content
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{file}: is not a whole Parquet file ({reason})") from error


def _rows_at_once(metadata: Any) -> int:
    """How many rows of a Parquet file are read at a time: a row may contain 10,000 samples."""
    total = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    return max(1, min(_PARQUET_ROWS, int(_PARQUET_BYTES * metadata.num_rows / max(total, 1))))
