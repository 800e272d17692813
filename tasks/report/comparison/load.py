"""Loads the sets to compare: stored sets, and files of counts."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.files.answer_usage import is_answer_table, read_answer_usage
from tasks.files.counts import read_counts_file
from tasks.provers import UNCONFIRMED
from tasks.scaling.comparison import Comparison, compare
from tasks.scaling.estimators import Counts
from tasks.scaling.summary import SweepSummary
from tasks.store import Store
from tasks.store.inspect.catalog import StoredSamples, find
from tasks.store.inspect.counts import counts_and_summary

_MAX_SETTINGS = 2


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
    """Read the sets, with labels that tell them apart; the store is opened only if one of them is stored.

    Raises:
        UserError: a set cannot be read, was sampled with budget `solve`, or has no verdicts.
    """
    store = None if all(map(is_file, names)) else open_store()
    sets = [
        _from_file(Path(name)) if store is None or is_file(name) else _stored(store, name, verdicts) for name in names
    ]
    return _told_apart(sets)


def _told_apart(sets: Sequence[NamedCounts]) -> tuple[NamedCounts, ...]:
    """The sets with labels that differ.

    Those that share one are called by the sampling parameters in which they differ, such as `programs-programs,
    temperature 0.6`, if they differ in one or two of these and in nothing else, and otherwise by their full names.
    """
    groups: dict[str, list[NamedCounts]] = {}
    for each in sets:
        groups.setdefault(each.label, []).append(each)
    labels = {label: [label] if len(group) == 1 else _labels(label, group) for label, group in groups.items()}
    return tuple(replace(each, label=labels[each.label].pop(0)) for each in sets)


def _labels(label: str, group: Sequence[NamedCounts]) -> list[str]:
    settings = [_sampling(each) for each in group]
    names = [name for name in settings[0] if len({each.get(name) for each in settings}) > 1]
    rest = [_without(each, names) for each in group]
    if 1 <= len(names) <= _MAX_SETTINGS and all(each is not None and each == rest[0] for each in rest):
        told = [", ".join([label, *(f"{name} {each[name]:g}" for name in names)]) for each in settings]
        if len(set(told)) == len(group):
            return told
    return [each.name for each in group]


def _without(of: NamedCounts, names: Collection[str]) -> dict[str, Any] | None:
    """What a stored set depends on, other than some sampling parameters; None where there are none or it lacks one."""
    if of.stored is None or not names or not set(names) <= _sampling(of).keys():
        return None
    ingredients = dict(of.stored.samples.ingredients)
    sampling = {name: value for name, value in ingredients["sampling"].items() if name not in names}
    return ingredients | {"sampling": sampling}


def _sampling(of: NamedCounts) -> dict[str, float]:
    """The sampling parameters of a stored set that are numbers."""
    found: Any = None if of.stored is None else of.stored.samples.ingredients.get("sampling")
    if not isinstance(found, dict):
        return {}
    return {
        name: float(value)
        for name, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


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
    label = f"{samples.label} ({UNCONFIRMED})" if graded.unconfirmed else samples.label
    return NamedCounts(label, samples.name, counts, StoredSet(store, samples, summary))
