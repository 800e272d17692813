"""A set as one file for other tools. Blocks pass one at a time, and the file takes its name when it is whole."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic_core import from_json

from tasks.errors import StoreUnavailableError, UserError
from tasks.files.atomic import replacing
from tasks.store.inspect.query import EXPORTED

_ROWS_AT_ONCE = 1_000
_GROUP_ROWS = 10_000
_GROUP_BYTES = 16 << 20
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
    if path.is_dir():
        raise UserError(f"--output {path}: is a folder")
    try:
        with replacing(path) as temporary:
            return write(tables, temporary)
    except StoreUnavailableError:
        raise
    except OSError as error:
        raise UserError(f"--output {path}: cannot be written ({error.strerror or error})") from error


def _parquet(tables: Iterable[pa.Table], path: Path) -> int:
    rows = 0
    with pq.ParquetWriter(path, EXPORTED, compression="zstd") as writer:
        for table in _joined(tables):
            writer.write_table(table)
            rows += table.num_rows
    return rows


def _joined(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Small tables joined into larger ones: row groups of a few rows take longer to write and to read than their
    samples."""
    waiting: list[pa.Table] = []
    rows = size = 0
    for table in tables:
        waiting.append(table)
        rows += table.num_rows
        size += table.nbytes
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield pa.concat_tables(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pa.concat_tables(waiting)


def _jsonl(tables: Iterable[pa.Table], path: Path) -> int:
    rows = 0
    with path.open("w", encoding="utf-8") as file:
        for table in tables:
            for some in table.to_batches(_ROWS_AT_ONCE):
                columns = [column.to_pylist() for column in some.columns]
                for values in zip(*columns, strict=True):
                    row = dict(zip(EXPORTED.names, values, strict=True))
                    if row["turns"] is not None:
                        row["turns"] = from_json(row["turns"])
                    file.write(_to_json(row) + "\n")
            rows += table.num_rows
    return rows
