"""The interval of a forecast: the range of the true coverage of these problems at a k beyond the samples drawn.

Three things are uncertain.

- *Which problems the samples happened to solve.* The forecast c(k) = 1 - (1 - c(n)) (1 - h) carries the error of c(n)
  on, times 1 - h, where h is the share of the unsolved problems that is solved by k. That of c(n) is the interval over
  samples, so that the interval continues at n as it was below.
- *h.* Its distribution is an average over families of rates and their parameters (`tasks.scaling.family_average`).
- *Which rates these very problems have*, given the family: the variance of a problem's own chance.

A set whose samples solved few problems by bad luck starts too low and is also forecast to rise too little: the first
two errors are correlated. The lower end is no less than what the solved problems alone give, and no end falls as k
grows, since coverage does not. The constants were chosen by simulation and on released sets (`benchmarks/RESULTS.md`).
"""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.unsolved import Unsolved

_CORRELATION = 0.5


class Ends(NamedTuple):
    """The ends of central 50 % and 90 % intervals, each of shape (ks,)."""

    low50: Floats
    high50: Floats
    low90: Floats
    high90: Floats


def ends_beyond(ks: Ints, values: Floats, unsolved: Unsolved, start: float, at_n: Ends) -> Ends:
    """The ends of the intervals at each k.

    Args:
        ks: all beyond the samples, in order, shape (ks,).
        values: the forecasts that the intervals are drawn around, shape (ks,).
        unsolved: what they are made from.
        start: the last measured coverage.
        at_n: the ends of its intervals, shape (1,).
    """
    mixtures, weights = unsolved.average
    chances = [each.chances_of_unsolved(unsolved.sizes, unsolved.shares, ks) for each in mixtures]
    variance = unsolved.share / unsolved.problems * (weights @ [each.variance for each in chances])
    views = unsolved.settled(ks) + unsolved.share * np.vstack([each.means for each in chances])
    of_views = np.concatenate([weight * each.posterior for weight, each in zip(weights, chances, strict=True)])
    quantiles = _quantiles(views, of_views, (0.25, 0.75, 0.05, 0.95))
    still_unsolved = (1 - values) / (1 - start) if start < 1 else 1 - unsolved.chance(ks)
    of_solved, variance_of_solved = unsolved.of_solved(ks)
    ends = []
    for quantile, end_at_n, side, level in zip(quantiles, at_n, (-1, 1, -1, 1), (0.5, 0.5, 0.9, 0.9), strict=True):
        of_start = still_unsolved * max(side * (float(end_at_n[0]) - start), 0.0)
        of_view = np.maximum(side * (quantile - values), 0.0)
        z = NormalDist().inv_cdf((1 + level) / 2)
        of_rates = z**2 * variance
        width = np.sqrt(of_start**2 + of_view**2 + 2 * _CORRELATION * of_start * of_view + of_rates)
        end = np.clip(values + side * width, float(end_at_n[0]), 1.0)
        if side < 0:
            end = np.maximum(end, np.minimum(of_solved - z * np.sqrt(variance_of_solved), values))
        ends.append(np.maximum.accumulate(end))
    return Ends(*ends)


def _quantiles(values: Floats, weights: Floats, levels: tuple[float, ...]) -> Floats:
    """Quantiles of each column of `values` (views, ks), whose rows have `weights` (views,); shape (levels, ks)."""
    order = np.argsort(values, axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    middles = weights[order].cumsum(axis=0) - weights[order] / 2
    columns = zip(middles.T / weights.sum(), ordered.T, strict=True)
    return np.array([np.interp(levels, at, column) for at, column in columns]).T
