"""Blocks of samples. Each problem of a block is a row group, so that one problem's samples are read without the
others'; the footer has the checksum of what verdicts depend on."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from tasks.records import Sample
from tasks.store.blocks import Block
from tasks.store.parquet import LEVEL, QUICK_LEVEL, OpenBlock, damage_in
from tasks.store.rows import first_ids
from tasks.store.sample_columns import SampleColumns
from tasks.store.sample_layout import LAYOUT, SampleFooter
from tasks.store.schema import CorruptObjectError
from tasks.store.tables import integers

# Samples that took less time than this were not drawn by a model; storing them should not take long, either.
_QUICK_S = 1e-4

# Samples among which equal texts are looked for: where they are frequent, a dictionary of texts makes a block smaller.
_LOOKED_AT = 200


def checksum(table: pa.Table) -> str:
    """SHA-256 over what verdicts depend on: problem, index and text of each sample, and its turns where a sample has
    any, in order of storage.

    Column by column, from Arrow's memory: the indices as 32-bit integers; of the strings first how many bytes each
    has, then the bytes of all. No Python object is made for a row.
    """
    held = set(table.column_names)
    return _digest(table.num_rows, lambda name: table[name].chunks if name in held else [])


def _digest(rows: int, chunks_of: Callable[[str], Iterable[Any]]) -> str:
    """The checksum of this number of rows; `chunks_of` gives the chunks of a column, each time that it is asked."""
    total = hashlib.sha256(rows.to_bytes(8, "little"))
    for chunk in chunks_of("index"):
        total.update(integers(chunk).data)
    for name in ("problem_id", "text", "turns"):
        # Up to the first chunk that has a value: `chunks_of` may have to read each.
        if not any(chunk.null_count < len(chunk) for chunk in chunks_of(name)):
            continue
        for chunk in chunks_of(name):
            total.update(integers(pc.binary_length(chunk.fill_null("") if chunk.null_count else chunk)).data)
        for chunk in chunks_of(name):
            total.update(_bytes(chunk.fill_null("") if chunk.null_count else chunk))
    return total.hexdigest()


def write_samples(
    samples: Sequence[Sample],
    key: str,
    *,
    engine: str,
    drawn_at: str,
    seconds: float,
    reproducible: bool | None = None,
) -> bytes:
    """A block of samples, in order of problem and index, as an object."""
    table = SampleColumns.of(samples).table
    quick = seconds < len(samples) * _QUICK_S
    distinct = len(table["text"].slice(0, _LOOKED_AT).unique()) > min(len(samples), _LOOKED_AT) / 2
    tokens = None if table["tokens"].null_count else pc.sum(table["tokens"]).as_py() or 0
    footer = SampleFooter(checksum(table), tokens, engine, drawn_at, seconds, reproducible)
    of_first = pc.sum(pc.equal(table["problem_id"], table["problem_id"][0])).as_py()
    return LAYOUT.write(
        table,
        footer,
        key,
        rows_per_group=of_first,
        level=QUICK_LEVEL if quick else LEVEL,
        no_dictionary=("text", "turns") if distinct else (),
    )


def read_samples(data: bytes, key: str) -> tuple[list[Sample], SampleFooter]:
    """The samples of an object, in order.

    Raises:
        CorruptObjectError: the object is torn, or its content does not have the checksum that it carries.
        NewerSchemaError: written by a newer version.
    """
    table, footer = read_sample_table(data, key)
    return LAYOUT.to_records(table, key), footer


def read_sample_table(data: bytes, key: str) -> tuple[pa.Table, SampleFooter]:
    """Like `read_samples`, as a table with all columns."""
    block = LAYOUT.open(pa.BufferReader(data), key)
    return _checked_table(block), block.footer


def _checked_table(block: OpenBlock[SampleFooter]) -> pa.Table:
    table = block.read()
    _compare(block, checksum(table))
    return table


def _compare(block: OpenBlock[SampleFooter], found: str) -> None:
    if found != block.footer.checksum:
        raise CorruptObjectError(block.key, "its samples do not have the checksum that they were stored with")


def read_in_parts(data: bytes, key: str, most: int) -> tuple[Iterator[pa.Table], SampleFooter]:
    """Like `read_sample_table`, one table a problem where all together take more than `most` bytes: each is read when
    it is asked for. The checksum has been compared before.

    Raises:
        CorruptObjectError, NewerSchemaError: as `read_samples` does.
    """
    block = LAYOUT.open(pa.BufferReader(data), key)
    groups = _row_groups(block)
    large = sum(group.total_byte_size for group in groups) > most
    # A block that an older version wrote may have other row groups.
    if not large or block.block is None or not _has_one_for_each_problem(groups, block.block):
        return iter([_checked_table(block)]), block.footer

    def chunks_of(name: str) -> Iterator[Any]:
        for at in range(len(groups)):
            yield from block.read((name,), group=at)[name].chunks

    _compare(block, _digest(block.block.samples, chunks_of))
    return (block.read(group=at) for at in range(len(groups))), block.footer


def read_sample_columns(file: BinaryIO, key: str, names: Sequence[str]) -> pa.Table:
    """Some columns of a block of samples, fetching no others and checking no checksum. Problems come
    dictionary-encoded."""
    return LAYOUT.open(file, key, ("problem_id",)).read(names)


def sample_footer(file: BinaryIO, key: str) -> SampleFooter:
    """What a block of samples says about itself; reads the footer only. Raises as `read_samples` does."""
    return LAYOUT.open(file, key).footer


@dataclass(frozen=True, slots=True)
class Group:
    """One problem's rows [start, stop) of a block of samples."""

    problem_id: str
    start: int
    stop: int
    block: OpenBlock[SampleFooter]
    number: int

    def read(self) -> pa.Table:
        """These rows alone, with all columns; raises CorruptObjectError."""
        table = self.block.read(group=self.number)
        if first_ids(table, table.num_rows) != [self.problem_id]:
            raise CorruptObjectError(self.block.key, "its statistics do not match its rows")
        return table


