"""Comparisons to report on, from the usual one to edge cases."""

from functools import cache

import numpy as np

from tasks.costs.comparison import CostComparison, compare_costs
from tasks.costs.curves import coverage_curve
from tasks.costs.measures import LinearCost, Measure
from tasks.scaling.comparison import Comparison, compare
from tasks.scaling.estimators import Counts

from .sweeps import HOSTILE, counts_of

_RATES = np.random.default_rng(1).beta(0.4, 4, 60)


def _drawn(rates: np.ndarray, n: int, seed: int) -> Counts:
    return Counts.of([f"q{i}" for i in range(len(rates))], n, np.random.default_rng(seed).binomial(n, rates))


_SMALL = _drawn(_RATES, 500, 1)
_EASY = np.quantile(_RATES, 0.6)
_OTHER_SHAPE = np.where(_RATES > _EASY, np.minimum(1, _RATES * 6), _RATES * 0.05)

SETS = {
    "two": [("small", _SMALL), ("large", _drawn(np.minimum(1, 1.8 * _RATES), 500, 2))],
    "crossing": [("small", _SMALL), ("steady", _drawn(_OTHER_SHAPE, 500, 3)), ("short", _drawn(_RATES, 20, 4))],
    "formula": [("$\\frac$", _SMALL), ("_b$", _drawn(_RATES, 100, 5))],
    "hostile": [(HOSTILE, _SMALL), ("<b>\u202e&amp;", _drawn(_RATES, 100, 5))],
    "apart": [("usual", counts_of("usual")), ("small", _SMALL)],
    "adaptive": [("adaptive", counts_of("adaptive")), ("k = 1", counts_of("k = 1"))],
    "none and all": [("none", counts_of("none solved")), ("all", counts_of("all solved"))],
}


@cache
def costs_of(name: str) -> CostComparison | str:
    """The sets by cost, where they have the same problems. A sample of each costs a tenth more than one of the last."""
    counts = [each for _, each in SETS[name]]
    if any(each.problem_ids != counts[0].problem_ids for each in counts):
        return "cost: <script>the sets share no problem"
    curves = [
        coverage_curve(label, each, LinearCost(np.zeros(len(each)), np.full(len(each), 1.1**number)))
        for number, (label, each) in enumerate(SETS[name])
    ]
    return compare_costs(curves, Measure.DOLLARS, reach=0.3, budget=100, notes=[HOSTILE], resamples=50)


@cache
def comparison_of(name: str) -> Comparison:
    return compare(SETS[name], resamples=100)
