"""Two sets compared at each k: the difference in coverage, or in accuracy, over the problems that they share.

The difference is a mean over problems, each paired with itself, so that what makes a problem hard for both sets
cancels. Its interval and its p-value are those of Student's paired t-test, with two precautions that matter where
problems are few (Miller 2024, arXiv 2411.00640, and Bowyer et al. 2025, arXiv 2503.01747, on how such tests fail):

- A few problems can show nearly the same difference by chance. The variance over problems is therefore taken to be no
  smaller than the variance over samples, which is known from the counts.
- A few problems may all lack the large differences that make up most of the mean. As in the interval over problems, a
  problem is added whose difference lies beyond the extremes seen, by the factor 10^(`_DECADES` (1 - tail^(1/P))): the
  gap that P values evenly spread over that many decades might leave above the largest. It gets the largest weight,
  at this level of confidence, of 1/2 problem among P (the beta distribution of Jeffreys' interval), and the distance by
  which it moves the mean is added to Student's as independent errors are. With 200 problems it adds 5 % to the width of
  the interval, with 10 it doubles it.

`benchmarks/calibration.py` shows how often the interval holds, and the p-value is below .05 where nothing differs.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, stdtrit

from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Counts, round_ks
from tasks.scaling.interval_over_samples import variance_over_samples

_ADDED = 0.5
_DECADES = 2.5
# p-values are searched for in this range of log10 of the tail; they are 1 above it.
_LOG_TAILS = (-15.0, float(np.log10(0.5)))


@dataclass(frozen=True, slots=True)
class Difference:
    """Coverage, or accuracy, of a set at k less that of the reference, with its paired interval over problems and its
    two-sided p-value: p < 0.05 if and only if the 95 % interval leaves out 0."""

    k: int
    difference: float
    low: float
    high: float
    p: float


class _Gaps(NamedTuple):
    """What is known of the differences at each k, shape (ks,) each: their mean, its standard error, and the largest
    difference in either direction (at least what one sample of one problem makes)."""

    problems: int
    mean: Floats
    error: Floats
    upwards: Floats
    downwards: Floats


def paired_differences(reference: Counts, other: Counts, level: float = 0.95) -> tuple[Difference, ...]:
    """Coverage of `other` minus that of `reference`, at round k up to the smaller n of the two.

    Args:
        reference: counts of the reference.
        other: counts of the same problems, two or more, in the same order.
        level: probability of the intervals.
    """
    last = min(reference.reach, other.reach)
    ks = round_ks(last)
    variance = variance_over_samples(reference, ks) + variance_over_samples(other, ks)
    return differences_of(other.pass_at_k(ks) - reference.pass_at_k(ks), ks, variance, last=last, level=level)


def differences_of(
    differences: Floats, ks: Ints, variance: Floats, *, last: int, level: float = 0.95
) -> tuple[Difference, ...]:
    """The mean difference at each k with its interval and p-value.

    Args:
        differences: of each problem, two or more, shape (problems, ks).
        ks: shape (ks,).
        variance: the variance over samples of the mean difference, shape (ks,).
        last: the smaller n of the two sets.
        level: probability of the intervals.
    """
    problems = len(differences)
    one_sample = ks / max(last, 1)
    gaps = _Gaps(
        problems,
        differences.mean(axis=0),
        np.sqrt(np.maximum(differences.var(axis=0, ddof=1) / problems, variance)),
        np.maximum(differences.max(axis=0), one_sample),
        np.maximum(-differences.min(axis=0), one_sample),
    )
    tail = np.full(len(ks), (1 - level) / 2)
    low = np.maximum(gaps.mean - _distance(gaps, tail, np.full(len(ks), fill_value=False)), -1)
    high = np.minimum(gaps.mean + _distance(gaps, tail, np.full(len(ks), fill_value=True)), 1)
    columns = (column.tolist() for column in (ks, gaps.mean, low, high, _p_values(gaps)))
    return tuple(Difference(*row) for row in zip(*columns, strict=True))


def _distance(gaps: _Gaps, tail: Floats, upwards: NDArray[np.bool_]) -> Floats:
    """How far the upper or lower end of the interval is from the mean, for the probability `tail` beyond it; all of
    shape (ks,)."""
    student = -stdtrit(gaps.problems - 1, tail) * gaps.error
    beyond = 10 ** (_DECADES * (1 - tail ** (1 / gaps.problems)))
    extreme = np.minimum(1, beyond * np.where(upwards, gaps.upwards, gaps.downwards))
    weight = 1 - betaincinv(gaps.problems, _ADDED, tail)
    added = weight * np.maximum(extreme - np.where(upwards, gaps.mean, -gaps.mean), 0)
    distance: Floats = np.hypot(student, added)
    return distance


def _p_values(gaps: _Gaps) -> Floats:
    """Twice the tail at which an end of the interval is 0, shape (ks,)."""
    low, high = (np.full(len(gaps.mean), end) for end in _LOG_TAILS)
    for _ in range(50):
        middle = (low + high) / 2
        leaves_out_zero = _distance(gaps, 10**middle, gaps.mean < 0) < np.abs(gaps.mean)
        low, high = np.where(leaves_out_zero, low, middle), np.where(leaves_out_zero, middle, high)
    p: Floats = np.where(gaps.mean == 0, 1.0, 2 * 10**high)
    return p
