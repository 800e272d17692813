"""The exponentiated power law of coverage, log c = a k^b, as the paper fits it (arXiv 2407.21787, section 3).

The fit is least squares on log c, not on c: for small models the two give other numbers. Every stretch of
log k has equal weight: a whole number to which several of the 40 log-spaced k round is counted that many times, which
reproduces the published parameters more closely than counting it once (MATH with Pythia-12B, published a = -3.92: -3.93
against -3.98). For a given b the best a is linear, so the fit is a search over b alone, for all resamples at once.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Counts, coverage, round_ks
from tasks.scaling.resampling import RESAMPLES, bootstrap_curves, percentile_tail

# b lies well inside for any curve of a real model; a fit that ends at an edge is reported as no fit.
_LOWEST_B, _HIGHEST_B, _GRID = -8.0, 2.0, 401
_GOLDEN = (np.sqrt(5) - 1) / 2


class Interval(NamedTuple):
    """The ends of an interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """log c = a k^b, with its residuals at the k that it was fitted to.

    `rmse` is of log c; `max_abs_error` and `mean_abs_error` are of c. The intervals are expanded percentile bootstraps
    over problems (`resampling.percentile_tail`), None where they were not asked for or too few resamples were fitted.
    """

    a: float
    b: float
    rmse: float
    max_abs_error: float
    mean_abs_error: float
    a_interval: Interval | None = None
    b_interval: Interval | None = None

    def predict(self, k: ArrayLike) -> Floats:
        """The law's coverage at k, clipped to 0..1; the shape of k."""
        return _law(self.a, self.b, np.asarray(k, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class NoFit:
    """A law that could not be fitted, and why, in words for the reader of a report."""

    reason: str


def fit_ks(last: int, points: int = 40) -> Ints:
    """`points` whole numbers evenly spaced in log k from 1 to `last`, repeats kept: the k that a law is fitted at."""
    if last < 1:
        return np.zeros(0, dtype=np.int64)
    return np.rint(np.geomspace(1, last, points)).astype(np.int64)


def fit_power_law(ks: ArrayLike, coverages: ArrayLike) -> PowerLaw | NoFit:
    """Fit log c = a k^b to one curve by least squares on log c.

    Args:
        ks: the k of the curve, shape (ks,).
        coverages: coverage at each, shape (ks,); values that are not numbers or not above 0 take no part.
    """
    k = np.asarray(ks, dtype=np.float64)
    c = np.asarray(coverages, dtype=np.float64)
    usable = np.isfinite(c) & (c > 0)
    if not len(k):
        return NoFit("no coverage to fit")
    if not usable.any():
        return NoFit("no problem was solved, and log 0 is undefined")
    if len(np.unique(k[usable])) < 3:
        return NoFit("a fit needs coverage at three values of k or more")
    k, c = k[usable], c[usable]
    if (c == 1).all():
        return NoFit("every problem is solved at every k: the curve is flat")
    a, b = _least_squares(k, np.log(c)[None, :])
    if not np.isfinite(b[0]):
        return NoFit("the curve has no power-law shape: the best exponent is at the edge of the search range")
    fitted = _law(float(a[0]), float(b[0]), k)
    error = np.abs(fitted - c)
    rmse = np.sqrt(np.mean((a[0] * k ** b[0] - np.log(c)) ** 2))
    return PowerLaw(float(a[0]), float(b[0]), float(rmse), float(error.max()), float(error.mean()))


def fit_counts(
    counts: Counts, max_k: int | None = None, resamples: int = RESAMPLES, level: float = 0.95, seed: int = 0
) -> PowerLaw | NoFit:
    """Fit the law to the coverage of `counts` at 40 log-spaced k, with bootstrap intervals over problems.

    Args:
        counts: what was counted.
        max_k: fit no further than this k; None goes to the smallest n.
        resamples: draws of the problems with replacement; 0 gives no intervals.
        level: probability of the intervals.
        seed: seed of the draws.
    """
    last = counts.reach if max_k is None else min(max_k, counts.reach)
    ks = fit_ks(last)
    law = fit_power_law(ks, coverage(counts, ks).coverage)
    if isinstance(law, NoFit) or not resamples or len(counts) < 2:
        return law
    curves = bootstrap_curves(counts, ks, resamples, seed)
    fittable = (curves > 0).all(axis=1) & (curves < 1).any(axis=1)
    a, b = _least_squares(ks.astype(np.float64), np.log(curves[fittable]))
    a, b = a[np.isfinite(b)], b[np.isfinite(b)]
    # Resamples without a fit could fall at either end, so the interval is given only if they are fewer than its tail.
    tail = percentile_tail(level, len(counts))
    if len(b) >= resamples * (1 - tail):
        a_low, a_high = np.quantile(a, [tail, 1 - tail])
        b_low, b_high = np.quantile(b, [tail, 1 - tail])
        return replace(
            law,
            a_interval=Interval(float(a_low), float(a_high)),
            b_interval=Interval(float(b_low), float(b_high)),
        )
    return law


def _law(a: Floats | float, b: Floats | float, k: Floats) -> Floats:
    return np.clip(np.exp(a * k**b), 0.0, 1.0)


def _least_squares(k: Floats, log_c: Floats) -> tuple[Floats, Floats]:
    """Least-squares a and b for each row of `log_c` (rows, ks); b is NaN where it is at the edge of the search."""
    log_k = np.log(k)
    total = (log_c**2).sum(axis=1)

    def residual(b: Floats) -> Floats:
        powers = np.exp(b[:, None] * log_k)
        squares: Floats = total - (log_c * powers).sum(axis=1) ** 2 / (powers**2).sum(axis=1)
        return squares

    # A grid first, because the sum of squares may have more than one dip; golden section then narrows the best cell.
    grid = np.linspace(_LOWEST_B, _HIGHEST_B, _GRID)
    powers = np.exp(grid[:, None] * log_k)
    best = np.argmax((log_c @ powers.T) ** 2 / (powers**2).sum(axis=1), axis=1)
    at_edge = (best == 0) | (best == _GRID - 1)
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, _GRID - 1)]
    for _ in range(45):
        width = _GOLDEN * (high - low)
        left, right = high - width, low + width
        go_left = residual(left) < residual(right)
        low, high = np.where(go_left, low, left), np.where(go_left, right, high)
    b = (low + high) / 2
    powers = np.exp(b[:, None] * log_k)
    a = (log_c * powers).sum(axis=1) / (powers**2).sum(axis=1)
    return a, np.where(at_edge, np.nan, b)


def ks_beyond(last: int, horizon: int, points: int = 16) -> Ints:
    """Distinct k from `last` to `horizon`, log-spaced and at 1, 2, 5 times powers of ten: where a forecast is drawn."""
    spaced = np.rint(np.geomspace(last, horizon, points)).astype(np.int64)
    at_round_k = round_ks(horizon)
    return np.unique(np.concatenate([spaced, at_round_k[at_round_k > last]]))
