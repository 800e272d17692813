"""Blocks as Parquet (zstd), with a fixed schema, and a footer that says what the object is.

The footer carries the version of the schema, the key under which the object was written, and what holds for all of
its rows: who drew or judged them and when, and the checksum of the samples. What varies by row is a column; what does
not is written once, where a reader finds it without touching a row. Readers refuse an object that lies under another
key, has other columns, or does not hash to its checksum; verdicts name the checksum of the samples that they judged.

Each problem of a block is a row group of its own, so that one problem's samples are read without the others'.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from operator import attrgetter
from typing import Any, BinaryIO, Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.errors import UserError
from tasks.records import GradedSample, Sample, Verdict
from tasks.store.identity import SCHEMA

_FOOTER = b"monkeys"
# A fifth smaller than at level 3, and no slower to read; writing takes longer, but far less than drawing did.
_LEVEL = 6
SAMPLES = pa.schema(
    [
        ("problem_id", pa.string()),
        ("index", pa.int32()),
        ("text", pa.string()),
        ("prompt_tokens", pa.int32()),
        ("tokens", pa.int32()),
        ("logprob", pa.float64()),
        ("finish_reason", pa.string()),
    ]
)
VERDICTS = pa.schema(
    [
        ("problem_id", pa.string()),
        ("index", pa.int32()),
        ("verdict", pa.string()),
        ("detail", pa.string()),
        ("cpu_s", pa.float64()),
        ("wall_s", pa.float64()),
    ]
)
WHICH = ("problem_id", "index")
"""The columns that say which sample a row is about."""


class CorruptObjectError(ValueError):
    """An object that is torn, damaged, or not what its key says."""


class NewerSchemaError(UserError):
    """An object that a newer version of this program wrote: whole, but not to be read by this one."""

    @classmethod
    def of(cls, what: str, schema: int) -> Self:
        """The error for an object or a set with this schema."""
        return cls(
            f"store: {what} has schema {schema}, written by a newer version of monkeys; this one reads up to schema"
            f" {SCHEMA}: upgrade it"
        )


@dataclass(frozen=True, slots=True)
class SampleFooter:
    """What a block of samples says of itself: checksum of its content, who drew it, when (UTC), in how long (s), and
    how many tokens where the engine knew. `deterministic` is the engine's promise (`tasks.engines.Engine`); None in
    blocks from before it was kept."""

    checksum: str
    tokens: int | None
    engine: str
    drawn_at: str
    seconds: float
    deterministic: bool | None = None


@dataclass(frozen=True, slots=True)
class VerdictFooter:
    """What a block of verdicts says of itself. `judged` is the checksum of the samples; `counts` says how often each
    verdict was given."""

    judged: str
    sandbox: str
    graded_at: str
    seconds: float
    counts: dict[str, int]

    @property
    def infrastructure(self) -> int:
        """How many samples no sandbox managed to judge; they are owed again."""
        return self.counts.get(Verdict.INFRASTRUCTURE, 0)


Footer = TypeVar("Footer", SampleFooter, VerdictFooter)


def checksum(samples: Sequence[Sample]) -> str:
    """SHA-256 over what verdicts depend on: problem, index and text of each sample, in order of storage."""
    return _checksum(_to_table(SAMPLES, samples))


def write_samples(samples: Sequence[Sample], footer: SampleFooter, key: str) -> bytes:
    """A block of samples, in order of problem and index, as an object."""
    of_first = sum(sample.problem_id == samples[0].problem_id for sample in samples)
    return _to_parquet(SAMPLES, samples, footer, key, rows_a_group=of_first)


def read_samples(data: bytes, key: str) -> tuple[list[Sample], SampleFooter]:
    """The samples of an object, in order.

    Raises:
        CorruptObjectError: the object is torn, or its content does not have the checksum that it carries.
        NewerSchemaError: written by a newer version.
    """
    table, footer = read_sample_table(data, key)
    return [Sample(*row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)], footer


def read_sample_table(data: bytes, key: str) -> tuple[pa.Table, SampleFooter]:
    """Like `read_samples`, as a table with the columns of `SAMPLES`."""
    parquet, footer = _open(pa.BufferReader(data), key, SAMPLES, SampleFooter)
    table = _read(parquet)
    if _checksum(table) != footer.checksum:
        raise CorruptObjectError("its samples do not have the checksum that they were stored with")
    return table, footer


def read_sample_columns(file: BinaryIO, key: str, columns: Sequence[str]) -> pa.Table:
    """Some columns of a block of samples, fetching no others and checking no checksum. Problems come
    dictionary-encoded."""
    return _read(_open(file, key, SAMPLES, SampleFooter, dictionaries=("problem_id",))[0], columns)


def rows_below(table: pa.Table, below: Mapping[str, int]) -> pa.Table:
    """The samples with an index below their problem's, none of a problem without one."""
    together = table.unify_dictionaries().combine_chunks()
    problems = together["problem_id"].combine_chunks()
    ends = np.array([below.get(problem, 0) for problem in problems.dictionary.to_pylist()], dtype=np.int64)
    return together.filter(pa.array(_integers(together["index"].combine_chunks()) < ends[_integers(problems.indices)]))


