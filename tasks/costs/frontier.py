"""The Pareto frontier of accuracy against cost: the options that no other one beats in both."""

from collections.abc import Iterable, Sequence

import numpy as np

from tasks.costs.curves import CostCurve, Option, ResampledCurve
from tasks.scaling.arrays import Floats

# Sums of floats may differ in their last digits, from each other and from the bound that a person writes.
_ROUNDING = 1e-12


def pareto(options: Iterable[Option]) -> tuple[Option, ...]:
    """The options such that no other costs at most as much and solves more, or costs less and solves as much; in order
    of cost, both rising strictly. To spend nothing and solve nothing is always an option, so those that solve nothing
    are left out. Of equal options, the first stays."""
    found: list[Option] = []
    reached = 0.0
    for option in sorted(options, key=lambda each: (each.cost, -each.accuracy)):
        if option.accuracy > reached + _ROUNDING:
            found.append(option)
            reached = option.accuracy
    return tuple(found)


def cheapest(options: Iterable[Option], accuracy: float) -> Option | None:
    """The cheapest way to solve at least this share of the problems; None where there is not one."""
    enough = [each for each in options if each.accuracy >= accuracy - _ROUNDING]
    return min(enough, key=lambda each: (each.cost, -each.accuracy), default=None)


def best(options: Iterable[Option], cost: float) -> Option | None:
    """The best use of a cost: the option that solves most for at most this much; None where all cost more."""
    affordable = [each for each in options if each.cost <= cost * (1 + _ROUNDING)]
    return max(affordable, key=lambda each: (each.accuracy, -each.cost), default=None)


def best_accuracy_alone(curves: Sequence[CostCurve], costs: Floats) -> Floats:
    """The largest accuracy of any one set at each cost, shape (costs,). Between two values of k, some problems get the
    one and some the other, so that a set is not worse for a cost that is just below its next k; 0 where every set costs
    more."""
    lines = [
        np.interp(costs * (1 + _ROUNDING), curve.total_cost, np.maximum.accumulate(curve.mean_accuracy), left=0.0)
        for curve in curves
    ]
    most: Floats = np.max(lines, axis=0)
    return most


def best_accuracy(curves: Sequence[ResampledCurve], costs: Floats) -> Floats:
    """The largest accuracy of each resampled curve within each cost, shape (curves, resamples, costs); 0 where every
    option costs more."""
    found = np.zeros((len(curves), len(curves[0].cost), len(costs)))
    for number, curve in enumerate(curves):
        reached = np.maximum.accumulate(curve.accuracy, axis=1)
        for row, (of_row, values) in enumerate(zip(curve.cost, reached, strict=True)):
            within = np.searchsorted(of_row, costs * (1 + _ROUNDING), side="right")
            found[number, row] = np.where(within > 0, values[np.maximum(within, 1) - 1], 0.0)
    return found


def least_cost(curves: Sequence[ResampledCurve], accuracy: float | Floats) -> Floats:
    """The least cost at which any of the curves solves this share, one for all resamples or one for each, of shape
    (resamples, 1); shape (resamples,), infinite where none does."""
    costs = [np.where(each.accuracy >= accuracy - _ROUNDING, each.cost, np.inf).min(axis=1) for each in curves]
    least: Floats = np.min(costs, axis=0)
    return least
