"""The files that tools write: JSON lines, JSON lists and Parquet, a row at a time, each with the words where it is."""

import codecs
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.errors import InputError
from tasks.importers.json_stream import JsonStream


class Entry(BaseModel):
    """What is read of an entry; what else it has is left alone."""

    model_config = ConfigDict(extra="ignore", strict=True, defer_build=True)


AnyEntry = TypeVar("AnyEntry", bound=Entry)


def checked(where: str, data: Any, model: type[AnyEntry], example: str) -> AnyEntry:
    """An entry in the form that it must have.

    Raises:
        InputError: it has not; names the field.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the entry"
        message = first["msg"][0].lower() + first["msg"][1:]
        raise InputError(f"{where}: {field}: {message}; an entry looks like {example}") from error


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file's bytes, unpacked where its name ends in .gz.

    Raises:
        InputError: it cannot be read, also later on.
    """
    try:
        with cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb") as stream:
            yield stream
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read ({reason})") from error


def rows(path: Path) -> Iterator[tuple[str, Any]]:
    """The rows of a Parquet file, of a JSON list, or else of JSON lines.

    Raises:
        InputError: it cannot be read; a line is not JSON.
    """
    with opened(path) as stream:
        if path.suffix == ".parquet":
            yield from _parquet_rows(path, stream)
        elif path.name.removesuffix(".gz").endswith(".json") and _begins(stream, "["):
            number = 0
            document = JsonStream(stream, lambda what: InputError(f"{path}, after row {number}: {what}"))
            for row in document.elements():
                number += 1
                yield f"{path}, row {number}", row
            if document.peek():
                raise InputError(f"{path}: broken JSON (something follows the list)")
        else:
            for at, line in enumerate(stream, start=1):
                if line.strip():
                    where = f"{path}, line {at}"
                    yield where, parsed(where, line)


def parsed(where: str, data: bytes) -> Any:
    """A JSON text's value.

    Raises:
        InputError: it is not JSON.
    """
    try:
        return json.loads(data)
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: is not valid UTF-8 (byte {error.start:,})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: broken JSON ({error})") from error


def first_entry(path: Path) -> Mapping[str, Any]:
    """The first row of a file; of a JSON document its members up to the first that is a list or an object, whose value
    is left out; of a folder, or of anything else, nothing.

    Raises:
        InputError: the file cannot be read.
    """
    if path.is_dir() or path.suffix in {".eval", ".yaml", ".yml"}:
        return {}
    with opened(path) as stream:
        if path.name.removesuffix(".gz").endswith(".json") and _begins(stream, "{"):
            document = JsonStream(stream, lambda what: InputError(f"{path}: {what}"))
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


def _parquet_rows(path: Path, stream: BinaryIO) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa  # noqa: PLC0415 - 0.2 s that only readers of Parquet should pay
    import pyarrow.parquet as pq  # noqa: PLC0415

    number = 0
    try:
        for batch in pq.ParquetFile(stream).iter_batches(batch_size=16):
            for row in batch.to_pylist():
                number += 1
                yield f"{path}, row {number}", row
    except pa.ArrowException as error:
        raise InputError(f"{path}: is not a whole Parquet file ({' '.join(str(error).split())[:200]})") from error
