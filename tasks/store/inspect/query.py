"""Samples with the verdicts and scores on them: a few, read without the rest of their set, or all, block by block."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from tasks.errors import UserError
from tasks.records import GradedSample, Sample, ScoredSample, Verdict
from tasks.store import Store
from tasks.store.annotations import SCORES, VERDICTS, ScoreFooter, check_same_samples
from tasks.store.blocks import Block
from tasks.store.inspect.catalog import StoredAnnotations, StoredSamples, StoredVerdicts, listed
from tasks.store.parquet import SAMPLE_KEY
from tasks.store.sample_layout import LAYOUT
from tasks.store.samples import read_sample_table, sample_groups
from tasks.store.schema import CorruptObjectError

_OF_SAMPLE = pa.schema([("engine", pa.string()), ("drawn_at", pa.string())])
_OF_VERDICT = {field.name: field for field in VERDICTS.layout.schema if field.name not in SAMPLE_KEY}
# A score's column gets a prefix if a verdict has one of the same name: `score_detail`.
_OF_SCORE = {
    f"score_{field.name}" if field.name in _OF_VERDICT else field.name: field
    for field in SCORES.layout.schema
    if field.name not in SAMPLE_KEY
}
_ANNOTATIONS = [pa.field(name, field.type) for name, field in (*_OF_VERDICT.items(), *_OF_SCORE.items())]
EXPORTED = pa.schema([*LAYOUT.schema, *_OF_SAMPLE, *_ANNOTATIONS])
"""Everything that is known about a sample; the columns of verdict and score are null where it has none."""


class Row(NamedTuple):
    """A sample and the verdict on it, None where it is not graded."""

    sample: Sample
    graded: GradedSample | None


class ScoredRow(NamedTuple):
    """A sample, its verdict, and its score; None where it has none."""

    sample: Sample
    graded: GradedSample | None
    scored: ScoredSample | None


def select(
    store: Store,
    samples: StoredSamples,
    verdicts: StoredVerdicts | None,
    *,
    problem: str | None = None,
    verdict: Verdict | None = None,
    index: int | None = None,
) -> Iterator[Row]:
    """As `select_scored`, without scores."""
    for row in select_scored(store, samples, verdicts, None, problem=problem, verdict=verdict, index=index):
        yield Row(row.sample, row.graded)


def select_scored(
    store: Store,
    samples: StoredSamples,
    verdicts: StoredVerdicts | None,
    scores: StoredAnnotations[ScoreFooter] | None,
    *,
    problem: str | None = None,
    verdict: Verdict | None = None,
    index: int | None = None,
) -> Iterator[ScoredRow]:
    """The samples of a problem, with a verdict, or at an index; all of them where no filter is given.

    Fetches verdicts and scores first, and of the samples only the problems with a match, one at a time as they are
    asked for.

    Raises:
        UserError: the set has no such problem, or an object is damaged.
    """
    position = None if problem is None else position_of(store, samples, problem)
    for block, _ in samples.in_order:
        if position is not None and position not in block.positions:
            continue
        if index is not None and not block.start <= index < block.stop:
            continue
        if verdict is not None and not _has(verdicts, block, verdict):
            continue
        try:
            graded, scored = (_table(store, each, block) for each in (verdicts, scores))
            with store.open(samples.objects.key(block)) as file:
                for group in sample_groups(file, samples.objects.key(block)):
                    if problem is None or group.problem_id == problem:
                        of_group = [
                            None if each is None else each.slice(group.start, group.stop - group.start)
                            for each in (graded, scored)
                        ]
                        wanted = _wanted(of_group[0], block, verdict, index)
                        if pc.any(wanted).as_py():
                            table, key = group.read(), samples.objects.key(block)
                            for annotations, part in zip((verdicts, scores), of_group, strict=True):
                                if annotations is not None and part is not None:
                                    check_same_samples(table, part, annotations.objects.key(block))
                            yield from _rows(table, *of_group, wanted=wanted, key=key)
        except CorruptObjectError as error:
            raise _damaged(store, error.key, error.reason) from error


def only_with(samples: StoredSamples, position: int, index: int) -> StoredSamples:
    """A set as if it had the block of one sample alone, or none where no block has it: a search through its blocks then
    opens no others."""
    objects = samples.objects
    footers = {
        block: footer
        for block, footer in objects.footers.items()
        if position in block.positions and index in block.indices
    }
    return replace(samples, objects=replace(objects, footers=footers))


def problem_ids(store: Store, samples: StoredSamples) -> list[str]:
    """The problems of a set, in the order of the dataset; reads footers only."""
    return [problem_id for _, problem_id in sorted(_problems(store, samples))]


def position_of(store: Store, samples: StoredSamples, problem: str) -> int:
    """Where a problem is in the dataset; reads footers up to the first that has it.

    Raises:
        UserError: the set has no such problem, or an object is damaged.
    """
    known: list[str] = []
    try:
        for position, problem_id in _problems(store, samples):
            if problem_id == problem:
                return position
            known.append(problem_id)
    except CorruptObjectError as error:
        raise _damaged(store, error.key, error.reason) from error
    raise UserError(f"{samples.name} has no problem {problem!r}; it has {listed(known)}")


def _problems(store: Store, samples: StoredSamples) -> Iterator[tuple[int, str]]:
    """Each problem once, with its position in the dataset; reads footers of blocks with further problems only."""
    known: set[int] = set()
    for block, _ in samples.in_order:
        if known.issuperset(block.positions):
            continue
        key = samples.objects.key(block)
        with store.open(key) as file:
            for position, group in zip(block.positions, sample_groups(file, key), strict=True):
                if position not in known:
                    known.add(position)
                    yield position, group.problem_id


def annotated_blocks(
    store: Store,
    samples: StoredSamples,
    verdicts: StoredVerdicts | None,
    scores: StoredAnnotations[ScoreFooter] | None = None,
) -> Iterator[pa.Table]:
    """A table with the columns of `EXPORTED` for each block, in order of problems; never more than one is held.

    Raises:
        UserError: a block is damaged: what is left would pass for the whole.
    """
    for objects in (each.objects for each in (samples, verdicts, scores) if each is not None):
        for key, reason in objects.faults.items():
            raise _damaged(store, key, reason)
    for block, footer in samples.in_order:
        key = samples.objects.key(block)
        try:
            table, _ = read_sample_table(store.read(key), key)
            LAYOUT.check_values(table, key)
            graded, scored = (_table(store, each, block) for each in (verdicts, scores))
            for annotations, found in ((verdicts, graded), (scores, scored)):
                if annotations is not None and found is not None:
                    check_same_samples(table, found, annotations.objects.key(block))
        except CorruptObjectError as error:
            raise _damaged(store, error.key, error.reason) from error
        columns = [*table.columns, *(_constant(value, table) for value in (footer.engine, footer.drawn_at))]
        columns += [
            pa.nulls(table.num_rows, field.type) if found is None else found[field.name].cast(field.type)
            for found, fields in ((graded, _OF_VERDICT), (scored, _OF_SCORE))
            for field in fields.values()
        ]
        yield pa.Table.from_arrays(columns, schema=EXPORTED)


def _has(verdicts: StoredVerdicts | None, block: Block, verdict: Verdict) -> bool:
    footer = None if verdicts is None else verdicts.current.get(block)
    return footer is not None and bool(footer.counts.get(verdict))


def _table(store: Store, annotations: StoredAnnotations[Any] | None, block: Block) -> pa.Table | None:
    """All columns of the verdicts or scores on a block, if there are any on the stored samples."""
    return None if annotations is None else annotations.table(store, block, annotations.kind.layout.names)


def _wanted(graded: pa.Table | None, block: Block, verdict: Verdict | None, index: int | None) -> Any:
    """Which rows of one problem are asked for, as a mask."""
    indices = pa.array(block.indices, pa.int32())
    wanted = pc.equal(indices, indices if index is None else pa.scalar(index, pa.int32()))
    if verdict is not None and graded is not None:
        wanted = pc.and_(wanted, pc.equal(graded["verdict"].cast(pa.string()).combine_chunks(), verdict.value))
    return wanted


def _rows(
    samples: pa.Table, graded: pa.Table | None, scored: pa.Table | None, *, wanted: Any, key: str
) -> Iterator[ScoredRow]:
    of_samples = LAYOUT.to_records(samples.filter(wanted), key)
    nothing: list[None] = [None] * len(of_samples)
    verdicts = nothing if graded is None else VERDICTS.layout.to_records(graded.filter(wanted), key)
    scores = nothing if scored is None else SCORES.layout.to_records(scored.filter(wanted), key)
    yield from (ScoredRow(*of_sample) for of_sample in zip(of_samples, verdicts, scores, strict=True))


def _constant(value: str, table: pa.Table) -> Any:
    return pa.repeat(pa.scalar(value), table.num_rows)


def _damaged(store: Store, key: str, reason: str) -> UserError:
    return UserError(
        f"store: {store.url(key)} cannot be read: {reason}; `monkeys check` says more, the next sweep replaces it"
    )
