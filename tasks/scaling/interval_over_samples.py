"""The interval of coverage over samples: these very problems, sampled again.

A benchmark's score as a property of the model wants the interval over problems; two settings on the same problems want
this one, which is much narrower.

For a problem of rate p, pass@k from n samples is a U-statistic. Its variance follows from how many samples two random
subsets of size k share (Hoeffding 1948): with j shared, both are without a success with probability (1-p)^(2k-j).
The rates are unknown. Each is integrated out under its posterior, with prior density p^(a-1) (1-p)^(-1/2). What
matters is a, the shape near p = 0: it says how many of the unsolved problems are nearly solvable, and so how much the
number of solved problems would vary. Under that density a problem with one success is a times as frequent as one with
none, and this is how a is estimated (the idea of Good 1953). An unbiased estimate of the variance also exists, but
only for 2k <= n, and near k = n/2 it is mostly noise.

The upper end allows for the variance to grow with coverage, as in a score interval (Wilson 1927): if a problem becomes
solvable, the variance of the number of solved problems grows by at most k/n of what their expected number does. The
share `_GROWTH` of that bound was chosen by simulation (`benchmarks/calibration.py`).
"""

from collections.abc import Sequence
from functools import lru_cache
from math import log, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Band, Counts, coverage
from tasks.scaling.sequential_stopping import Rounds, drawn

_GROWTH = 0.4
_SHAPE_AT_ONE = 0.5
_LEAST_SHAPE = 0.02
# Logits of p at which variances are tabulated; a posterior narrower than a step is taken at its mean.
_STEP = 0.1
_LOGIT = np.arange(-24.0, 12.0 + _STEP / 2, _STEP)
_LOG_P, _LOG_Q = -np.logaddexp(0, -_LOGIT), -np.logaddexp(0, _LOGIT)
# Different n are rounded down to at most this many, evenly spaced in log n.
_SIZES = 100
# Under an adaptive budget the variance at each logit is simulated, from this many problems.
_SIMULATED, _SIMULATED_STEP, _HARDLY_EVER = 200, 0.5, 1e-3


def interval_over_samples(counts: Counts, ks: ArrayLike, level: float = 0.95, seed: int = 0) -> Band:
    """The interval of coverage at each k over the draw of the samples, within 0..1; NaN at every k above
    `counts.reach`. `seed` is used where an adaptive budget makes simulation necessary."""
    (band,) = intervals_over_samples(counts, ks, (level,), seed)
    return band


def intervals_over_samples(counts: Counts, ks: ArrayLike, levels: Sequence[float], seed: int = 0) -> list[Band]:
    """The interval at each of several levels; the variance, which takes most of the time, is the same for all."""
    wanted = np.atleast_1d(np.asarray(ks, dtype=np.int64))
    curve = coverage(counts, wanted).coverage
    if not len(counts):
        return [Band(curve, curve, level) for level in levels]
    variance = variance_over_samples(counts, wanted, seed)
    growth = _GROWTH * wanted / (max(counts.reach, 1) * len(counts))
    bands = []
    for level in levels:
        z = NormalDist().inv_cdf((1 + level) / 2)
        # High is where (high - curve)^2 = z^2 (variance + growth (high - curve)).
        below = z * np.sqrt(variance)
        above = z * z * growth / 2 + z * np.sqrt(variance + (z * growth / 2) ** 2)
        bands.append(Band(np.clip(curve - below, 0, 1), np.clip(curve + above, 0, 1), level))
    return bands


def variance_over_samples(counts: Counts, ks: ArrayLike, seed: int = 0) -> Floats:
    """The variance of coverage at each k over the draw of the samples, shape (ks,); NaN above `counts.reach`."""
    wanted = np.atleast_1d(np.asarray(ks, dtype=np.int64))
    variance = np.full(len(wanted), np.nan)
    reachable = wanted <= counts.reach
    if reachable.any():
        shape, ks_within = _shape_near_zero(counts), wanted[reachable]
        tables: dict[int, Floats] = {}
        total, sizes = np.zeros(len(ks_within)), _few(_limits(counts))
        for block in counts.blocks():
            limits = sizes[np.searchsorted(sizes, _limits(block.counts), side="right") - 1]
            for limit in np.unique(limits).tolist():
                if limit not in tables:
                    tables[limit] = _variances(limit, ks_within, counts.rounds, seed)
                rows = np.flatnonzero(limits == limit)
                total += block.times[rows] @ _over_posterior(block.counts.of_problems(rows), shape, tables[limit])
        variance[reachable] = total / len(counts) ** 2
    return variance


