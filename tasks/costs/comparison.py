"""Several sets by what they cost: the frontier of accuracy against cost, the cheapest way to a share of the problems,
the best use of a budget, mixtures of two sets, and where one set overtakes another.

All sets are on the same problems, so that a bootstrap over problems draws the same ones for all, and what makes a
problem hard, or long, for every set cancels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.costs.candidates import RESAMPLES, candidates
from tasks.costs.curves import CostCurve
from tasks.costs.measures import Measure
from tasks.costs.mixtures import MixedPoint
from tasks.costs.overtaking import CostCrossing, Match, crossings, matches
from tasks.costs.spending import Best, FrontierPoint, Reach, best_use, cheapest_way, frontier, mixed_frontier
from tasks.errors import UserError
from tasks.scaling.arrays import finite_or_none
from tasks.scaling.estimators import round_ks

MAX_SETS = 8


@dataclass(frozen=True, slots=True)
class CostPoint:
    """A set at k: the cost for all problems, the share solved with its interval, and what it comes to: the cost per
    problem solved and per percentage point, which are None where nothing is solved, and per problem solved in addition
    to those at the k before in the table, which is None where none is."""

    k: int
    cost: float
    accuracy: float
    low: float | None
    high: float | None
    per_solved: float | None
    per_point: float | None
    per_further: float | None


@dataclass(frozen=True, slots=True)
class CostedSet:
    """One set: `table` at round k, and `curve` at every k that was evaluated."""

    label: str
    table: tuple[CostPoint, ...]
    curve: tuple[CostPoint, ...]


@dataclass(frozen=True, slots=True)
class CostComparison:
    """Sets in the order given, on `problems` problems, with costs counted in `measure`; intervals are at `level`.
    `mixed` are the mixtures on the frontier with mixtures, cheapest first. `delivered_by` names the way of picking
    whose accuracy is shown; it is None for coverage. `notes` say what was assumed and left out."""

    measure: Measure
    problems: int
    sets: tuple[CostedSet, ...]
    frontier: tuple[FrontierPoint, ...]
    mixed: tuple[MixedPoint, ...]
    reach: Reach | None
    budget: Best | None
    crossings: tuple[CostCrossing, ...]
    matches: tuple[Match, ...]
    level: float
    notes: tuple[str, ...]
    delivered_by: str | None = None


def compare_costs(
    curves: Sequence[CostCurve],
    measure: Measure,
    *,
    reach: float | None = None,
    budget: float | None = None,
    delivered_by: str | None = None,
    notes: Sequence[str] = (),
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> CostComparison:
    """Compare sets by accuracy and cost.

    Args:
        curves: of the same problems, in the same order, under labels that differ.
        measure: what costs are counted in.
        reach: the share of problems to solve, above 0 and at most 1, for the cheapest way to it.
        budget: the cost to spend on all problems, for its best use.
        delivered_by: the way of picking whose accuracy the curves have; None for coverage, for which mixtures of two
            sets are considered, too.
        notes: handed on.
        level: probability of the intervals.
        resamples: bootstrap draws of the problems.
        seed: seed of the draws.

    Raises:
        UserError: no set or too many, a label twice, or sets of different problems.
    """
    _check(curves)
    found = candidates(curves, mix=delivered_by is None, level=level, resamples=resamples, seed=seed)
    return CostComparison(
        measure=measure,
        problems=len(curves[0].problem_ids),
        sets=tuple(costed_set(curve) for curve in curves),
        frontier=frontier(found),
        mixed=mixed_frontier(found),
        reach=None if reach is None else cheapest_way(found, reach),
        budget=None if budget is None else best_use(found, budget),
        crossings=crossings(found),
        matches=matches(found),
        level=level,
        notes=tuple(notes),
        delivered_by=delivered_by,
    )


def require_number_of_sets(sets: int) -> None:
    """Raise UserError if this number of sets cannot be compared; called before they are read."""
    if not 1 <= sets <= MAX_SETS:
        raise UserError(f"cost: {sets} sets given; give one to {MAX_SETS}")


def _check(curves: Sequence[CostCurve]) -> None:
    labels = [curve.label for curve in curves]
    require_number_of_sets(len(curves))
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise UserError(f"cost: {twice!r} is given twice; set labels must be unique")
    other = next((curve for curve in curves if curve.problem_ids != curves[0].problem_ids), None)
    if other is not None:
        raise UserError(f"cost: {labels[0]} and {other.label} have different problems; compare sets of the same ones")


def costed_set(curve: CostCurve) -> CostedSet:
    """A set's costs at round k, and at every k of its curve."""
    rows = np.searchsorted(curve.ks, np.intersect1d(curve.ks, round_ks(int(curve.ks[-1]))))
    return CostedSet(curve.label, _points(curve, rows), _points(curve, np.arange(len(curve.ks))))


def _points(curve: CostCurve, rows: Any) -> tuple[CostPoint, ...]:
    problems, found = len(curve.problem_ids), []
    spent = solved = 0.0
    for k, cost, accuracy, low, high in zip(
        *(each[rows].tolist() for each in (curve.ks, curve.total_cost, curve.mean_accuracy)),
        *(finite_or_none(each[rows]) for each in (curve.low, curve.high)),
        strict=True,
    ):
        more = problems * (accuracy - solved)
        found.append(
            CostPoint(
                k,
                cost,
                accuracy,
                low,
                high,
                per_solved=cost / (problems * accuracy) if accuracy > 0 else None,
                per_point=cost / (100 * accuracy) if accuracy > 0 else None,
                per_further=(cost - spent) / more if more > 1e-9 else None,
            )
        )
        spent, solved = cost, accuracy
    return tuple(found)
