"""What ways of picking an answer deliver of several sets, next to their coverage, and how sets differ in it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tasks.errors import UserError
from tasks.report.comparison.load import NamedCounts
from tasks.report.comparison.phrases import chance, points, span
from tasks.report.phrases import visible
from tasks.report.picking.of_sweep import ERROR
from tasks.report.picking.outcomes import Prepared
from tasks.report.picking.phrases import ends, share
from tasks.report.sweep.tables import to_csv
from tasks.scaling.arrays import Floats, finite_or_none
from tasks.scaling.estimators import Counts
from tasks.scaling.interval_over_problems import interval_of_mean
from tasks.scaling.paired_differences import Difference, differences_of
from tasks.selection import Outcomes, Selector
from tasks.selection.available import available
from tasks.selection.curves import PickCurve, pick_curve
from tasks.selection.interval_over_samples import variance_over_samples
from tasks.selection.summary import table_ks


class DeliveredPoint(NamedTuple):
    """Accuracy (or coverage) of one set at one k, with its interval over problems."""

    set: str
    way: str
    k: int
    value: float
    low: float | None
    high: float | None


class DeliveredDifference(NamedTuple):
    """Accuracy of one set at one k less that of the reference, as in `Difference`."""

    set: str
    way: str
    k: int
    difference: float
    low: float
    high: float
    p: float


class Delivered(NamedTuple):
    """Coverage of every set, and the accuracy of every way of picking that all sets can give, on the `problems` that
    they share, and the paired `differences` of accuracy from the first set, none for a single problem; `notes` are
    whole sentences. `best` is the way that delivers most at the largest k, on average over the sets."""

    points: tuple[DeliveredPoint, ...]
    problems: int
    notes: tuple[str, ...]
    differences: tuple[DeliveredDifference, ...] = ()
    best: Selector | None = None

    def rows(self) -> list[dict[str, Any]]:
        """A row for each set and way, with text in the cells; the interval is for the largest k."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for point in self.points:
            row = found.setdefault((point.way, point.set), {"way": visible(point.way), "set": visible(point.set)})
            row.pop("over problems", None)
            row |= {f"k = {point.k:,}": share(point.value), "over problems": ends(point.low, point.high)}
        return list(found.values())

    def difference_rows(self) -> list[dict[str, Any]]:
        """A row for each set but the first and way, in percentage points; interval and p are for the largest k."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for each in self.differences:
            row = found.setdefault((each.way, each.set), {"way": visible(each.way), "set": visible(each.set)})
            row.pop("interval", None)
            row.pop("p", None)
            gap = Difference(each.k, each.difference, each.low, each.high, each.p)
            row |= {f"k = {each.k:,}": points(gap.difference), "interval": span(gap), "p": chance(gap.p)}
        return list(found.values())

    def csv(self) -> str:
        """`set,way,k,accuracy,low,high`."""
        return to_csv(("set", "way", "k", "accuracy", "low", "high"), self.points)

    def differences_csv(self) -> str:
        """`set,way,k,difference,low,high,p`: the accuracy of each set minus that of the first."""
        return to_csv(("set", "way", "k", "difference", "low", "high", "p"), self.differences)


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
    labels = [each.label for each in sets]
    delivered: list[DeliveredPoint] = []
    differences: list[DeliveredDifference] = []
    for label, problems in zip(labels, chosen, strict=True):
        delivered += _points(label, "coverage", ks, _counts(problems).pass_at_k(ks))
    for selector in common:
        curves = [pick_curve(selector, problems, ks, error=ERROR) for problems in chosen]
        for label, curve in zip(labels, curves, strict=True):
            delivered += _points(label, selector.label, ks, curve.each)
        if len(shared) > 1:
            differences += _differences(selector, chosen, curves, labels)
    notes = [f"{each.label}: {note}" for each, of in zip(sets, found, strict=True) for note in of.notes]
    best = _best(common, delivered, int(ks[-1]))
    return Delivered(tuple(delivered), len(shared), tuple(notes), tuple(differences), best)


def _differences(
    selector: Selector, chosen: Sequence[Sequence[Outcomes]], curves: Sequence[PickCurve], labels: Sequence[str]
) -> list[DeliveredDifference]:
    """Each set less the first. The problems have the same order in all sets."""
    variances = [
        variance_over_samples(selector, problems, curve) for problems, curve in zip(chosen, curves, strict=True)
    ]
    found = []
    for label, curve, variance in zip(labels[1:], curves[1:], variances[1:], strict=True):
        gaps = curve.each - curves[0].each
        paired = differences_of(gaps, curve.ks, variance + variances[0], last=int(curve.ks[-1]))
        found += [
            DeliveredDifference(label, selector.label, each.k, each.difference, each.low, each.high, each.p)
            for each in paired
        ]
    return found


def _best(selectors: Sequence[Selector], points: Sequence[DeliveredPoint], k: int) -> Selector:
    """The way of picking that delivers most at this k, on average over the sets."""

    def total(selector: Selector) -> float:
        return sum(point.value for point in points if point.way == selector.label and point.k == k)

    return max(selectors, key=total)


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
