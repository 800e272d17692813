"""Blocks as Parquet (zstd): a table of records, and a footer that says what the object is.

The footer carries the schema version, the key under which the object was written, and what holds for all of its rows.
Readers refuse an object that is torn, is stored under another key, or has a newer major version. What a newer minor
version added is ignored; an optional column that an object lacks is read as null. So a block does not store the
optional columns that none of its records uses, and a record can grow by an optional field.
"""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from operator import attrgetter
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.store.schema import SCHEMA, CorruptObjectError, NewerSchemaError, Version

_METADATA = b"monkeys"
# A fifth smaller than at level 3, and no slower to read; writing takes longer, but far less than drawing did.
_LEVEL = 6

SAMPLE_KEY = ("problem_id", "index")
"""The columns that say which sample a row is about."""


@dataclass(frozen=True, slots=True)
class Footer:
    """What a block says about itself; each kind of block has its own fields."""


Record = TypeVar("Record")
AnyFooter = TypeVar("AnyFooter", bound=Footer)


@dataclass(frozen=True, slots=True)
class Column:
    """A column for the field of the same name. `encode` and `decode` are for values that Arrow does not know.

    Optional columns come last. Null there stands for the field's default.
    """

    name: str
    type: pa.DataType
    nullable: bool = False
    optional: bool = False
    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Layout(Generic[Record, AnyFooter]):
    """One kind of block: its record, the columns in the order of the record's fields, and its footer."""

    record: Callable[..., Record]
    columns: tuple[Column, ...]
    footer: type[AnyFooter]

    @property
    def names(self) -> list[str]:
        """The names of all columns."""
        return [column.name for column in self.columns]

    @property
    def schema(self) -> pa.Schema:
        """All columns as a table that was read has them: null wherever a value may be unknown."""
        return pa.schema([(column.name, column.type) for column in self.columns])

    def to_table(self, records: Sequence[Record]) -> pa.Table:
        """The records as a table, without optional columns that would be null throughout."""
        kept, arrays = [], []
        for column in self.columns:
            values = list(map(attrgetter(column.name), records))
            if column.encode is not None:
                values = list(map(column.encode, values))
            if column.optional and all(value is None for value in values):
                continue
            kept.append(pa.field(column.name, column.type, nullable=column.nullable or column.optional))
            arrays.append(pa.array(values, column.type))
        return pa.Table.from_arrays(arrays, schema=pa.schema(kept))

    def to_records(self, table: pa.Table) -> list[Record]:
        """The rows of a table with all columns, in order."""
        columns = list(self.columns)
        while columns[-1].optional and table[columns[-1].name].null_count == table.num_rows:
            columns.pop()
        values = [table[column.name].to_pylist() for column in columns]
        decoded = [
            values if column.decode is None else map(column.decode, values)
            for column, values in zip(columns, values, strict=True)
        ]
        return [self.record(*row) for row in zip(*decoded, strict=True)]

    def write(self, table: pa.Table, footer: AnyFooter, key: str, *, rows_per_group: int) -> bytes:
        """A table of `to_table` as an object."""
        about = {"schema": str(SCHEMA), "key": key, **asdict(footer)}
        sink = io.BytesIO()
        pq.write_table(
            table.replace_schema_metadata({_METADATA: json.dumps(about).encode()}),
            sink,
            compression="zstd",
            compression_level=_LEVEL,
            row_group_size=rows_per_group,
            write_page_checksum=True,
        )
        return sink.getvalue()

    def open(self, file: Any, key: str, dictionaries: Sequence[str] = ()) -> "OpenBlock[AnyFooter]":
        """A block of which only the footer is read; `dictionaries` are columns to read dictionary-encoded.

        Raises:
            CorruptObjectError: torn, damaged, stored under another key, or without a column or field that it must have.
            NewerSchemaError: it has a newer major version.
        """
        try:
            # pre_buffer: neighbouring columns come in one ranged read.
            parquet = pq.ParquetFile(
                file, read_dictionary=list(dictionaries), pre_buffer=True, page_checksum_verification=True
            )
        except (pa.ArrowException, OSError) as error:
            if not _is_damage(error):
                raise
            raise _damaged(error) from error
        about = _metadata(parquet.metadata.metadata or {})
        version = Version.parse(about.pop("schema", None))
        if version is None:
            raise CorruptObjectError("its footer names no schema version")
        if version.major > SCHEMA.major:
            raise NewerSchemaError.of(key, version)
        if about.pop("key", None) != key:
            raise CorruptObjectError("it was written under another key")
        held = frozenset(parquet.metadata.schema.names)
        self._check_columns(held, version)
        return OpenBlock(parquet, self._footer(about, version), self.columns, held)

    def _check_columns(self, held: frozenset[str], version: Version) -> None:
        absent = any(column.name not in held and not column.optional for column in self.columns)
        if absent or (version <= SCHEMA and not held.issubset(self.names)):
            raise CorruptObjectError(f"its columns are not those of schema {version}")

    def _footer(self, about: dict[str, Any], version: Version) -> AnyFooter:
        known = fields(self.footer)
        unknown = about.keys() - {field.name for field in known}
        absent = [field for field in known if field.name not in about and field.default is MISSING]
        if absent or (unknown and version <= SCHEMA):
            raise CorruptObjectError(f"the fields of its footer are not those of schema {version}")
        return self.footer(**{name: value for name, value in about.items() if name not in unknown})


@dataclass(frozen=True, slots=True)
class OpenBlock(Generic[AnyFooter]):
    """A block whose footer has been read."""

    parquet: Any
    footer: AnyFooter
    columns: tuple[Column, ...]
    held: frozenset[str]

    def read(self, names: Sequence[str] | None = None, group: int | None = None) -> pa.Table:
        """Some columns (None: all) of all rows or of one row group; fetches no others. Raises CorruptObjectError."""
        wanted = [column.name for column in self.columns] if names is None else list(names)
        held = [name for name in wanted if name in self.held]
        try:
            # Arrow's threads gain nothing on blocks this small, and a run reads several blocks at once.
            if group is None:
                table = self.parquet.read(held, use_threads=False)
            else:
                table = self.parquet.read_row_group(group, held, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            if not _is_damage(error):
                raise
            raise _damaged(error) from error
        types = {column.name: column.type for column in self.columns if column.name not in self.held}
        for at, name in enumerate(wanted):
            if name in types:
                table = table.add_column(at, name, pa.nulls(table.num_rows, types[name]))
        return table


def _metadata(found: dict[bytes, bytes]) -> dict[str, Any]:
    if _METADATA not in found:
        raise CorruptObjectError("it is a Parquet file, but not one of ours")
    try:
        return dict(json.loads(found[_METADATA]))
    except (ValueError, TypeError) as error:
        raise CorruptObjectError("its footer is not JSON") from error


def _is_damage(error: Exception) -> bool:
    """What Arrow finds wrong with the bytes is damage. What kept the bytes from coming has its own type or error number
    and is not: a store that is unavailable for a moment must not get its objects quarantined."""
    return isinstance(error, pa.ArrowException) or (type(error) is OSError and error.errno is None)


def _damaged(error: Exception) -> CorruptObjectError:
    return CorruptObjectError(f"it is torn or damaged ({' '.join(str(error).split())})")
