"""Loads the sets to compare: stored sets, and files of counts."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.errors import UserError
from tasks.files.answer_usage import is_answer_table, read_answer_usage
from tasks.files.counts import read_counts_file
from tasks.scaling.comparison import Comparison, compare
from tasks.scaling.estimators import Counts
from tasks.scaling.summary import SweepSummary
from tasks.store import Store
from tasks.store.inspect.catalog import StoredSamples, find
from tasks.store.inspect.counts import counts_and_summary


@dataclass(frozen=True, slots=True)
class StoredSet:
    """Where a set is stored, and the summary of the latest report on its verdicts, if there is one."""

    store: Store
    samples: StoredSamples
    summary: SweepSummary | None


@dataclass(frozen=True, slots=True)
class NamedCounts:
    """A set to compare: its short and its full name, and its counts. `stored` is None for a file of counts, whose full
    name is its path."""

    label: str
    name: str
    counts: Counts
    stored: StoredSet | None = None


def is_file(name: str) -> bool:
    """Whether a name is that of a file of counts or of answers rather than of a stored set."""
    return name.lower().endswith(".csv") or Path(name).is_file()


def read_sets(names: Sequence[str], verdicts: str | None, open_store: Callable[[], Store]) -> tuple[NamedCounts, ...]:
    """Read the sets, and call those by their full names whose short ones are the same; the store is opened only if one
    of them is stored.

    Raises:
        UserError: a set cannot be read, was sampled with budget `solve`, or has no verdicts.
    """
    store = None if all(map(is_file, names)) else open_store()
    sets = [
        _from_file(Path(name)) if store is None or is_file(name) else _stored(store, name, verdicts) for name in names
    ]
    short = Counter(each.label for each in sets)
    return tuple(each if short[each.label] == 1 else replace(each, label=each.name) for each in sets)


def compared(sets: Sequence[NamedCounts]) -> Comparison:
    """The sets by their coverage.

    Raises:
        UserError: there are too few or too many sets, or one is given twice.
    """
    return compare([(each.label, each.counts) for each in sets])


def _from_file(path: Path) -> NamedCounts:
    counts = read_answer_usage(path).counts if is_answer_table(path) else read_counts_file(path)
    return NamedCounts(path.stem, str(path), counts)


def _stored(store: Store, name: str, verdicts: str | None) -> NamedCounts:
    samples = find(store, name)
    graded = samples.graded_by(verdicts)
    if graded is None:
        raise UserError(f"{samples.name} has not been graded yet; run its sweep, or `monkeys regrade`")
    counts, summary = counts_and_summary(store, samples, graded)
    return NamedCounts(samples.label, samples.name, counts, StoredSet(store, samples, summary))