def column_sums(table: pa.Table, columns: Sequence[str]) -> list[int | None]:
    """The sum of each column; None where one of its values is not known."""
    return [None if table[name].null_count else pc.sum(table[name]).as_py() or 0 for name in columns]


def sums_by_problem(table: pa.Table, column: str) -> dict[str, tuple[int, int, int]] | None:
    """By problem, how many values a column has, their sum and the sum of their squares; None where one is not known.
    The table comes from `read_sample_columns`."""
    if table[column].null_count:
        return None
    together = table.unify_dictionaries().combine_chunks()
    problems = together["problem_id"].combine_chunks()
    rows, values = _integers(problems.indices), _integers(together[column].combine_chunks()).astype(np.int64)
    sums = [np.zeros(len(problems.dictionary), np.int64) for _ in range(3)]
    for total, added in zip(sums, (np.ones_like(values), values, values**2), strict=True):
        np.add.at(total, rows, added)
    names = problems.dictionary.to_pylist()
    return {
        name: (n, total, squares)
        for name, n, total, squares in zip(names, *(each.tolist() for each in sums), strict=True)
        if n
    }


def sample_footer(file: BinaryIO, key: str) -> SampleFooter:
    """What a block of samples says of itself; reads the footer only. Raises as `read_samples` does."""
    return _open(file, key, SAMPLES, SampleFooter)[1]


def sample_groups(file: BinaryIO, key: str) -> Iterator["Group"]:
    """The problems of a block, in order; nothing but the footer is read before `Group.read`."""
    parquet, _ = _open(file, key, SAMPLES, SampleFooter)
    start = 0
    for number in range(parquet.metadata.num_row_groups):
        meta = parquet.metadata.row_group(number)
        yield Group(meta.column(0).statistics.min, start, start + meta.num_rows, parquet, number)
        start += meta.num_rows


@dataclass(frozen=True, slots=True)
class Group:
    """One problem's rows [start, stop) of a block of samples."""

    problem_id: str
    start: int
    stop: int
    parquet: Any
    number: int

    def read(self) -> pa.Table:
        """These rows alone, with the columns of `SAMPLES`; raises CorruptObjectError."""
        return _read(self.parquet, group=self.number)


def write_verdicts(graded_samples: Sequence[GradedSample], footer: VerdictFooter, key: str) -> bytes:
    """A block of verdicts as an object."""
    return _to_parquet(VERDICTS, graded_samples, footer, key, rows_a_group=len(graded_samples))


def read_verdicts(data: bytes, key: str) -> tuple[list[GradedSample], VerdictFooter]:
    """The verdicts of an object, in order; raises as `read_samples` does, but no checksum covers them."""
    table, footer = read_verdict_table(io.BytesIO(data), key, VERDICTS.names)
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return [GradedSample(problem, index, Verdict(verdict), *rest) for problem, index, verdict, *rest in rows], footer


def read_verdict_table(file: BinaryIO, key: str, columns: Sequence[str]) -> tuple[pa.Table, VerdictFooter]:
    """Some columns of a block of verdicts, fetching no others. Problems and verdicts come dictionary-encoded."""
    parquet, footer = _open(file, key, VERDICTS, VerdictFooter, dictionaries=("problem_id", "verdict"))
    return _read(parquet, columns), footer


def count_verdicts(table: pa.Table, below: int) -> dict[tuple[str, str], int]:
    """How often each (problem, verdict) occurs among the samples with an index below this."""
    together = table.unify_dictionaries().combine_chunks()
    problems, verdicts = (together[name].combine_chunks() for name in ("problem_id", "verdict"))
    kinds = len(verdicts.dictionary)
    pairs = _integers(problems.indices).astype(np.int64) * kinds + _integers(verdicts.indices)
    counts = np.bincount(
        pairs[_integers(together["index"].combine_chunks()) < below], minlength=kinds * len(problems.dictionary)
    )
    names = product(problems.dictionary.to_pylist(), verdicts.dictionary.to_pylist())
    return {name: int(count) for name, count in zip(names, counts, strict=True) if count}


def first_with(table: pa.Table, verdict: str) -> dict[str, int]:
    """The smallest index with this verdict of each problem that has one, of a table as `count_verdicts` takes it."""
    given = table.filter(pc.equal(table["verdict"].cast(pa.string()), verdict))
    problems, indices = given["problem_id"].cast(pa.string()).to_pylist(), given["index"].to_pylist()
    # In falling order of index, so that the smallest is what stays.
    return dict(sorted(zip(problems, indices, strict=True), reverse=True))


def count_equal(table: pa.Table, *, below: int) -> int:
    """How many verdicts at indices below `below` an equal program's execution gave: those on programs that cost no
    CPU time of their own. The table has the columns `index`, `verdict` and `cpu_s`."""
    verdicts = table["verdict"].cast(pa.string())
    unrun = pc.is_in(verdicts, value_set=pa.array([Verdict.NO_ANSWER.value, Verdict.INFRASTRUCTURE.value]))
    free = pc.and_(pc.equal(table["cpu_s"], 0.0), pc.less(table["index"], below))
    return int(pc.sum(pc.and_not(free, unrun)).as_py() or 0)


