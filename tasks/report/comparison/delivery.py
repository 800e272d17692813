"""What ways of picking an answer deliver of several sets, next to their coverage."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tasks.errors import UserError
from tasks.report.comparison.load import NamedCounts
from tasks.report.phrases import visible
from tasks.report.picking.of_sweep import ERROR
from tasks.report.picking.outcomes import Prepared
from tasks.report.picking.phrases import ends, share
from tasks.report.sweep.tables import to_csv
from tasks.scaling.arrays import Floats, finite_or_none
from tasks.scaling.estimators import Counts
from tasks.scaling.interval_over_problems import interval_of_mean
from tasks.selection import Outcomes
from tasks.selection.available import available
from tasks.selection.curves import pick_curve
from tasks.selection.summary import table_ks


class DeliveredPoint(NamedTuple):
    """Accuracy (or coverage) of one set at one k, with its interval over problems."""

    set: str
    way: str
    k: int
    value: float
    low: float | None
    high: float | None


class Delivered(NamedTuple):
    """Coverage of every set, and the accuracy of every way of picking that all sets can give, on the `problems` that
    they share; `notes` are whole sentences."""

    points: tuple[DeliveredPoint, ...]
    problems: int
    notes: tuple[str, ...]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each set and way, with text in the cells; the interval is for the largest k."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for point in self.points:
            row = found.setdefault((point.way, point.set), {"way": visible(point.way), "set": visible(point.set)})
            row.pop("over problems", None)
            row |= {f"k = {point.k:,}": share(point.value), "over problems": ends(point.low, point.high)}
        return list(found.values())

    def csv(self) -> str:
        """`set,way,k,accuracy,low,high`."""
        return to_csv(("set", "way", "k", "accuracy", "low", "high"), self.points)


def delivered(sets: Sequence[NamedCounts], read: Callable[[str], Prepared]) -> Delivered | str:
    """What ways of picking deliver of stored sets.

    Args:
        sets: the sets.
        read: the graded samples of a stored set by its name; raises UserError.

    Returns:
        Why it is not known, in one sentence; empty where a set is a table of counts, or no set has anything to pick by.
    """
    if any(each.stored is None for each in sets):
        return ""
    try:
        found = [read(each.name) for each in sets]
    except UserError as error:
        return f"What ways of picking deliver is not known: {error}"
    by_id = [{problem.problem_id: problem for problem in each.problems} for each in found]
    shared = [name for name in by_id[0] if all(name in others for others in by_id[1:])]
    if not shared:
        return "What ways of picking deliver is not compared: the sets share no problem."
    chosen = [[of[name] for name in shared] for of in by_id]
    selectors = [available(problems) for problems in chosen]
    common = [each for each in selectors[0] if all(each in others for others in selectors[1:])]
    if not any(selectors):
        return ""
    if not common:
        return "What ways of picking deliver is not compared: there is no way that all sets have the data for."
    ks = table_ks(min(problem.n for problems in chosen for problem in problems))
    points: list[DeliveredPoint] = []
    for each, problems in zip(sets, chosen, strict=True):
        points += _points(each.label, "coverage", ks, _counts(problems).pass_at_k(ks))
    for selector in common:
        for each, problems in zip(sets, chosen, strict=True):
            points += _points(each.label, selector.label, ks, pick_curve(selector, problems, ks, error=ERROR).each)
    notes = [f"{each.label}: {note}" for each, of in zip(sets, found, strict=True) for note in of.notes]
    return Delivered(tuple(points), len(shared), tuple(notes))


def _counts(problems: Sequence[Outcomes]) -> Counts:
    return Counts.of(
        [each.problem_id for each in problems],
        np.array([each.n for each in problems]),
        np.array([int(each.correct.sum()) for each in problems]),
    )


def _points(label: str, way: str, ks: Any, each: Floats) -> list[DeliveredPoint]:
    band = interval_of_mean(each)
    columns = (ks.tolist(), each.mean(axis=0).tolist(), finite_or_none(band.low), finite_or_none(band.high))
    return [DeliveredPoint(label, way, *row) for row in zip(*columns, strict=True)]
