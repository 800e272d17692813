"""What bounds a vote: the modal ceiling, and how alike a problem's samples are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.scaling.arrays import Floats
from tasks.scaling.estimators import Counts
from tasks.scaling.interval_over_problems import interval_of_mean
from tasks.scaling.resampling import RESAMPLES, bootstrap_means, percentile_tail
from tasks.selection.outcomes import Outcomes


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the ends of its interval over problems; None where there are fewer than two problems."""

    value: float
    low: float | None
    high: float | None
    level: float


def modal_ceiling(problems: Sequence[Outcomes], level: float = 0.95, seed: int = 0) -> Interval:
    """The limit of majority vote as k grows: the share of problems whose most frequent answer is correct. The most
    frequent answer is that of all samples of the problem; of several, the mean counts."""
    values = np.array([[problem.tally().modal] for problem in problems])
    band = interval_of_mean(values, level, seed=seed)
    low, high = (None if len(problems) < 2 else float(end[0]) for end in (band.low, band.high))
    return Interval(float(values.mean()), low, high, level)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike the samples of one problem are: `correlation` of the correctness of two samples of the same problem,
    over all problems, and `effective`, the number of independent samples that give mean accuracy as precisely as the n
    samples of one problem (n the median over problems): n / (1 + (n - 1) correlation)."""

    correlation: Interval
    effective: Interval
    n: int


def likeness(counts: Counts, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0) -> Likeness | None:
    """The pairwise correlation, which is the intraclass correlation of correctness (Donner and Koval 1980), with
    percentile intervals of the bootstrap over problems.

    None where it is not defined: with fewer than two problems that have two samples, or where all samples or none are
    correct.
    """
    usable = counts.of_problems(np.flatnonzero(counts.n > 1))
    problems = len(usable)
    if problems < 2 or usable.c.sum() in {0, usable.n.sum()}:
        return None
    rate, both = _moments(usable).T
    # The product over two different problems is unbiased for the square of the mean.
    square = (rate.sum() ** 2 - (rate**2).sum()) / (problems * (problems - 1))
    value = (both.mean() - square) / (rate.mean() - square)
    means = bootstrap_means((usable,), lambda sets: _moments(sets[0]), resamples, seed)
    spread = means[:, 0] * (1 - means[:, 0])
    tail = percentile_tail(level, problems)
    drawn = (means[:, 1] - means[:, 0] ** 2)[spread > 0] / spread[spread > 0]
    low, high = np.quantile(drawn, [tail, 1 - tail])
    n = int(np.median(usable.n))
    value, low, high = (float(np.clip(each, 0, 1)) for each in (value, min(low, value), max(high, value)))
    # The more alike the samples are, the fewer they are worth.
    effective, least, most = (n / (1 + (n - 1) * each) for each in (value, high, low))
    return Likeness(Interval(value, low, high, level), Interval(effective, least, most, level), n)


def _moments(counts: Counts) -> Floats:
    """For each problem, the chance that one sample is correct and that two are, shape (problems, 2)."""
    n, c = counts.n.astype(np.float64), counts.c.astype(np.float64)
    return np.column_stack([c / n, c * (c - 1) / (n * (n - 1))])
