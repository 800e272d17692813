"""Mixtures of two models: each problem gets i samples of one set and j of another, drawn independently, and is solved
if any of them is correct.

With pass@i of a problem in one set and pass@j in the other, both unbiased and independent, the estimate of the mixture,
1 - (1 - pass@i)(1 - pass@j), is unbiased too.
"""

from dataclasses import dataclass

import numpy as np

from tasks.costs.curves import CostCurve, Option, Part
from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.resampling import bootstrap_means_of, percentile_tail

# The values of k of either set that are combined.
_POINTS = 48


@dataclass(frozen=True, slots=True)
class Gain:
    """How much more a mixture solves than another option, with an interval over problems. Both options were chosen by
    the same data, so that the gain is optimistic where it is small."""

    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MixedPoint:
    """A mixture that no other way to spend beats in both cost and accuracy. `low` to `high` is the interval of its
    accuracy over problems, None where there is one problem; `alone` is the most that any one set solves at its cost
    (`best_accuracy_alone`). It was chosen among many by the same data, so that it is optimistic."""

    option: Option
    low: float | None
    high: float | None
    alone: float


def mixtures(first: CostCurve, second: CostCurve, points: int = _POINTS) -> list[Option]:
    """Every mixture of up to `points` values of k of two coverage curves, which have the same problems in the same
    order."""
    one, other = ((curve, _some(curve.ks, points)) for curve in (first, second))
    failures = [1 - curve.accuracy[:, rows] for curve, rows in (one, other)]
    accuracy = 1 - failures[0].T @ failures[1] / len(first.problem_ids)
    costs = np.add.outer(*(curve.total_cost[rows] for curve, rows in (one, other)))
    parts = [[Part(curve.label, k) for k in curve.ks[rows].tolist()] for curve, rows in (one, other)]
    return [
        Option((parts[0][i], parts[1][j]), float(costs[i, j]), float(accuracy[i, j]))
        for i, j in np.ndindex(accuracy.shape)
    ]


def gain(curves: tuple[CostCurve, ...], mixture: Option, alone: Option, level: float, seed: int = 0) -> Gain:
    """How much more a mixture solves than samples of one set; both are made of these curves."""
    difference = accuracy_of(curves, mixture) - accuracy_of(curves, alone)
    tail = percentile_tail(level, len(difference))
    low, high = np.quantile(bootstrap_means_of(difference[:, None], seed=seed), [tail, 1 - tail])
    return Gain(float(difference.mean()), float(low), float(high))


def accuracy_of(curves: tuple[CostCurve, ...], option: Option) -> Floats:
    """The accuracy of each problem, shape (problems,)."""
    of = {curve.label: curve for curve in curves}
    failure = np.ones(len(curves[0].problem_ids))
    for label, k in option.parts:
        curve = of[label]
        failure = failure * (1 - curve.accuracy[:, int(np.searchsorted(curve.ks, k))])
    return 1 - failure


def _some(ks: Ints, points: int) -> Ints:
    """Positions of at most `points` values, evenly spaced in log k."""
    wanted = np.geomspace(ks[0], ks[-1], min(points, len(ks)))
    return np.unique(np.clip(np.searchsorted(ks, wanted * (1 - 1e-12)), 0, len(ks) - 1)).astype(np.int64)
