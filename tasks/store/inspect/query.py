"""Samples with the verdicts on them: a few, read without the rest of their set, or all, a block at a time."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from tasks.errors import UserError
from tasks.records import GradedSample, Sample, Verdict
from tasks.store import Store
from tasks.store.annotations import VERDICTS
from tasks.store.blocks import Block
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts, listed
from tasks.store.parquet import SAMPLE_KEY
from tasks.store.samples import LAYOUT, SampleFooter, read_sample_table, sample_groups
from tasks.store.schema import CorruptObjectError

_OF_SAMPLE = pa.schema([("engine", pa.string()), ("drawn_at", pa.string())])
_OF_VERDICT = pa.schema([field for field in VERDICTS.layout.schema if field.name not in SAMPLE_KEY])
EXPORTED = pa.schema([*LAYOUT.schema, *_OF_SAMPLE, *_OF_VERDICT])
"""Everything that is known about a sample; the verdict's columns are null where it is not graded."""


class Row(NamedTuple):
    """A sample and the verdict on it, None where it is not graded."""

    sample: Sample
    graded: GradedSample | None


def select(
    store: Store,
    samples: StoredSamples,
    verdicts: StoredVerdicts | None,
    *,
    problem: str | None = None,
    verdict: Verdict | None = None,
    index: int | None = None,
) -> Iterator[Row]:
    """The samples of a problem, with a verdict, or at an index; all of them where no filter is given.

    Fetches verdicts first, and of the samples only the problems with a match, one at a time as they are asked for.

    Raises:
        UserError: the set has no such problem, or an object is damaged.
    """
    found = False
    for block, footer in _in_order(samples):
        if index is not None and not block.start <= index < block.stop:
            continue
        if verdict is not None and not _counts(verdicts, block, footer).get(verdict):
            continue
        try:
            graded = _verdicts_on(store, verdicts, block, footer)
            with store.open(samples.objects.key(block)) as file:
                for group in sample_groups(file, samples.objects.key(block)):
                    if problem is None or group.problem_id == problem:
                        of_group = None if graded is None else graded.slice(group.start, group.stop - group.start)
                        wanted = _wanted(of_group, block, verdict, index)
                        if pc.any(wanted).as_py():
                            found = True
                            table, key = group.read(), samples.objects.key(block)
                            if verdicts is not None and of_group is not None:
                                _align(table, of_group, verdicts.objects.key(block))
                            yield from _rows(table, of_group, wanted, key)
        except CorruptObjectError as error:
            raise _damaged(store, error.key, error.reason) from error
    if problem is not None and not found:
        known = problem_ids(store, samples)
        if problem not in known:
            raise UserError(f"{samples.name} has no problem {problem!r}; it has {listed(known)}")


def problem_ids(store: Store, samples: StoredSamples) -> list[str]:
    """The problems of a set, in order; reads footers only."""
    known: dict[str, None] = {}
    for block, _ in _in_order(samples):
        with store.open(samples.objects.key(block)) as file:
            known |= dict.fromkeys(group.problem_id for group in sample_groups(file, samples.objects.key(block)))
    return list(known)


def blocks_with_verdicts(store: Store, samples: StoredSamples, verdicts: StoredVerdicts | None) -> Iterator[pa.Table]:
    """A table with the columns of `EXPORTED` for each block, in order of problems; never more than one is held.

    Raises:
        UserError: a block is damaged: what is left would pass for the whole.
    """
    for block, reason in samples.objects.damaged.items():
        raise _damaged(store, samples.objects.key(block), reason)
    for block, footer in _in_order(samples):
        key = samples.objects.key(block)
        try:
            table, _ = read_sample_table(store.read(key), key)
            LAYOUT.check_values(table, key)
            graded = _verdicts_on(store, verdicts, block, footer)
            if verdicts is not None and graded is not None:
                _align(table, graded, verdicts.objects.key(block))
        except CorruptObjectError as error:
            raise _damaged(store, error.key, error.reason) from error
        columns = [*table.columns, *(_constant(value, table) for value in (footer.engine, footer.drawn_at))]
        columns += [
            pa.nulls(table.num_rows, field.type) if graded is None else graded[field.name].cast(field.type)
            for field in _OF_VERDICT
        ]
        yield pa.Table.from_arrays(columns, schema=EXPORTED)


def _in_order(samples: StoredSamples) -> list[tuple[Block, SampleFooter]]:
    """By problem first, where a sweep goes by index first."""
    return sorted(samples.objects.footers.items(), key=lambda item: (item[0].first, item[0].start))


def _counts(verdicts: StoredVerdicts | None, block: Block, samples: SampleFooter) -> dict[str, int]:
    footer = None if verdicts is None else verdicts.objects.footers.get(block)
    return {} if footer is None or footer.samples_checksum != samples.checksum else footer.counts


def _verdicts_on(store: Store, verdicts: StoredVerdicts | None, block: Block, samples: SampleFooter) -> pa.Table | None:
    """The verdicts on a block; None where it has none, or they are on other samples."""
    if verdicts is None or not _counts(verdicts, block, samples):
        return None
    key = verdicts.objects.key(block)
    with store.open(key) as file:
        table, footer = VERDICTS.read_table(file, key, VERDICTS.layout.names)
    return table if footer.samples_checksum == samples.checksum else None


def _wanted(graded: pa.Table | None, block: Block, verdict: Verdict | None, index: int | None) -> Any:
    """Which rows of one problem are asked for, as a mask."""
    indices = pa.array(block.indices, pa.int32())
    wanted = pc.equal(indices, indices if index is None else pa.scalar(index, pa.int32()))
    if verdict is not None and graded is not None:
        wanted = pc.and_(wanted, pc.equal(graded["verdict"].cast(pa.string()).combine_chunks(), verdict.value))
    return wanted


def _rows(samples: pa.Table, graded: pa.Table | None, wanted: Any, key: str) -> Iterator[Row]:
    of_samples = LAYOUT.to_records(samples.filter(wanted), key)
    if graded is None:
        yield from (Row(sample, None) for sample in of_samples)
        return
    verdicts = VERDICTS.layout.to_records(graded.filter(wanted), key)
    yield from (Row(*pair) for pair in zip(of_samples, verdicts, strict=True))


def _align(samples: pa.Table, graded: pa.Table, key: str) -> None:
    for name in SAMPLE_KEY:
        if not samples[name].equals(graded[name].cast(samples[name].type)):
            raise CorruptObjectError(key, "its verdicts are on other samples than those stored")


def _constant(value: str, table: pa.Table) -> Any:
    return pa.repeat(pa.scalar(value), table.num_rows)


def _damaged(store: Store, key: str, reason: str) -> UserError:
    return UserError(
        f"store: {store.url(key)} cannot be read: {reason}; `monkeys check` says more, the next sweep replaces it"
    )
