"""Blocks as Parquet (zstd): a table of records, and a footer that says what the object is.

The footer carries the schema version, the key under which the object was written, and what holds for all of its rows.
Readers refuse an object that is torn, is stored under another key, or has a newer major version. What a newer minor
version added is ignored; an optional column that an object lacks is read as null. So a block does not store the
optional columns that none of its records uses, and a record can grow by an optional field.

Nothing that is read is trusted: `tasks.store.rows` checks that the rows are what key and layout say.
"""

import io
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cache
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from tasks.store.blocks import Block, parse
from tasks.store.documents import json_object
from tasks.store.rows import fault_in_rows
from tasks.store.schema import SCHEMA, CorruptObjectError, NewerSchemaError, Version

METADATA = b"monkeys"
"""The key of our footer in a Parquet file's metadata."""

LEVEL = 6
"""Of zstd: a fifth smaller than at level 3, and no slower to read; writing takes longer, but far less than a model."""

QUICK_LEVEL = 3
"""Of zstd: takes a third of the time."""

_FEW_ROWS = 8
"""Up to this many rows in a row group, compressing a column, or making a dictionary for it, saves no space unless its
values are long, and takes several times as long as all else."""

_LONG_VALUE = 64
"""Bytes, on average."""

SAMPLE_KEY = ("problem_id", "index")
"""The columns that say which sample a row is about."""


@dataclass(frozen=True, slots=True)
class Footer:
    """What a block says about itself; each kind of block has its own fields, whose types are checked on reading."""

    def describes(self, samples: int) -> bool:  # noqa: ARG002 - what a kind counts, it compares
        """Whether this can be the footer of a block with this number of samples."""
        return True


Record = TypeVar("Record")
AnyFooter = TypeVar("AnyFooter", bound=Footer)


