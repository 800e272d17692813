"""Coverage at a k beyond the samples drawn, for the same problems, with backtested intervals.

The point forecast joins two views. The *anchored law* takes the paper's log c = a k^b through the last measured
coverage, log c(k) = log c(n) (k/n)^b: anchoring removes most of the plain law's error, since what is solved stays
solved. Its b is the mean of two least-squares fits: to log c, which gives most weight to small k, and to log(-log c)
through the last point, which gives most weight to large k. The *mixtures* (`tasks.scaling.mixtures`) give the expected
coverage of these problems given their counts, also when few problems are solved or none. Their logarithms are
averaged, the law weighing as the number of solved problems, the mixtures as four.

The interval is about the problems still unsolved: each falls with the same chance 1 - exp(-H), the cumulative hazard
H is log-normal around its forecast, and how many fall is binomial. The variance of log H is mostly half the squared
difference between the two views: of two views that err alike and independently, that is what one of them errs by. It
is wide where the data say little, and grows with k by itself. Neither view knows of problems that nothing ever solves,
so the 90 % interval reaches down to what a mixture with such problems expects. `benchmarks/forecast.py` is the
backtest, and shows kinds of rates that are forecast badly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from tasks.errors import UserError
from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Counts, coverage, log_spaced_ks
from tasks.scaling.interval_over_samples import interval_over_samples
from tasks.scaling.laws import PowerLaw, fit_ks, fit_power_law
from tasks.scaling.mixtures import Mixture, family, fit_mixture

METHOD = "anchored power law with mixtures"

# The number of solved problems at which the law and the mixtures have equal weight.
_MIXTURES_WEIGH = 4.0
# Variance of log H in addition to the disagreement: a floor, and a part that shrinks with each solved problem. Set on
# simulated sets and on real ones thinned to fewer successes.
_FLOOR, _SAMPLING = 0.05**2, 0.3
_MAX_K = 10**15
_FAMILIES = ("beta-binomial", "logit extreme value")


@dataclass(frozen=True, slots=True)
class Forecast:
    """Expected coverage at k, with the ends of its central 50 % and 90 % intervals. `method` is `measured` for a k
    that the samples reach: the estimate is then unbiased, and the intervals are its own."""

    k: int
    coverage: float
    low50: float
    high50: float
    low90: float
    high90: float
    method: str


class Forecaster:
    """Forecasts from everything counted so far: any counts with a graded sample, none or all of it correct.

    Raises:
        UserError: no problem has a graded sample.
    """

    def __init__(self, counts: Counts) -> None:
        self.counts = counts.graded()
        if not len(self.counts):
            raise UserError("forecast: no problem has a graded sample; draw and grade some first")
        self.n = self.counts.reach
        self.start = float(coverage(self.counts, [self.n]).coverage[0])
        self._solved = int((self.counts.c > 0).sum())

    def at(self, ks: Sequence[int]) -> tuple[Forecast, ...]:
        """Coverage at each k with its intervals.

        Raises:
            UserError: a k is below 1 or beyond 10^15.
        """
        if not all(1 <= k <= _MAX_K for k in ks):
            raise UserError("forecast: k must be between 1 and 10^15")
        return tuple(
            self._measured(k, value) if k <= self.n else self._forecast(k, value)
            for k, value in zip(ks, self.expected(ks).tolist(), strict=True)
        )

    def expected(self, ks: ArrayLike) -> Floats:
        """Expected coverage at each k, shape (ks,): measured up to the smallest n, and no less beyond it."""
        wanted = np.atleast_1d(np.asarray(ks, dtype=np.int64))
        values = coverage(self.counts, np.minimum(wanted, self.n)).coverage
        beyond = wanted > self.n
        if not beyond.any() or self.start == 1:
            return values
        mixed = np.mean(self._log_mixed(wanted[beyond]), axis=0)
        law = self._log_law(wanted[beyond])
        weight = _MIXTURES_WEIGH / (_MIXTURES_WEIGH + self._solved)
        joined = mixed if law is None else (1 - weight) * law + weight * mixed
        values[beyond] = np.maximum(np.exp(joined), self.start)
        return values

    def needed_k(self, target: float) -> int | None:
        """The smallest k, to three figures, whose expected coverage reaches `target`; None where none below 10^15 does.

        Raises:
            UserError: the target does not lie between 0 and 1.
        """
        if not 0 < target < 1:
            raise UserError(f"forecast: the coverage to reach is {target}; it must be between 0 and 1")
        ladder = np.unique(np.geomspace(1, _MAX_K, 400).astype(np.int64))
        reached = np.flatnonzero(self.expected(ladder) >= target)
        if not len(reached):
            return None
        high = int(ladder[reached[0]])
        low = int(ladder[reached[0] - 1]) if reached[0] else 0
        while high - low > max(1, high // 1000):
            middle = (low + high) // 2
            low, high = (middle, high) if self.expected([middle])[0] < target else (low, middle)
        return high

    def gain(self, more: int = 1000) -> float:
        """How much coverage `more` samples of every problem are expected to add."""
        return float(self.expected([self.n + more])[0]) - self.start

    def solve_probabilities(self, k: int) -> dict[str, float]:
        """For every problem not yet solved, the chance that k samples in all solve it, likeliest first.

        The beta-binomial ranks the problems by how often each was tried; the sum is brought to the forecast's.
        """
        unsolved = np.flatnonzero(self.counts.c == 0)
        if not len(unsolved):
            return {}
        ranked = self._mixtures[0].pass_at([max(1, k - self.n)])[unsolved, 0]
        falling = float(self.expected([max(k, self.n)])[0] - self.start) * len(self.counts)
        chances = np.clip(ranked * falling / max(float(ranked.sum()), 1e-300), 0, 1)
        order = np.argsort(-chances, kind="stable")
        return {self.counts.problem_ids[unsolved[i]]: float(chances[i]) for i in order}

    def _log_mixed(self, ks: ArrayLike) -> Floats:
        """Log coverage of these problems by each mixture, shape (mixtures, ks)."""
        return np.log([mixture.coverage_of_these(ks) for mixture in self._mixtures])

    def _log_law(self, ks: Ints) -> Floats | None:
        """Log coverage by the anchored law, shape (ks,); None where the measured curve has no rise to fit."""
        if self._exponent is None:
            return None
        values: Floats = np.log(self.start) * (ks / self.n) ** self._exponent
        return values

    @cached_property
    def _mixtures(self) -> tuple[Mixture, ...]:
        return tuple(fit_mixture(self.counts, family(name)) for name in _FAMILIES)

    @cached_property
    def _never_solvable(self) -> Mixture:
        return fit_mixture(self.counts, family("zero-inflated beta-binomial"))

    @cached_property
    def _exponent(self) -> float | None:
        """b of the anchored law; None where the measured curve has no rise to fit."""
        ks = log_spaced_ks(self.n)
        curve = coverage(self.counts, ks).coverage
        if len(ks) < 3 or not 0 < curve[0] < curve[-1] < 1:
            return None
        log_k = np.log(ks / self.n)
        through_end = float(np.log(np.log(curve) / np.log(curve[-1])) @ log_k / (log_k @ log_k))
        plain = fit_power_law(fit_ks(self.n), coverage(self.counts, fit_ks(self.n)).coverage)
        return (through_end + plain.b) / 2 if isinstance(plain, PowerLaw) else through_end

    def _measured(self, k: int, value: float) -> Forecast:
        inner, outer = (interval_over_samples(self.counts, [k], level) for level in (0.5, 0.9))
        low50, high50, low90, high90 = (float(end[0]) for band in (inner, outer) for end in (band.low, band.high))
        return Forecast(k, value, low50, high50, low90, high90, "measured")

    def _hazard(self, value: float) -> float:
        """The cumulative hazard of a problem still unsolved, from the last measured coverage to `value`."""
        share = (value - self.start) / (1 - self.start)
        return -log1p(-min(max(share, 1e-9), 1 - 1e-9))

    def _forecast(self, k: int, value: float) -> Forecast:
        left = round((1 - self.start) * len(self.counts))
        if not left:
            return Forecast(k, value, value, value, value, value, METHOD)
        mixed, law = self._log_mixed([k])[:, 0], self._log_law(np.array([k]))
        views = mixed if law is None else [law[0], mixed.mean()]
        one, other = (log(self._hazard(exp(view))) for view in views)
        spread = sqrt(_FLOOR + _SAMPLING / (1 + self._solved) + (one - other) ** 2 / 2)
        shares = _quantiles(left, self._hazard(value), spread, (0.25, 0.75, 0.05, 0.95))
        low50, high50, low90, high90 = (self.start + (1 - self.start) * share for share in shares)
        low90 = min(low90, max(self.start, float(self._never_solvable.coverage_of_these([k])[0])))
        return Forecast(k, value, min(low50, value), max(high50, value), min(low90, value), max(high90, value), METHOD)


def _quantiles(left: int, hazard: float, spread: float, levels: Sequence[float]) -> list[float]:
    """Quantiles of the share of `left` problems that fall: binomial, under a log-normal hazard."""
    steps = [NormalDist().inv_cdf((i + 0.5) / 64) for i in range(64)]
    hazards = hazard * np.exp(spread * np.array(steps))
    falls = np.arange(left + 1)
    log_ways = lgamma(left + 1) - np.array([lgamma(m + 1) + lgamma(left - m + 1) for m in falls])
    log_chance = falls[:, None] * np.log(-np.expm1(-hazards)) - (left - falls)[:, None] * hazards
    cumulative = np.exp(log_ways[:, None] + log_chance).mean(axis=1).cumsum()
    # The distribution of a count, drawn continuous: each whole number m spans m - 1/2 to m + 1/2.
    at = np.interp(levels, np.concatenate([[0.0], cumulative]), np.arange(left + 2) - 0.5)
    return [float(min(max(value / left, 0.0), 1.0)) for value in at]
