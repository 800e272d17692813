"""The files that tools write: JSON lines, JSON lists and Parquet, a row at a time, each with the words where it is."""

import codecs
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from tasks.errors import UserError
from tasks.files.json_stream import JsonStream
from tasks.files.schema import parquet_rows


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file's bytes, unpacked where its name ends in .gz.

    Raises:
        UserError: it cannot be read, also later on.
    """
    try:
        with cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb") as stream:
            yield stream
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise UserError(f"{path}: cannot be read ({reason})") from error


def rows(path: Path) -> Iterator[tuple[str, Any]]:
    """The rows of a Parquet file, of a JSON list, or else of JSON lines.

    Raises:
        UserError: it cannot be read; a line is not JSON.
    """
    with opened(path) as stream:
        if path.suffix == ".parquet":
            for number, row in parquet_rows(f"{path}:", stream, at_once=16):
                yield f"{path}, row {number}", row
        elif path.name.removesuffix(".gz").endswith(".json") and _begins(stream, "["):
            number = 0
            document = JsonStream(stream, lambda what: UserError(f"{path}, after row {number}: {what}"))
            for row in document.elements():
                number += 1
                yield f"{path}, row {number}", row
            if document.peek():
                raise UserError(f"{path}: broken JSON (something follows the list)")
        else:
            for at, line in enumerate(stream, start=1):
                if line.strip():
                    where = f"{path}, line {at}"
                    yield where, parsed(where, line)


def parsed(where: str, data: bytes) -> Any:
    """A JSON text's value.

    Raises:
        UserError: it is not JSON.
    """
    try:
        return json.loads(data)
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: is not valid UTF-8 (byte {error.start:,})") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: broken JSON ({error})") from error


def first_entry(path: Path) -> Mapping[str, Any]:
    """The first row of a file; of a JSON document its members up to the first that is a list or an object, whose value
    is left out; of a folder, or of anything else, nothing.

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


def _begins(stream: BinaryIO, character: str) -> bool:
    found = stream.read(1 << 10).removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    stream.seek(0)
    return found == character.encode()