def _shape_near_zero(counts: Counts) -> float:
    """a of the prior density p^(a-1) near p = 0; half a problem is added to either count, which keeps it finite."""
    once, never = int((counts.c == 1).sum()), int((counts.c == 0).sum())
    return min(max((once + 0.5) / (never + 1), _LEAST_SHAPE), 1.0)


def _limits(counts: Counts) -> Ints:
    """How many samples each problem could get: its n, or the last round's end where a budget stopped it earlier."""
    if counts.rounds is None:
        return counts.n
    return np.where(counts.rounds.stopped(counts.n, counts.c), counts.rounds.ends[-1], counts.n)


def _few(limits: Ints) -> Ints:
    """The distinct limits, in order; where there are many, a few to which each is rounded down."""
    distinct: Ints = np.unique(limits)
    if len(distinct) > _SIZES:
        distinct = np.unique(np.geomspace(distinct[0], distinct[-1], _SIZES).astype(np.int64))
    return distinct


def _over_posterior(counts: Counts, shape: float, variances: Floats) -> Floats:
    """The variance of each problem's pass@k, from those at each logit, shape (problems, ks)."""
    successes, failures = counts.c + shape, counts.n - counts.c + _SHAPE_AT_ONE
    log_weights = successes[:, None] * _LOG_P + failures[:, None] * _LOG_Q
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    # Off the grid the density of the logit falls exponentially, and the variance is 0.
    off_grid = (weights[:, 0] / successes + weights[:, -1] / failures) / _STEP
    values: Floats = (weights @ variances) / (weights.sum(axis=1) + off_grid)[:, None]
    narrow = np.flatnonzero(1 / successes + 1 / failures < _STEP**2)
    middles = np.log(successes[narrow] / failures[narrow])
    for column, variance in enumerate(variances.T):
        values[narrow, column] = np.interp(middles, _LOGIT, variance)
    return values


def _variances(limit: int, ks: Ints, rounds: Rounds | None, seed: int) -> Floats:
    """The variance of a problem's pass@k at each logit, shape (logits, ks), if it can get `limit` samples."""
    if rounds is None:
        return np.column_stack([_variance_of_u_statistic(limit, k) for k in ks.tolist()])
    generator = np.random.default_rng([seed, limit])
    # A problem that hardly ever has a success, or a failure, has next to no variance.
    logits = np.arange(log(_HARDLY_EVER / limit), -log(_HARDLY_EVER), _SIMULATED_STEP)
    rates = np.repeat(1 / (1 + np.exp(-logits)), _SIMULATED)
    n, c, stopping = drawn(limit, rates, rounds, generator)
    problems = Counts(tuple(map(str, range(len(n)))), n, c, stopping)
    simulated = problems.pass_at_k(ks).reshape(len(logits), _SIMULATED, len(ks)).var(axis=1, ddof=1)
    return np.column_stack([np.interp(_LOGIT, logits, each, left=0.0) for each in simulated.T])


@lru_cache(maxsize=1024)
def _variance_of_u_statistic(n: int, k: int) -> Floats:
    """The variance of pass@k from n samples at each logit: the sum over j of P(j shared) ((1-p)^(2k-j) - (1-p)^2k)."""
    middle, spread = k * (k / n), k * (1 - k / n) / sqrt(n)
    shared = np.arange(max(0, 2 * k - n, int(middle - 12 * spread - 12)), min(k, int(middle + 12 * spread + 12)) + 1)
    log_ways = -(gammaln(shared + 1) + 2 * gammaln(k - shared + 1) + gammaln(n - 2 * k + shared + 1))
    probability = np.exp(log_ways - log_ways.max())
    probability /= probability.sum()
    terms = np.exp(_LOG_Q[:, None] * (2 * k - shared)) * -np.expm1(_LOG_Q[:, None] * shared)
    variance: Floats = terms @ probability
    return variance
