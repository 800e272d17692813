"""All ways to spend on some sets, with draws of the problems: what every question about cost starts from."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tasks.costs.curves import CostCurve, Option, ResampledCurve, resample
from tasks.costs.mixtures import mixtures
from tasks.scaling.arrays import Floats
from tasks.scaling.resampling import percentile_tail

RESAMPLES = 1_000


@dataclass(frozen=True, eq=False)
class Candidates:
    """The curves, one option for each k of each, and the mixtures of two. `drawn` are the curves for other draws of the
    problems, the same for all; None where there is only one problem, which says nothing of others."""

    curves: tuple[CostCurve, ...]
    options: tuple[Option, ...]
    mixed: tuple[Option, ...]
    drawn: tuple[ResampledCurve, ...] | None
    level: float

    @property
    def tail(self) -> float:
        """The share of resamples to leave out at either end of an interval."""
        return percentile_tail(self.level, len(self.curves[0].problem_ids))

    def ends(self, values: Floats) -> tuple[float | None, float | None]:
        """The interval of a value of each resample; None for an end that is infinite."""
        low, high = np.quantile(values, [self.tail, 1 - self.tail], method="inverted_cdf").tolist()
        return (low if np.isfinite(low) else None), (high if np.isfinite(high) else None)


def candidates(
    curves: Sequence[CostCurve], *, mix: bool, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Candidates:
    """The candidates of curves of the same problems, with mixtures if `mix`, for curves of coverage."""
    found = tuple(curves)
    return Candidates(
        found,
        tuple(option for curve in found for option in curve.options()),
        tuple(option for pair in combinations(found, 2) for option in mixtures(*pair)) if mix else (),
        resample(found, resamples, seed) if len(found[0].problem_ids) > 1 else None,
        level,
    )
