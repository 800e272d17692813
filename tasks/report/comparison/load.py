"""Loads the sets to compare: stored sets, and files of counts."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.errors import UserError
from tasks.files.counts import read_counts_file
from tasks.scaling.comparison import Comparison, compare
from tasks.scaling.estimators import Counts
from tasks.store import Store
from tasks.store.inspect.catalog import find
from tasks.store.inspect.counts import counts


class NamedCounts(NamedTuple):
    """A set to compare: its short and its full name, and its counts."""

    label: str
    name: str
    counts: Counts


def is_file(name: str) -> bool:
    """Whether a name is that of a file of counts rather than of a stored set."""
    return name.lower().endswith(".csv") or Path(name).is_file()


def compared(names: Sequence[str], verdicts: str | None, open_store: Callable[[], Store]) -> Comparison:
    """Read the sets and compare them; the store is opened only if one of them is stored.

    Raises:
        UserError: a set cannot be read, was sampled with budget `solve`, or has no verdicts, or there are too few or
            too many sets.
    """
    store = None if all(map(is_file, names)) else open_store()
    sets = [
        _from_file(Path(name)) if store is None or is_file(name) else _stored(store, name, verdicts) for name in names
    ]
    short = Counter(each.label for each in sets)
    return compare([(each.label if short[each.label] == 1 else each.name, each.counts) for each in sets])


def _from_file(path: Path) -> NamedCounts:
    return NamedCounts(path.stem, str(path), read_counts_file(path))


def _stored(store: Store, name: str, verdicts: str | None) -> NamedCounts:
    samples = find(store, name)
    graded = samples.graded_by(verdicts)
    if graded is None:
        raise UserError(f"{samples.name} has not been graded yet; run its sweep, or `monkeys regrade`")
    return NamedCounts(samples.label, samples.name, counts(store, samples, graded))
