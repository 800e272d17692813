"""A set as one file for other tools. Blocks pass one at a time, and the file takes its name when it is whole."""

import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.errors import UserError
from tasks.store.inspect.query import EXPORTED

_ROWS_AT_ONCE = 1_000
_to_json = json.JSONEncoder(ensure_ascii=False).encode


def export(tables: Iterable[pa.Table], path: Path) -> int:
    """Write tables with the columns of `query.EXPORTED` as Parquet or as JSON lines, by the path's suffix.

    Returns:
        How many samples were written.

    Raises:
        UserError: the path ends otherwise, or cannot be written; there is no file then, or still the old one.
    """
    write = {".parquet": _parquet, ".jsonl": _jsonl}.get(path.suffix)
    if write is None:
        raise UserError(f"--output {path}: ends in neither .parquet nor .jsonl")
    with _whole_or_not_at_all(path) as temporary:
        return write(tables, temporary)


def _parquet(tables: Iterable[pa.Table], path: Path) -> int:
    rows = 0
    with pq.ParquetWriter(path, EXPORTED, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)
            rows += table.num_rows
    return rows


def _jsonl(tables: Iterable[pa.Table], path: Path) -> int:
    rows = 0
    with path.open("w", encoding="utf-8") as file:
        for table in tables:
            for some in table.to_batches(_ROWS_AT_ONCE):
                columns = [column.to_pylist() for column in some.columns]
                for values in zip(*columns, strict=True):
                    file.write(_to_json(dict(zip(EXPORTED.names, values, strict=True))) + "\n")
            rows += table.num_rows
    return rows


@contextmanager
def _whole_or_not_at_all(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".tmp-{secrets.token_hex(6)}-{path.name}")
    try:
        temporary.touch()
    except OSError as error:
        raise UserError(f"--output {path}: cannot be written ({error.strerror})") from error
    try:
        yield temporary
        temporary.replace(path)
    except IsADirectoryError as error:
        raise UserError(f"--output {path}: is a folder") from error
    finally:
        temporary.unlink(missing_ok=True)
