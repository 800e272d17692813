"""Blocks of annotations: one record for each sample of a block of samples, whose checksum the footer carries.

Verdicts are one kind and scores another. A further kind needs a record, a footer and an `AnnotationKind` in `KINDS`;
then its sets are written, listed, checked and garbage-collected as these are.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Generic, TypeVar

import pyarrow as pa

from tasks.records import GradedSample, ScoredSample, Verdict
from tasks.store.footer_fields import Count, Dollars, Seconds, Time, VerdictName
from tasks.store.parquet import SAMPLE_KEY, Column, Footer, Layout, Record
from tasks.store.schema import CorruptObjectError

_KEY = (Column("problem_id", pa.string()), Column("index", pa.int32()))


@dataclass(frozen=True, slots=True)
class AnnotationFooter(Footer):
    """What a block of annotations says about itself: the checksum of the samples that it is about, what made it (a
    sandbox, a scorer), when (UTC), and in how many seconds."""

    samples_checksum: str
    made_by: str
    written_at: Time
    seconds: Seconds

    @property
    def failed(self) -> int:
        """How many samples have to be tried again."""
        return 0

    @property
    def runs(self) -> tuple[tuple[str, float], ...]:
        """For each run that made annotations of the block, when it ended (UTC) and in how many seconds."""
        return ((self.written_at, self.seconds),)


@dataclass(frozen=True, slots=True)
class VerdictFooter(AnnotationFooter):
    """Of verdicts; `counts` says how often each was given.

    `seconds` are those of the grading that gave them. A block with failures is graded again as a whole, and then has
    the seconds of that grading alone, so that they always belong to all of its samples.
    """

    counts: dict[VerdictName, Count]

    def describes(self, samples: int) -> bool:
        """Whether each sample was given one verdict."""
        return sum(self.counts.values()) == samples

    @property
    def failed(self) -> int:
        """How many samples no sandbox managed to grade."""
        return self.counts.get(Verdict.INFRASTRUCTURE, 0)


@dataclass(frozen=True, slots=True)
class ScoreFooter(AnnotationFooter):
    """Of scores; `unscored` counts the samples that the scorer gave none.

    The others are what scoring the block used, in all runs that did: prompt and completion tokens, the sum of their
    context lengths (`tasks.scorers.Spent`), and dollars. None where the scorer does not know, as in blocks of schema
    1.1. Blocks that were scored at the same time share what they used.

    `seconds` are those of the last run; `earlier` has, for each run before it, when it ended (UTC) and its seconds.
    Blocks that were rescored before this field existed have the sum in `seconds`.
    """

    unscored: Count
    prompt_tokens: Count | None = None
    tokens: Count | None = None
    context: Count | None = None
    dollars: Dollars | None = None
    earlier: tuple[tuple[Time, Seconds], ...] = ()

    def describes(self, samples: int) -> bool:
        """Whether no more samples lack a score than there are."""
        return self.unscored <= samples

    @property
    def failed(self) -> int:
        """How many samples have no score."""
        return self.unscored

    @property
    def runs(self) -> tuple[tuple[str, float], ...]:
        """For each run that scored samples of the block, when it ended (UTC) and in how many seconds."""
        return (*self.earlier, (self.written_at, self.seconds))


AnyAnnotationFooter = TypeVar("AnyAnnotationFooter", bound=AnnotationFooter)


@dataclass(frozen=True, slots=True)
class AnnotationKind(Generic[Record, AnyAnnotationFooter]):
    """A kind of annotation: the folder of its sets, what makes them, and the layout of its blocks.

    `summary` gives the fields of the footer that follow from the rows; it uses the column `summarised` only.
    `dictionaries` are read dictionary-encoded.
    """

    folder: str
    made_by: str
    layout: Layout[Record, AnyAnnotationFooter]
    summarised: str
    summary: Callable[[pa.Table], dict[str, Any]]
    dictionaries: tuple[str, ...] = ("problem_id",)

    def write(
        self,
        records: Sequence[Record] | pa.Table,
        key: str,
        *,
        samples_checksum: str,
        made_by: str,
        written_at: str,
        seconds: float,
        more: Mapping[str, Any] | None = None,
    ) -> bytes:
        """A block of records, or of a table of them, as an object; `more` are fields that footers of this kind may
        have."""
        table = records if isinstance(records, pa.Table) else self.layout.to_table(records)
        footer = self.layout.footer(
            samples_checksum=samples_checksum,
            made_by=made_by,
            written_at=written_at,
            seconds=seconds,
            **self.summary(table),
            **(more or {}),
        )
        return self.layout.write(table, footer, key, rows_per_group=len(records))

    def read(self, data: bytes, key: str) -> tuple[list[Record], AnyAnnotationFooter]:
        """The records of an object, in order; raises as `Layout.open` does. No checksum covers them."""
        table, footer = self.read_table(io.BytesIO(data), key, self.layout.names)
        return self.layout.to_records(table, key), footer

    def read_table(self, file: BinaryIO, key: str, names: Sequence[str]) -> tuple[pa.Table, AnyAnnotationFooter]:
        """Some columns of a block, fetching no others; raises as `Layout.open` does."""
        block = self.layout.open(file, key, self.dictionaries)
        table = block.read(names)
        if self.summarised in names and any(
            getattr(block.footer, name) != value for name, value in self.summary(table).items()
        ):
            raise CorruptObjectError(key, "its footer does not match its rows")
        return table, block.footer

    def read_footer(self, file: BinaryIO, key: str) -> AnyAnnotationFooter:
        """What a block says about itself; reads the footer only."""
        return self.layout.open(file, key).footer


def check_same_samples(samples: pa.Table, annotations: pa.Table, key: str) -> None:
    """Make sure that annotations are about just these samples, in their order.

    Raises:
        CorruptObjectError: they are not; it names the key, that of the annotations.
    """
    for name in SAMPLE_KEY:
        plain = _plain(samples[name])
        if not plain.equals(annotations[name].cast(plain.type)):
            raise CorruptObjectError(key, "it is about other samples than those stored")


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Two dictionary-encoded columns are not equal if their dictionaries differ."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _count_verdicts(table: pa.Table) -> dict[str, Any]:
    counted = table["verdict"].cast(pa.string()).value_counts().to_pylist()
    return {"counts": {each["values"]: each["counts"] for each in sorted(counted, key=lambda each: each["values"])}}


def _count_unscored(table: pa.Table) -> dict[str, Any]:
    return {"unscored": table["score"].null_count}


VERDICTS = AnnotationKind(
    "verdicts",
    "grader",
    Layout(
        GradedSample,
        (
            *_KEY,
            Column("verdict", pa.string(), decode=Verdict, allowed=frozenset(Verdict)),
            Column("detail", pa.string()),
            Column("cpu_s", pa.float64()),
            Column("wall_s", pa.float64()),
            Column("answer", pa.string(), optional=True),
            Column("artifact", pa.string(), optional=True),
            Column("passed", pa.bool_(), optional=True),
        ),
        VerdictFooter,
    ),
    "verdict",
    _count_verdicts,
    ("problem_id", "verdict"),
)

SCORES = AnnotationKind(
    "scores",
    "scorer",
    Layout(
        ScoredSample,
        (*_KEY, Column("score", pa.float64(), nullable=True), Column("detail", pa.string())),
        ScoreFooter,
    ),
    "score",
    _count_unscored,
)

KINDS: tuple[AnnotationKind[Any, Any], ...] = (VERDICTS, SCORES)
"""Every kind that a store may hold."""
