"""What a set of results gives at each k and what that costs, by problem: the input of a frontier."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tasks.costs.measures import LinearCost
from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Counts, log_spaced_ks, round_ks
from tasks.scaling.interval_over_problems import interval_of_mean, interval_over_problems
from tasks.scaling.resampling import bootstrap_means_of

# All k up to here, and beyond that as many values, evenly spaced in log k: within 2.4 % of each other up to 10,000.
_POINTS = 400
# Large sets get fewer values: at most this many numbers are kept of a curve, but at least `_MIN_POINTS` of a problem.
_MAX_NUMBERS = 8_000_000
_MIN_POINTS = 40


class Part(NamedTuple):
    """k samples per problem of the set with this label."""

    label: str
    k: int


class Option(NamedTuple):
    """A way to spend: samples of one set, or of several; the cost for all problems, and the share of them that it
    solves."""

    parts: tuple[Part, ...]
    cost: float
    accuracy: float


@dataclass(frozen=True, eq=False)
class CostCurve:
    """Accuracy at each k, with its cost.

    Args:
        label: what the set is called.
        problem_ids: the problems, in order.
        ks: rising values of k, shape (ks,).
        accuracy: coverage, or what a selector delivers, of each problem, shape (problems, ks); nothing is NaN.
        cost: what k samples of each problem cost.
        low: the lower end of an interval of the mean accuracy, shape (ks,); NaN where there is none.
        high: its upper end.
    """

    label: str
    problem_ids: tuple[str, ...]
    ks: Ints
    accuracy: Floats
    cost: LinearCost
    low: Floats
    high: Floats

    @cached_property
    def mean_accuracy(self) -> Floats:
        """The mean over problems, shape (ks,)."""
        mean: Floats = self.accuracy.mean(axis=0, dtype=np.longdouble).astype(np.float64)
        return mean

    @cached_property
    def total_cost(self) -> Floats:
        """The cost for all problems, shape (ks,)."""
        total: Floats = self.cost.fixed.sum() + self.ks * self.cost.each.sum()
        return total

    def options(self) -> list[Option]:
        """One for each k."""
        columns = (self.ks.tolist(), self.total_cost.tolist(), self.mean_accuracy.tolist())
        return [Option((Part(self.label, k),), cost, accuracy) for k, cost, accuracy in zip(*columns, strict=True)]


def coverage_curve(label: str, counts: Counts, cost: LinearCost, ks: ArrayLike | None = None) -> CostCurve:
    """Coverage against cost, with its interval over problems.

    Args:
        label: what the set is called.
        counts: of graded samples; every problem has one at least.
        cost: of the same problems, in the same order.
        ks: the values of k; None takes all up to 400, or 400 in the range of the samples, or fewer of large sets.
    """
    if ks is None:
        last = counts.reach
        points = int(np.clip(_MAX_NUMBERS // len(counts), _MIN_POINTS, _POINTS))
        wanted = np.arange(1, last + 1) if last <= points else np.union1d(log_spaced_ks(last, points), round_ks(last))
    else:
        wanted = np.asarray(ks, dtype=np.int64)
    band = interval_over_problems(counts, wanted)
    return CostCurve(label, counts.problem_ids, wanted, counts.pass_at_k(wanted), cost, band.low, band.high)


def accuracy_curve(
    label: str, problem_ids: tuple[str, ...], ks: ArrayLike, accuracy: Floats, cost: LinearCost
) -> CostCurve:
    """Any accuracy against cost, such as what a selector delivers, with its interval over problems.

    Args:
        label: what the set is called.
        problem_ids: the problems, in order.
        ks: rising values of k, shape (ks,).
        accuracy: of each problem, shape (problems, ks).
        cost: of the same problems.
    """
    band = interval_of_mean(accuracy)
    return CostCurve(label, problem_ids, np.asarray(ks, dtype=np.int64), accuracy, cost, band.low, band.high)


@dataclass(frozen=True, eq=False)
class ResampledCurve:
    """A curve for each draw of the problems: total cost and mean accuracy, both of shape (resamples, ks)."""

    cost: Floats
    accuracy: Floats


def resample(curves: tuple[CostCurve, ...], resamples: int, seed: int) -> tuple[ResampledCurve, ...]:
    """The curves for `resamples` draws of the problems with replacement; all curves have the same problems, in the same
    order, and see the same draws."""
    parts = [np.column_stack([each.accuracy, each.cost.fixed, each.cost.each]) for each in curves]
    means = bootstrap_means_of(np.hstack(parts), resamples, seed)
    problems, found, start = len(curves[0].problem_ids), [], 0
    for curve in curves:
        accuracy, fixed, each = np.split(means[:, start : start + len(curve.ks) + 2], [-2, -1], axis=1)
        found.append(ResampledCurve(problems * (fixed + each * curve.ks), accuracy))
        start += len(curve.ks) + 2
    return tuple(found)
