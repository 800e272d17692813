"""Two sets by cost: where one overtakes the other, and how cheaply one matches what the other solves with its fewest
samples, as five samples of a cheap model may match one of a dear model."""

from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from tasks.costs.candidates import Candidates
from tasks.costs.curves import Option, ResampledCurve
from tasks.costs.frontier import cheapest, least_cost
from tasks.scaling.arrays import Floats
from tasks.scaling.sign_changes import sign_changes_with_intervals

# Costs at which two curves are compared.
_COSTS = 200


@dataclass(frozen=True, slots=True)
class CostCrossing:
    """The cost at which `label` overtakes `other`; `share` of the resamples cross that way too, and `low` to `high` is
    where the middle of those do."""

    label: str
    other: str
    cost: float
    low: float
    high: float
    share: float


@dataclass(frozen=True, slots=True)
class Match:
    """The cheapest way in which `option` solves what the first option of another set does (`other`), at `ratio` of its
    cost; `low` to `high` is an interval of the ratio, None where some of it is beyond the samples."""

    option: Option
    other: Option
    ratio: float
    low: float | None
    high: float | None


def crossings(of: Candidates) -> tuple[CostCrossing, ...]:
    """Where one set overtakes another, at costs at which both were measured. Between two values of k, a curve is a
    straight line: some problems get the one, some the other."""
    if of.drawn is None:
        return ()
    found: list[CostCrossing] = []
    for (first, of_first), (second, of_second) in combinations(zip(of.curves, of.drawn, strict=True), 2):
        low = max(first.total_cost[0], second.total_cost[0])
        high = min(first.total_cost[-1], second.total_cost[-1])
        if not 0 < low < high:
            continue
        at = np.geomspace(low, high, _COSTS)
        gap = np.interp(at, second.total_cost, second.mean_accuracy) - np.interp(
            at, first.total_cost, first.mean_accuracy
        )
        for change in sign_changes_with_intervals(at, gap, _at(of_second, at) - _at(of_first, at), of.tail):
            labels = (second.label, first.label) if change.upwards else (first.label, second.label)
            found.append(CostCrossing(*labels, change.x, change.low, change.high, change.share))
    return tuple(found)


def matches(of: Candidates) -> tuple[Match, ...]:
    """For each two sets, the cheapest way in which one solves what the other does at its first k, where that costs
    less."""
    found = []
    for (i, one), (j, other) in permutations(enumerate(of.curves), 2):
        target = other.options()[0]
        option = cheapest(one.options(), target.accuracy)
        if option is None or target.accuracy <= 0 or option.cost >= target.cost:
            continue
        low, high = (None, None) if of.drawn is None else of.ends(_ratios(of.drawn[i], of.drawn[j]))
        found.append(Match(option, target, option.cost / target.cost, low, high))
    return tuple(found)


def _at(curve: ResampledCurve, costs: Floats) -> Floats:
    """The accuracy of each resample at each cost, shape (resamples, costs)."""
    rows = zip(curve.cost, curve.accuracy, strict=True)
    return np.array([np.interp(costs, cost, accuracy) for cost, accuracy in rows])


def _ratios(one: ResampledCurve, other: ResampledCurve) -> Floats:
    """The least cost at which one solves what the other does at its first k, by the cost of that: (resamples,)."""
    return least_cost((one,), other.accuracy[:, :1]) / other.cost[:, 0]