def verdict_footer(file: BinaryIO, key: str) -> VerdictFooter:
    """What a block of verdicts says of itself; reads the footer only. Raises as `read_samples` does."""
    return _open(file, key, VERDICTS, VerdictFooter)[1]


def _checksum(table: pa.Table) -> str:
    """Column by column, from Arrow's own memory: the indices as 32-bit integers; of the strings first how many bytes
    each has, then the bytes of all. No Python object is made for a row."""
    total = hashlib.sha256(table.num_rows.to_bytes(8, "little"))
    for chunk in table["index"].chunks:
        total.update(_integers(chunk).data)
    for name in ("problem_id", "text"):
        chunks = table[name].chunks
        for chunk in chunks:
            total.update(_integers(pc.binary_length(chunk)).data)
        for chunk in chunks:
            total.update(_bytes(chunk))
    return total.hexdigest()


def _integers(array: Any) -> np.ndarray[Any, np.dtype[np.int32]]:
    """The values of a column of 32-bit integers without nulls. Arrow's own `to_numpy` would first import pandas."""
    data = array.buffers()[1]
    if data is None or not len(array):
        return np.empty(0, np.int32)
    return np.frombuffer(data, np.int32)[array.offset : array.offset + len(array)]


def _bytes(strings: pa.StringArray) -> memoryview:
    """The bytes of all strings, one after another."""
    _, offsets, data = strings.buffers()
    ends = memoryview(offsets).cast("i")[strings.offset : strings.offset + len(strings) + 1]
    return memoryview(data)[ends[0] : ends[-1]] if data is not None and len(strings) else memoryview(b"")


def _to_table(schema: pa.Schema, rows: Sequence[Any]) -> pa.Table:
    columns = [pa.array(list(map(attrgetter(field.name), rows)), field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _to_parquet(
    schema: pa.Schema, rows: Sequence[Any], footer: SampleFooter | VerdictFooter, key: str, *, rows_a_group: int
) -> bytes:
    about = {"schema": SCHEMA, "key": key, **asdict(footer)}
    table = _to_table(schema, rows).replace_schema_metadata({_FOOTER: json.dumps(about).encode()})
    sink = io.BytesIO()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=_LEVEL,
        row_group_size=rows_a_group,
        write_page_checksum=True,
    )
    return sink.getvalue()


def _open(
    file: Any, key: str, schema: pa.Schema, kind: type[Footer], dictionaries: Sequence[str] = ()
) -> tuple[pq.ParquetFile, Footer]:
    try:
        # pre_buffer: columns that lie side by side come in one ranged read.
        parquet = pq.ParquetFile(
            file, read_dictionary=list(dictionaries), pre_buffer=True, page_checksum_verification=True
        )
    except (pa.ArrowException, OSError) as error:
        if not _is_damage(error):
            raise
        raise _damaged(error) from error
    about = _about(parquet.metadata.metadata or {})
    written_with = about.pop("schema", None)
    if not isinstance(written_with, int):
        raise CorruptObjectError("its footer names no schema")
    if written_with > SCHEMA:
        raise NewerSchemaError.of(key, written_with)
    if about.pop("key", None) != key:
        raise CorruptObjectError("it was written under another key")
    if parquet.schema_arrow.names != schema.names:
        raise CorruptObjectError(f"its columns are not those of schema {SCHEMA}")
    try:
        return parquet, kind(**about)
    except TypeError as error:
        raise CorruptObjectError("its footer lacks a field, or has one too many") from error


def _about(metadata: dict[bytes, bytes]) -> dict[str, Any]:
    if _FOOTER not in metadata:
        raise CorruptObjectError("it is a Parquet file, but none of ours")
    try:
        return dict(json.loads(metadata[_FOOTER]))
    except ValueError as error:
        raise CorruptObjectError("its footer is not JSON") from error


def _read(parquet: pq.ParquetFile, columns: Sequence[str] | None = None, group: int | None = None) -> pa.Table:
    wanted = None if columns is None else list(columns)
    try:
        # Threads of Arrow's own gain nothing on blocks this small, and a run reads several blocks at once.
        if group is None:
            return parquet.read(wanted, use_threads=False)
        return parquet.read_row_group(group, wanted, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        if not _is_damage(error):
            raise
        raise _damaged(error) from error


def _is_damage(error: Exception) -> bool:
    """What Arrow finds wrong with the bytes is damage. What kept the bytes from coming has a type or a number of its
    own, and is not: a store that is away for a moment must not get its objects set aside."""
    return isinstance(error, pa.ArrowException) or (type(error) is OSError and error.errno is None)


def _damaged(error: Exception) -> CorruptObjectError:
    return CorruptObjectError(f"it is torn or damaged ({' '.join(str(error).split())})")