@dataclass(frozen=True, slots=True)
class Column:
    """A column for the field of the same name. `encode` and `decode` are for values that Arrow does not know; `decode`
    raises ValueError. `allowed` lists all values that there are, where they are few.

    Optional columns come last. Null there stands for the field's default.
    """

    name: str
    type: pa.DataType
    nullable: bool = False
    optional: bool = False
    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None
    allowed: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Layout(Generic[Record, AnyFooter]):
    """One kind of block: its record, the columns in the order of the record's fields, and its footer.

    The record's last field may hold a record, or None: its name is the first of `held`, and its type the second. Then
    the last columns, all optional, are those of that record's fields, each called after both.
    """

    record: Callable[..., Record]
    columns: tuple[Column, ...]
    footer: type[AnyFooter]
    held: tuple[str, type[Any]] | None = None

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
        own = self.columns[: len(self.columns) - len(self._held_fields)]
        values = {column.name: list(map(attrgetter(column.name), records)) for column in own}
        if self.held is not None:
            name, _ = self.held
            held = list(map(attrgetter(name), records))
            if held.count(None) < len(held):
                for part in self._held_fields:
                    values[f"{name}_{part}"] = [None if each is None else getattr(each, part) for each in held]
        return self.table_of(values)

    def table_of(self, values: Mapping[str, Sequence[Any]]) -> pa.Table:
        """A table from the values of fields by the names of the columns, without optional columns that would be null
        throughout; what may be null may be absent."""
        rows = len(values[self.columns[0].name])
        kept, arrays = [], []
        for column in self.columns:
            can_be_null = column.nullable or column.optional
            if can_be_null and column.name not in values:
                array = pa.nulls(rows, column.type)
            elif column.encode is None:
                array = pa.array(values[column.name], column.type)
            else:
                array = pa.array(map(column.encode, values[column.name]), column.type)
            if not (column.optional and array.null_count == rows):
                kept.append(pa.field(column.name, column.type, nullable=can_be_null))
                arrays.append(array)
        return pa.Table.from_arrays(arrays, schema=pa.schema(kept))

    def without_unused(self, table: pa.Table) -> pa.Table:
        """A table without those optional columns that are null throughout."""
        optional = [column.name for column in self.columns if column.optional and column.name in table.column_names]
        return table.drop_columns([name for name in optional if table[name].null_count == table.num_rows])

    def with_all_columns(self, table: pa.Table) -> pa.Table:
        """A table with the optional columns that it lacks, as nulls."""
        return _with_columns(table, self.columns)

    def to_records(self, table: pa.Table, key: str) -> list[Record]:
        """The rows of a table with all columns, in order; raises CorruptObjectError, which names the key."""
        columns = list(self.columns)
        while columns[-1].optional and table[columns[-1].name].null_count == table.num_rows:
            columns.pop()
        decoded = [decoded_column(column, table, key) for column in columns]
        own = len(self.columns) - len(self._held_fields)
        if self.held is not None and len(decoded) > own:
            _, record = self.held
            rows = zip(*decoded[own:], strict=True)
            decoded[own:] = [[None if row.count(None) == len(row) else record(*row) for row in rows]]
        return [self.record(*row) for row in zip(*decoded, strict=True)]

    @property
    def _held_fields(self) -> tuple[str, ...]:
        return () if self.held is None else tuple(each.name for each in fields(self.held[1]))

    def check_values(self, table: pa.Table, key: str) -> None:
        """Raise CorruptObjectError where a value of the table cannot be decoded."""
        for column in self.columns:
            if column.decode is not None:
                decoded_column(column, table, key)

    def write(
        self,
        table: pa.Table,
        footer: AnyFooter,
        key: str,
        *,
        rows_per_group: int,
        level: int = LEVEL,
        no_dictionary: Collection[str] = (),
    ) -> bytes:
        """A table of `to_table` as an object. `level` is that of zstd; a dictionary of the values of the columns in
        `no_dictionary` would only take time."""
        about = {"schema": str(SCHEMA), "key": key, **asdict(footer)}
        sink = io.BytesIO()
        few = rows_per_group <= _FEW_ROWS
        names = table.column_names
        compressed = [name for name in names if not few or table[name].nbytes > _LONG_VALUE * table.num_rows]
        pq.write_table(
            table.replace_schema_metadata({METADATA: json.dumps(about).encode()}),
            sink,
            compression={name: "zstd" if name in compressed else "none" for name in names},
            compression_level=dict.fromkeys(compressed, level),
            use_dictionary=[] if few else [name for name in names if name not in no_dictionary],
            row_group_size=rows_per_group,
            write_page_checksum=True,
        )
        return sink.getvalue()

    def open(self, file: Any, key: str, dictionaries: Sequence[str] = ()) -> "OpenBlock[AnyFooter]":
        """A block of which only the footer is read; `dictionaries` are columns to read dictionary-encoded.

        Raises:
            CorruptObjectError: torn, damaged, stored under another key, or with another footer or other columns than
                its schema version has.
            NewerSchemaError: it has a newer major version.
        """
        with damage_in(key):
            # pre_buffer: neighbouring columns come in one ranged read.
            parquet = pq.ParquetFile(
                file, read_dictionary=list(dictionaries), pre_buffer=True, page_checksum_verification=True
            )
            schema, metadata = parquet.schema_arrow, parquet.metadata
            types = list(zip(schema.names, schema.types, strict=True))
        footer, version = self._footer((metadata.metadata or {}).get(METADATA), key)
        held = self._held(types, version, key)
        block = parse(key)
        if block is not None and not (metadata.num_rows == block.samples and footer.describes(block.samples)):
            raise CorruptObjectError(key, f"it does not hold the {block.samples} samples that its key names")
        return OpenBlock(key, block, parquet, footer, self.columns, held)

    def _held(self, types: Sequence[tuple[str, Any]], version: Version, key: str) -> frozenset[str]:
        """The columns that an object has, checked."""
        found = dict(types)
        absent = any(column.name not in found and not column.optional for column in self.columns)
        unknown = version <= SCHEMA and not found.keys() <= set(self.names)
        other = any(found.get(column.name, column.type) not in _readable_as(column.type) for column in self.columns)
        if absent or unknown or other or len(found) < len(types):
            raise CorruptObjectError(key, f"its columns are not those of schema {version}")
        return frozenset(found)

    def _footer(self, data: bytes | None, key: str) -> tuple[AnyFooter, Version]:
        if data is None:
            raise CorruptObjectError(key, "it is a Parquet file, but not one of ours")
        try:
            about = json_object(data)
        except ValueError as error:
            raise CorruptObjectError(key, f"its footer is not a JSON object ({error})") from error
        version = Version.parse(about.pop("schema", None))
        if version is None:
            raise CorruptObjectError(key, "its footer names no schema version")
        if version.major > SCHEMA.major:
            raise NewerSchemaError.of(key, version)
        if about.pop("key", None) != key:
            raise CorruptObjectError(key, "it was written under another key")
        known = fields(self.footer)
        unknown = about.keys() - {field.name for field in known}
        absent = [field for field in known if field.name not in about and field.default is MISSING]
        if absent or (unknown and version <= SCHEMA):
            raise CorruptObjectError(key, f"the fields of its footer are not those of schema {version}")
        try:
            return _validator(cast(Any, self.footer)).validate_json(data, strict=True), version
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"][:1]))
            raise CorruptObjectError(key, f"its footer is not of schema {version} ({where}: {first['msg']})") from error


