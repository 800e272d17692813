"""What samples still to be drawn will add up to, from those that were seen: a total with a prediction interval.

Problems differ, and so do the samples of one. A problem that has samples is expected to continue like them; one
without is a draw from the problems that have some. The interval covers both what is not known yet (means from few
samples, from few problems) and what the missing samples will vary by.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from tasks.scaling.arrays import Floats, Ints


@dataclass(frozen=True, eq=False)
class Seen:
    """What was seen of a quantity, by problem, each of shape (problems,): how many values, their sum, and the sum of
    their squares."""

    n: Ints
    total: Ints
    squares: Ints


@dataclass(frozen=True, slots=True)
class Prediction:
    """A total, with its interval at `level`; without one where too little was seen to tell how much it varies."""

    expected: float
    low: float | None
    high: float | None
    level: float

    def scaled(self, factor: float) -> "Prediction":
        """The same in another unit."""
        low, high = (None if each is None else each * factor for each in (self.low, self.high))
        return Prediction(self.expected * factor, low, high, self.level)


def predict_total(seen: Seen, missing: Ints, *, most: float = np.inf, level: float = 0.95) -> Prediction | None:
    """The sum of the next `missing` values of each problem, shape (problems,), each from 0 to `most`; None where
    nothing was seen.

    With w values to come of problem p, its variance is that of the values, w σ², and that of the mean that stands for
    them, w² σ²/n. Problems that were not seen lean on the mean of all P problems seen: that adds to every w, and adds
    the variance between problems, for the problems to come and for the P that stand for them. Variances from few values
    get their due by Satterthwaite's degrees of freedom.
    """
    known = seen.n > 0
    if not known.any():
        return None
    n = seen.n[known].astype(float)
    means = seen.total[known] / n
    problems, unseen = len(n), missing[~known].astype(float)
    weights = missing[known] + unseen.sum() / problems
    expected = float(weights @ means)
    count = float(missing.sum())

    within, degrees = _within(n, means, seen.squares[known])
    pooled = _pooled(within, n)
    if pooled is None:
        return Prediction(expected, None, None, level)
    within = np.where(n > 1, within, pooled)
    degrees = np.where(n > 1, degrees, (n - 1).sum())
    parts = weights**2 * within / n + missing[known] * within
    if unseen.any():
        if problems == 1:
            return Prediction(expected, None, None, level)
        between = max(0.0, float(means.var(ddof=1) - (within / n).mean()))
        apart = between * (float(unseen @ unseen) + unseen.sum() ** 2 / problems)
        parts = np.append(parts, [unseen.sum() * pooled, apart])
        degrees = np.append(degrees, [(n - 1).sum(), problems - 1])
    variance = float(parts.sum())
    reach = 0.0
    if variance > 0:
        reach = float(stdtrit(variance**2 / (parts**2 / degrees).sum(), (1 + level) / 2)) * variance**0.5
    low, high = np.clip([expected - reach, expected + reach], 0, most * count if count else 0.0)
    return Prediction(expected, float(low), float(high), level)


def _within(n: Floats, means: Floats, squares: Ints) -> tuple[Floats, Floats]:
    """The unbiased variance of each problem's values, and its degrees of freedom; 0 where one value tells nothing."""
    degrees = n - 1
    deviations = np.maximum(squares - n * means**2, 0.0)
    return np.divide(deviations, degrees, out=np.zeros_like(n), where=degrees > 0), degrees


def _pooled(within: Floats, n: Floats) -> float | None:
    """The variance of values about their problem's mean, over all problems; None where no problem has two."""
    degrees = n - 1
    return float(degrees @ within / degrees.sum()) if degrees.any() else None
