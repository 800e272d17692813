"""What changes when the same samples are graded in another way: by verdict, by problem, and sample by sample."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from tasks.records import Verdict
from tasks.store import Store
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts
from tasks.store.parquet import SAMPLE_KEY
from tasks.store.schema import CorruptObjectError

_SAMPLE_KEY = dict(zip(SAMPLE_KEY, (pa.string(), pa.int32()), strict=True))


@dataclass(frozen=True, slots=True)
class Change:
    """A sample whose verdict has changed."""

    problem_id: str
    index: int
    before: str
    after: str


class ProblemChange(NamedTuple):
    """A problem's correct samples before and after, of those graded both times, and how many changed verdict."""

    problem_id: str
    samples: int
    correct_before: int
    correct_after: int
    changed: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Two sets of verdicts on the same samples. `verdicts` counts each pair (before, after); `changes` holds the
    first of the changed samples; `uncompared` counts stored samples that lack one of the two verdicts."""

    verdicts: dict[tuple[str, str], int]
    problems: tuple[ProblemChange, ...]
    changes: tuple[Change, ...]
    uncompared: int

    @property
    def samples(self) -> int:
        """How many samples have both verdicts."""
        return sum(self.verdicts.values())

    @property
    def changed(self) -> int:
        """How many samples have another verdict than before."""
        return sum(count for (before, after), count in self.verdicts.items() if before != after)


def difference(
    store: Store, samples: StoredSamples, before: StoredVerdicts, after: StoredVerdicts, max_changes: int | None
) -> Difference:
    """Compare two verdict sets block by block; list up to `max_changes` changed samples (None: all)."""
    pairs: Counter[tuple[str, str]] = Counter()
    by_problem: dict[str, Counter[tuple[str, str]]] = {}
    changes: list[Change] = []
    for table in _joined(store, samples, before, after):
        counted = table.group_by(["problem_id", "before", "after"], use_threads=False).aggregate([([], "count_all")])
        for row in counted.to_pylist():
            pair = row["before"], row["after"]
            pairs[pair] += row["count_all"]
            by_problem.setdefault(row["problem_id"], Counter())[pair] += row["count_all"]
        changed = table.filter(pc.not_equal(table["before"], table["after"]))
        left = None if max_changes is None else max_changes - len(changes)
        changes += [Change(**row) for row in changed.slice(0, left).to_pylist()]
    return Difference(
        verdicts=dict(pairs),
        problems=tuple(_of_problem(problem_id, of_problem) for problem_id, of_problem in by_problem.items()),
        changes=tuple(changes),
        uncompared=samples.samples - sum(pairs.values()),
    )


def _joined(store: Store, samples: StoredSamples, before: StoredVerdicts, after: StoredVerdicts) -> Iterator[pa.Table]:
    for block, _ in samples.in_order:
        one, other = (each.table(store, block, (*SAMPLE_KEY, "verdict")) for each in (before, after))
        if one is not None and other is not None:
            if not all(one[name].cast(kind).equals(other[name].cast(kind)) for name, kind in _SAMPLE_KEY.items()):
                raise CorruptObjectError(after.objects.key(block), "it has verdicts on other samples than those stored")
            sample_key = {name: one[name].cast(kind) for name, kind in _SAMPLE_KEY.items()}
            yield pa.table({**sample_key, "before": _names(one), "after": _names(other)})


def _names(table: pa.Table) -> Any:
    return table["verdict"].cast(pa.string())


def _of_problem(problem_id: str, pairs: Counter[tuple[str, str]]) -> ProblemChange:
    return ProblemChange(
        problem_id,
        samples=sum(pairs.values()),
        correct_before=sum(count for (before, _), count in pairs.items() if before == Verdict.CORRECT),
        correct_after=sum(count for (_, after), count in pairs.items() if after == Verdict.CORRECT),
        changed=sum(count for (before, after), count in pairs.items() if before != after),
    )
