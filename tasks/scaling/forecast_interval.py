"""The interval of a forecast: the range of the true coverage of these problems at a k beyond the samples drawn.

Three things are uncertain.

- *Which problems the samples happened to solve.* The forecast c(k) = 1 - (1 - c(n)) (1 - h) carries the error of c(n)
  on, times 1 - h, where h is the share of the unsolved problems that is solved by k. That of c(n) is the interval over
  samples, so that the interval continues at n as it was below.
- *h.* Each family of rates gives a distribution of it, over its parameters. The families are weighted by the square
  root of their evidence: Bayesian model averaging (Hoeting et al. 1999), and the root since none of them is true
  (Grünwald and van Ommen 2017, arXiv 1412.3730). The law's hazard is log-normal; the law has up to two fifths of
  the weight.
- *Which rates these very problems have*, given the family: the variance of a problem's own chance.

A set whose samples solved few problems by bad luck starts too low and is also forecast to rise too little: the first
two errors are correlated. The lower end is no less than what the solved problems alone give, and no end falls as k
grows, since coverage does not. The constants were chosen by simulation and on released sets (`benchmarks/RESULTS.md`).
"""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.mixtures import Chances
from tasks.scaling.unsolved import Unsolved

_TEMPER, _CORRELATION, _OF_LAW = 0.5, 0.5, 0.4
# The standard deviation of the log of the law's hazard: a floor, and a variance that shrinks with each solved problem.
_FLOOR, _SAMPLING = 0.1, 0.5
_STEPS = np.array([NormalDist().inv_cdf((i + 0.5) / 15) for i in range(15)])


class Ends(NamedTuple):
    """The ends of central 50 % and 90 % intervals, each of shape (ks,)."""

    low50: Floats
    high50: Floats
    low90: Floats
    high90: Floats


class Centre(NamedTuple):
    """The forecasts that intervals are drawn around, shape (ks,), at k beyond the samples and in order; the anchored
    law at the same k, None where there is no law, and its weight in the forecasts."""

    ks: Ints
    values: Floats
    law: Floats | None
    law_weight: float


def ends_beyond(centre: Centre, unsolved: Unsolved, start: float, at_n: Ends) -> Ends:
    """The ends of the intervals at each k of `centre`.

    Args:
        centre: the forecasts.
        unsolved: what they are made from.
        start: the last measured coverage.
        at_n: the ends of its intervals, shape (1,).
    """
    chances, weights = _by_family(unsolved, centre.ks)
    variance = unsolved.share / unsolved.problems * (weights @ [each.variance for each in chances])
    views = [unsolved.settled(centre.ks) + unsolved.share * each.means for each in chances]
    of_law = 0.0 if centre.law is None else _OF_LAW * centre.law_weight
    of_views = [(1 - of_law) * weight * each.posterior for weight, each in zip(weights, chances, strict=True)]
    if centre.law is not None:
        spread = np.sqrt(_FLOOR**2 + _SAMPLING / (1 + unsolved.problems * (1 - unsolved.share)))
        hazard = -np.log1p(-np.clip((centre.law - start) / (1 - start), 0.0, 1 - 1e-9))
        views.append(start - (1 - start) * np.expm1(-hazard * np.exp(spread * _STEPS[:, None])))
        of_views.append(np.full(len(_STEPS), of_law / len(_STEPS)))
    still_unsolved = (1 - centre.values) / (1 - start) if start < 1 else 1 - unsolved.chance(centre.ks)
    quantiles = _quantiles(np.vstack(views), np.concatenate(of_views), (0.25, 0.75, 0.05, 0.95))
    of_solved, variance_of_solved = unsolved.of_solved(centre.ks)
    ends = []
    for quantile, end_at_n, side, level in zip(quantiles, at_n, (-1, 1, -1, 1), (0.5, 0.5, 0.9, 0.9), strict=True):
        of_start = still_unsolved * max(side * (float(end_at_n[0]) - start), 0.0)
        of_view = np.maximum(side * (quantile - centre.values), 0.0)
        z = NormalDist().inv_cdf((1 + level) / 2)
        of_rates = z**2 * variance
        width = np.sqrt(of_start**2 + of_view**2 + 2 * _CORRELATION * of_start * of_view + of_rates)
        end = np.clip(centre.values + side * width, float(end_at_n[0]), 1.0)
        if side < 0:
            end = np.maximum(end, np.minimum(of_solved - z * np.sqrt(variance_of_solved), centre.values))
        ends.append(np.maximum.accumulate(end))
    return Ends(*ends)


def _by_family(unsolved: Unsolved, ks: Ints) -> tuple[list[Chances], Floats]:
    """What each family says of the unsolved problems, and the families' weights."""
    mixtures = unsolved.mixtures
    evidence = np.array([each.log_evidence for each in mixtures])
    weights = np.exp(_TEMPER * (evidence - evidence.max()))
    chances = [each.chances_of_unsolved(unsolved.sizes, unsolved.shares, ks) for each in mixtures]
    return chances, weights / weights.sum()


def _quantiles(values: Floats, weights: Floats, levels: tuple[float, ...]) -> Floats:
    """Quantiles of each column of `values` (views, ks), whose rows have `weights` (views,); shape (levels, ks)."""
    order = np.argsort(values, axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    middles = weights[order].cumsum(axis=0) - weights[order] / 2
    columns = zip(middles.T / weights.sum(), ordered.T, strict=True)
    return np.array([np.interp(levels, at, column) for at, column in columns]).T
