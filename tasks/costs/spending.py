"""How to spend: the frontier with its band, the cheapest way to a share of the problems, the best use of a budget."""

from dataclasses import dataclass

import numpy as np

from tasks.costs.candidates import Candidates
from tasks.costs.curves import Option
from tasks.costs.frontier import best, best_accuracy, best_accuracy_alone, cheapest, least_cost, pareto
from tasks.costs.mixtures import Gain, MixedPoint, accuracy_of, gain
from tasks.scaling.arrays import finite_or_none
from tasks.scaling.interval_over_problems import interval_of_mean


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """An option on the frontier. `low` to `high` is an interval of the most that any set solves within its cost, and in
    `share` of the resamples it is this option's set that does."""

    option: Option
    low: float | None
    high: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Reach:
    """The cheapest way to solve a share of the problems: of one set, and of two (`mixture`), where that costs less.
    `low` to `high` is an interval of the cost; `high` is None where it is beyond the samples."""

    accuracy: float
    option: Option | None
    low: float | None
    high: float | None
    mixture: Option | None


@dataclass(frozen=True, slots=True)
class Best:
    """The best use of a budget: of one set, and of two (`mixture`), where that solves more. `low` to `high` is an
    interval of the most that any set solves within the budget."""

    budget: float
    option: Option | None
    low: float | None
    high: float | None
    mixture: Option | None
    gain: Gain | None


def frontier(of: Candidates) -> tuple[FrontierPoint, ...]:
    """The frontier of samples of one set. Its band is around the most that any set solves, a maximum, which another
    draw of the problems gives to another set now and then."""
    found = pareto(of.options)
    if of.drawn is None or not found:
        return tuple(FrontierPoint(option, None, None, None) for option in found)
    by_curve = best_accuracy(of.drawn, np.array([option.cost for option in found]))
    solved_most = by_curve.max(axis=0)
    low, high = np.quantile(solved_most, [of.tail, 1 - of.tail], axis=0)
    number = {curve.label: position for position, curve in enumerate(of.curves)}
    return tuple(
        FrontierPoint(
            option,
            float(min(low[i], option.accuracy)),
            float(max(high[i], option.accuracy)),
            float((by_curve[number[option.parts[0].label], :, i] >= solved_most[:, i]).mean()),
        )
        for i, option in enumerate(found)
    )


def mixed_frontier(of: Candidates) -> tuple[MixedPoint, ...]:
    """The mixtures on the frontier of samples of one set and of two that solve more than any one set at their cost."""
    every = [option for option in pareto([*of.options, *of.mixed]) if len(option.parts) > 1] if of.mixed else []
    alone = best_accuracy_alone(of.curves, np.array([option.cost for option in every])).tolist() if every else []
    found = [(option, reached) for option, reached in zip(every, alone, strict=True) if option.accuracy > reached]
    if not found:
        return ()
    band = interval_of_mean(np.column_stack([accuracy_of(of.curves, option) for option, _ in found]), of.level)
    ends = zip(found, finite_or_none(band.low), finite_or_none(band.high), strict=True)
    return tuple(MixedPoint(option, low, high, reached) for (option, reached), low, high in ends)


def cheapest_way(of: Candidates, accuracy: float) -> Reach:
    """The cheapest way to solve this share of the problems."""
    option, mixture = cheapest(of.options, accuracy), cheapest(of.mixed, accuracy)
    low, high = (None, None) if of.drawn is None else of.ends(least_cost(of.drawn, accuracy))
    if mixture is not None and option is not None and mixture.cost >= option.cost:
        mixture = None
    return Reach(accuracy, option, low, high, mixture)


def best_use(of: Candidates, budget: float) -> Best:
    """The best use of this cost for all problems."""
    option, mixture = best(of.options, budget), best(of.mixed, budget)
    if option is None:
        return Best(budget, None, None, None, None, None)
    low = high = None
    if of.drawn is not None:
        low, high = of.ends(best_accuracy(of.drawn, np.array([budget])).max(axis=0)[:, 0])
    if mixture is None or mixture.accuracy <= option.accuracy:
        return Best(budget, option, low, high, None, None)
    more = None if of.drawn is None else gain(of.curves, mixture, option, of.level)
    return Best(budget, option, low, high, mixture, more)
