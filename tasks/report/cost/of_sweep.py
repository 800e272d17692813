"""What the samples of one sweep cost at each k, in every unit that is known, for its page."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tasks.costs.comparison import CostPoint, costed_set
from tasks.costs.curves import coverage_curve
from tasks.costs.measures import LinearCost, Measure
from tasks.costs.prices import bundled_prices, find_price
from tasks.errors import UserError
from tasks.report.comparison.load import NamedCounts, StoredSet
from tasks.report.cost.counting import CostCounter, Rules
from tasks.report.cost.load import stored_results
from tasks.scaling.estimators import Counts, round_ks
from tasks.scaling.summary import SweepSummary
from tasks.selection.summary import PickSummary
from tasks.store.inspect.catalog import find
from tasks.sweep.grading import Grading


@dataclass(frozen=True, slots=True)
class CostRow:
    """A k: what its samples cost for all problems, and the cost of each right answer that the best way of picking
    delivers, with what scoring them costs; None where none is known."""

    point: CostPoint
    per_delivered: float | None


@dataclass(frozen=True, slots=True)
class SweepCost:
    """What k samples for each of `problems` problems cost in one unit. `delivered_by` is the way of picking whose right
    answers are counted, None where there is none; `notes` say what was assumed."""

    measure: Measure
    problems: int
    rows: tuple[CostRow, ...]
    delivered_by: str | None
    notes: tuple[str, ...]


class _Delivered(NamedTuple):
    """A way of picking, its accuracy by k, and the scores that it picks by."""

    label: str
    accuracy: Mapping[int, float]
    scores: tuple[str, ...]


def costs_of_sweep(
    grading: Grading, counts: Counts, summary: SweepSummary, picked: PickSummary | None = None
) -> tuple[SweepCost, ...] | str:
    """The costs of a sweep in dollars, FLOPs, tokens and seconds, each if it is known; none for a sweep that stops
    at first successes or at settled votes. Where a block is damaged or absent, which one, in a sentence.

    Args:
        grading: of the sweep.
        counts: its graded samples.
        summary: of the same, which has the price.
        picked: what ways of picking deliver of the same samples.
    """
    graded = counts.graded()
    if not summary.gives_coverage or not graded.reach:
        return ()
    store, name = grading.samples.store, grading.samples.identity.name
    delivered = None if picked is None else _delivered(picked)
    today = datetime.datetime.now(tz=datetime.UTC).date()
    samples = find(store, name)
    results = stored_results(NamedCounts(samples.label, name, graded), StoredSet(store, samples, summary), today)
    price = results.price or find_price(results.models, (bundled_prices(),))
    try:
        used = results.usage(graded.problem_ids)
    except UserError as error:
        return f"What k samples cost could not be computed: {error}"
    found = []
    for measure in Measure:
        counter = CostCounter(measure, Rules(), today)
        try:
            cost = counter.cost(results, used, price)
        except UserError:  # this unit is not known
            continue
        curve = coverage_curve(results.label, graded, cost, round_ks(graded.reach))
        if not np.any(curve.total_cost):
            continue
        to_deliver = cost
        if delivered is not None:
            to_deliver = counter.with_scoring(
                cost, results, used, price, scores=delivered.scores, tables=(bundled_prices(),)
            )
        rows = tuple(_row(point, len(graded), delivered, to_deliver) for point in costed_set(curve).table)
        by = None if delivered is None else delivered.label
        found.append(SweepCost(measure, len(graded), rows, by, tuple(counter.notes())))
    return tuple(found)


def _row(point: CostPoint, problems: int, delivered: _Delivered | None, cost: LinearCost) -> CostRow:
    right = None if delivered is None else delivered.accuracy.get(point.k)
    return CostRow(point, float(cost.at(point.k).sum()) / (problems * right) if right else None)


def _delivered(of: PickSummary) -> _Delivered | None:
    """The way of picking that delivers most at the largest k."""
    if of.gap is None:
        return None
    best, _ = of.gap
    at = {point.k: point.value for point in best.curve} | {point.k: point.value for point in best.table}
    return _Delivered(best.label, at, best.scores)
