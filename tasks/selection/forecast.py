"""What ways of picking are expected to deliver of more samples than were drawn.

Votes have a forecast, and so has the best of k by scores that mostly differ; other ways, and those with too few
samples, have none. It is for these very problems, as that of coverage is. `benchmarks/selection_forecast.py` compares
it with simpler rules, such as that nothing changes beyond the largest n.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.selection import Selector
from tasks.selection.forecast_of_best import can_forecast, forecast_of_best
from tasks.selection.forecast_of_votes import MIN_SAMPLES, forecast_of_votes
from tasks.selection.forecast_of_weighted_votes import Weighing, forecast_of_weighted_votes
from tasks.selection.outcomes import Outcomes
from tasks.selection.variance_of_best import Ranking
from tasks.selection.variance_of_votes import Counting

LEVEL = 0.9
# The share of the largest possible growth of the variance with accuracy, as in `tasks.selection.interval_over_samples`.
_GROWTH = 0.1


@dataclass(frozen=True, slots=True)
class PickForecast:
    """Expected accuracy (or coverage) of these problems at a k beyond the samples, with the ends of the central 90 %
    interval."""

    k: int
    value: float
    low: float
    high: float


def forecast(selector: Selector, problems: Sequence[Outcomes], ks: Ints, seed: int = 0) -> tuple[PickForecast, ...]:
    """The forecast at each k; empty for a way of picking that has none."""
    found = _forecast(selector, problems, ks, np.random.default_rng(seed))
    if found is None:
        return ()
    expected, variance = found
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    growth = z * z * _GROWTH / (2 * len(problems))
    half = growth + np.sqrt(z * z * variance + growth**2)
    columns = (ks, expected, np.clip(expected - half, 0, 1), np.clip(expected + half, 0, 1))
    return tuple(PickForecast(*row) for row in zip(*(column.tolist() for column in columns), strict=True))


def _forecast(
    selector: Selector, problems: Sequence[Outcomes], ks: Ints, generator: np.random.Generator
) -> tuple[Floats, Floats] | None:
    """Expected accuracy and its variance, shape (ks,) each."""
    if isinstance(selector, Counting) and min(each.n for each in problems) >= MIN_SAMPLES:
        return forecast_of_votes(selector, problems, ks, generator)
    if isinstance(selector, Weighing) and min(each.n for each in problems) >= MIN_SAMPLES:
        return forecast_of_weighted_votes(selector, problems, ks, generator)
    if isinstance(selector, Ranking) and can_forecast(selector, problems):
        return forecast_of_best(selector, problems, ks, generator)
    return None
