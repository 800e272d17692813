"""Coverage of the same problems at a k beyond the samples drawn, with backtested intervals.

Solved problems stay solved, so a forecast is about the unsolved ones: the share of them that is solved by k. Two views
of it are joined. The *anchored law* takes the paper's log c = a k^b through the last measured coverage, log c(k) =
log c(n) (k/n)^b. Its b is the mean of two least-squares fits: to log c, which gives most weight to small k, and to
log(-log c) through the last point, which gives most weight to large k. The *mixtures* (`tasks.scaling.families`) give
the chance that a problem with n failures is solved by the next k - n samples, also when few problems are solved or
none. Where many problems are solved the law is the better one, and where few are the mixtures; the law's weight is
s^2 / (s^2 + 64) for s solved problems.

The intervals (`tasks.scaling.forecast_interval`) mean the same on both sides of n: they are for the mean of the true
pass@k of these problems. `benchmarks/forecast.py` is the backtest, and `benchmarks/calibration.py`
says how often the intervals hold; both show kinds of rates that are forecast badly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from tasks.errors import UserError
from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Band, Counts, coverage, log_spaced_ks
from tasks.scaling.forecast_interval import Ends, ends_beyond
from tasks.scaling.interval_over_samples import intervals_over_samples
from tasks.scaling.laws import PowerLaw, fit_ks, fit_power_law
from tasks.scaling.mixtures import Mixture
from tasks.scaling.unsolved import Unsolved

METHOD = "anchored power law with mixtures"

# The number of solved problems at which the law and the mixtures have equal weight.
_EQUAL_WEIGHT = 8
_MAX_K = 10**15
# The numbers of k at which the ends of intervals are worked out, beyond the samples and within them.
_POINTS, _MEASURED_POINTS = 136, 40


@dataclass(frozen=True, slots=True)
class Forecast:
    """Expected coverage at k, with the ends of the central 50 % and 90 % intervals of the coverage of these problems.
    `method` is `measured` for a k that the samples reach: the estimate is then unbiased."""

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
        solved = int((self.counts.c > 0).sum())
        self._law_weight = solved**2 / (solved**2 + _EQUAL_WEIGHT**2) if self._exponent is not None else 0.0

    def at(self, ks: Sequence[int]) -> tuple[Forecast, ...]:
        """Coverage at each k with its intervals.

        Raises:
            UserError: a k is below 1 or beyond 10^15.
        """
        if not all(1 <= k <= _MAX_K for k in ks):
            raise UserError("forecast: k must be between 1 and 10^15")
        wanted = np.asarray(ks, dtype=np.int64)
        values, ends = self.expected(wanted), self._ends(wanted)
        # The estimate is within its intervals: it is the centre that they are drawn around.
        low50, low90 = np.minimum(ends.low50, values), np.minimum(ends.low90, values)
        high50, high90 = np.maximum(ends.high50, values), np.maximum(ends.high90, values)
        methods = ["measured" if k <= self.n else METHOD for k in ks]
        columns = (each.tolist() for each in (wanted, values, low50, high50, low90, high90))
        return tuple(Forecast(*row) for row in zip(*columns, methods, strict=True))

    def expected(self, ks: ArrayLike) -> Floats:
        """Expected coverage at each k, shape (ks,): measured up to the smallest n, and no less beyond it."""
        wanted = np.atleast_1d(np.asarray(ks, dtype=np.int64))
        values = np.zeros(len(wanted))
        beyond = wanted > self.n
        if not beyond.all():
            values[~beyond] = coverage(self.counts, wanted[~beyond]).coverage
        if beyond.any():
            law, weight = self._law(wanted[beyond]), self._law_weight
            settled = self._unsolved.settled(wanted[beyond])
            mixed = settled + self._unsolved.share * self._unsolved.chance(wanted[beyond])
            joined = mixed if law is None else (1 - weight) * mixed + weight * np.maximum(law, settled)
            values[beyond] = np.clip(joined, self.start, 1)
        return values

    def needed_k(self, target: float) -> int | None:
        """The smallest k, to three figures, whose expected coverage reaches `target`; None where none below 10^15 does.

        Raises:
            UserError: the target does not lie between 0 and 1.
        """
        if not 0 < target < 1:
            raise UserError(f"forecast: the coverage to reach is {target}; it must be between 0 and 1")
        ks, expected = self._expected_everywhere
        reached = np.flatnonzero(expected >= target)
        if not len(reached):
            return None
        high = int(ks[reached[0]])
        low = int(ks[reached[0] - 1]) if reached[0] else 0
        while high - low > max(1, high // 1000):
            middle = (low + high) // 2
            low, high = (middle, high) if self.expected([middle])[0] < target else (low, middle)
        return high

    @property
    def mixtures(self) -> tuple[Mixture, ...]:
        """Every family of rates, fitted to all problems."""
        return self._unsolved.mixtures

    def gain(self, more: int = 1000) -> float:
        """How much coverage `more` samples of every problem are expected to add."""
        return float(self.expected([self.n + more])[0]) - self.start

    def solve_probabilities(self, k: int) -> dict[str, float]:
        """For every problem not yet solved, the chance that k samples in all solve it, likeliest first.

        The mixtures rank the problems by how often each was tried; the sum is brought to the forecast's.
        """
        unsolved = np.flatnonzero(self.counts.c == 0)
        if not len(unsolved):
            return {}
        ranked = self._unsolved.chances_by_tries(self.counts.n[unsolved], max(k, self.n))
        further = float((self.expected([max(k, self.n)]) - self._unsolved.settled(np.array([max(k, self.n)])))[0])
        chances = np.clip(ranked * further * len(self.counts) / max(float(ranked.sum()), 1e-300), 0, 1)
        order = np.argsort(-chances, kind="stable")
        return {self.counts.problem_ids[unsolved[i]]: float(chances[i]) for i in order}

    @cached_property
    def _expected_everywhere(self) -> tuple[Ints, Floats]:
        """k from 1 to the largest, and expected coverage at each."""
        ks = np.unique(np.geomspace(1, _MAX_K, 400).astype(np.int64))
        return ks, self.expected(ks)

    def _law(self, ks: Ints) -> Floats | None:
        """Coverage by the anchored law, shape (ks,); None where the measured curve has no rise to fit."""
        if self._exponent is None:
            return None
        values: Floats = self.start ** ((ks / self.n) ** self._exponent)
        return values

    @cached_property
    def _unsolved(self) -> Unsolved:
        return Unsolved(self.counts)

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

    def _ends(self, ks: Ints) -> Ends:
        """The ends of the intervals at each k, on either side of n."""
        ends, beyond = Ends(*np.zeros((4, len(ks)))), ks > self.n
        if not beyond.all():
            for end, values in zip(ends, self._ends_measured(ks[~beyond]), strict=True):
                end[~beyond] = values
        if beyond.any():
            places, further = np.log(self._ladder - self.n), np.log(ks[beyond] - self.n)
            for end, values in zip(ends, self._ends_on_ladder, strict=True):
                end[beyond] = np.interp(further, places, values)
        return ends

    def _ends_measured(self, ks: Ints) -> Ends:
        """The ends of intervals over samples. As coverage does not fall with k, what is a lower end at some k is one at
        every larger k."""
        steps = self._measured_steps
        before, after = np.searchsorted(steps, ks, side="right") - 1, np.searchsorted(steps, ks)
        ends = []
        for band, on_steps in zip(self._bands(ks), self._bands_on_steps, strict=True):
            highest = np.maximum.accumulate(on_steps.low)
            ends += [np.clip(band.low, highest[before], highest[after]), band.high]
        return Ends(*ends)

    def _bands(self, ks: Ints) -> list[Band]:
        return intervals_over_samples(self.counts, ks, (0.5, 0.9))

    @cached_property
    def _measured_steps(self) -> Ints:
        return log_spaced_ks(self.n, _MEASURED_POINTS)

    @cached_property
    def _bands_on_steps(self) -> list[Band]:
        return self._bands(self._measured_steps)

    @cached_property
    def _ladder(self) -> Ints:
        """The k beyond n at which the ends of intervals are worked out; they are read off in between."""
        return self.n + np.unique(np.rint(np.geomspace(1, _MAX_K, _POINTS)).astype(np.int64))

    @cached_property
    def _ends_on_ladder(self) -> Ends:
        ks = self._ladder
        return ends_beyond(ks, self.expected(ks), self._unsolved, self.start, self._ends_measured(np.array([self.n])))