def sample_groups(file: BinaryIO, key: str) -> Iterator[Group]:
    """The problems of a block, in order; as a rule, nothing but the footer is read before `Group.read`.

    Raises:
        CorruptObjectError, NewerSchemaError: as `read_samples` does; or the row groups are not one for each problem.
    """
    block = LAYOUT.open(file, key)
    groups = _row_groups(block)
    if block.block is not None and not _has_one_for_each_problem(groups, block.block):
        raise CorruptObjectError(key, "its row groups are not one for each problem")
    start = 0
    for number, group in enumerate(groups):
        yield Group(_problem_of(block, group, number), start, start + group.num_rows, block, number)
        start += group.num_rows


def _row_groups(block: OpenBlock[SampleFooter]) -> list[Any]:
    """The metadata of a block's row groups, in order."""
    with damage_in(block.key):
        return [block.parquet.metadata.row_group(number) for number in range(block.parquet.metadata.num_row_groups)]


def _has_one_for_each_problem(groups: Sequence[Any], block: Block) -> bool:
    return [group.num_rows for group in groups] == [len(block.indices)] * len(block.positions)


def _problem_of(block: OpenBlock[SampleFooter], group: Any, number: int) -> str:
    """A row group's problem, from its statistics; Parquet keeps none of long values, and then the rows tell."""
    with damage_in(block.key):
        columns = (group.column(each) for each in range(group.num_columns))
        ids = next(column for column in columns if column.path_in_schema == "problem_id")
        if ids.statistics is not None and ids.statistics.has_min_max and isinstance(ids.statistics.min, str):
            return ids.statistics.min
    return first_ids(block.read(("problem_id",), group=number), group.num_rows)[0]


def _bytes(strings: pa.StringArray) -> memoryview:
    """The bytes of all strings, one after another."""
    _, offsets, data = strings.buffers()
    ends = memoryview(offsets).cast("i")[strings.offset : strings.offset + len(strings) + 1]
    return memoryview(data)[ends[0] : ends[-1]] if data is not None and len(strings) else memoryview(b"")