@dataclass(frozen=True, slots=True)
class OpenBlock(Generic[AnyFooter]):
    """A block whose footer has been read. `block` is what its key names; None where it names no block."""

    key: str
    block: Block | None
    parquet: Any
    footer: AnyFooter
    columns: tuple[Column, ...]
    held: frozenset[str]

    def read(self, names: Sequence[str] | None = None, group: int | None = None) -> pa.Table:
        """Some columns (None: all) of all rows or of one row group; fetches no others. Raises CorruptObjectError."""
        wanted = [column for column in self.columns if names is None or column.name in names]
        held = [column.name for column in wanted if column.name in self.held]
        with damage_in(self.key):
            # Arrow's threads gain nothing on blocks this small, and a run reads several blocks at once.
            if group is None:
                table = self.parquet.read(held, use_threads=False)
            else:
                table = self.parquet.read_row_group(group, held, use_threads=False)
            table.validate(full=True)
        table = _with_columns(table, wanted)
        for column in wanted:
            self._check(column, table[column.name])
        if self.block is not None and set(SAMPLE_KEY) <= set(table.column_names):
            problems = len(self.block.positions) if group is None else 1
            fault = fault_in_rows(table, self.block.indices, problems)
            if fault is not None:
                raise CorruptObjectError(self.key, fault)
        return table if names is None else table.select(list(names))

    def _check(self, column: Column, values: pa.ChunkedArray) -> None:
        if values.null_count and not (column.nullable or column.optional):
            raise CorruptObjectError(self.key, f"its column {column.name} lacks values")
        if column.allowed is not None:
            unknown = set(values.unify_dictionaries().unique().to_pylist()) - column.allowed
            if unknown:
                raise CorruptObjectError(self.key, f"its column {column.name} has the unknown value {min(unknown)!r}")


def _with_columns(table: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """A table of some of these columns, with the others as nulls."""
    held = set(table.column_names)
    for at, column in enumerate(columns):
        if column.name not in held:
            table = table.add_column(at, column.name, pa.nulls(table.num_rows, column.type))
    return table


def decoded_column(column: Column, table: pa.Table, key: str) -> list[Any]:
    """A column's values as records have them; raises CorruptObjectError, which names the key."""
    values: list[Any] = table[column.name].to_pylist()
    if column.decode is None:
        return values
    try:
        return list(map(column.decode, values))
    except ValueError as error:
        raise CorruptObjectError(key, f"its column {column.name} has a value that cannot be read") from error


@contextmanager
def damage_in(key: str) -> Iterator[None]:
    """Turns what Arrow finds wrong with the bytes of an object into a CorruptObjectError.

    What kept the bytes from coming has its own type or error number and passes: a store that is unavailable for a
    moment must not get its objects quarantined.
    """
    try:
        yield
    except (pa.ArrowException, UnicodeDecodeError, OverflowError) as error:
        raise _damaged(key, error) from error
    except OSError as error:
        if type(error) is not OSError or error.errno is not None:
            raise
        raise _damaged(key, error) from error


def _damaged(key: str, error: Exception) -> CorruptObjectError:
    return CorruptObjectError(key, f"it is torn or damaged ({' '.join(str(error).split())})")


def _readable_as(kind: pa.DataType) -> tuple[pa.DataType, ...]:
    """The types that a column of this type may be read as."""
    return kind, pa.dictionary(pa.int32(), kind)


@cache
def _validator(footer: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(footer)
