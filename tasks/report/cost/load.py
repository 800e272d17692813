"""Loads sets to compare by cost: their counts, what their samples used, and what that costs."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tasks.costs.comparison import CostComparison, compare_costs, require_number_of_sets
from tasks.costs.curves import CostCurve, accuracy_curve, coverage_curve
from tasks.costs.measures import LinearCost, Measure
from tasks.costs.prices import ModelPrice, find_price
from tasks.engines.model_files import BUNDLED, bundled_models, fingerprint
from tasks.errors import UserError
from tasks.files.answer_usage import is_answer_table, read_answer_usage
from tasks.files.usage import read_counts_and_usage
from tasks.report.comparison.load import NamedCounts, StoredSet
from tasks.report.cost.counting import CostCounter, CostedResults, CostedScorer, Rules, default_measure, price_tables
from tasks.scaling.comparison import shared_problems
from tasks.scaling.estimators import log_spaced_ks, round_ks
from tasks.scaling.notes import notes_on_counts
from tasks.selection import Outcomes, Selector
from tasks.selection.curves import pick_curve
from tasks.store.inspect.catalog import StoredSamples
from tasks.store.inspect.scoring_usage import scoring_usage
from tasks.store.inspect.usage import usage

# Values of k at which a selector's accuracy is computed, which may take Monte Carlo.
_POINTS = 30


class Delivery(NamedTuple):
    """A way of picking, and what reads the samples of a stored set for it, with notes on what was left out."""

    selector: Selector
    outcomes: Callable[[str], tuple[Sequence[Outcomes], Sequence[str]]]


def compared_by_cost(
    named: Sequence[NamedCounts],
    rules: Rules,
    *,
    reach: float | None = None,
    budget: float | None = None,
    delivery: Delivery | None = None,
) -> CostComparison:
    """The sets by cost: by their coverage, or by what a way of picking delivers.

    Raises:
        UserError: a set cannot be read, or has not the counts or the price that its cost needs, or the sets share too
            few problems.
    """
    require_number_of_sets(len(named))
    today = datetime.datetime.now(tz=datetime.UTC).date()
    tables = price_tables(rules)
    sets = [_from_file(each) if each.stored is None else stored_results(each, each.stored, today) for each in named]
    shared, notes = _shared(sets)
    usages = [each.usage(shared) for each in sets]
    priced = [each.price or find_price(each.models, tables) for each in sets]
    if rules.prices is not None:  # before the price of a sweep
        priced = [find_price(each.models, tables[:1]) or price for each, price in zip(sets, priced, strict=True)]
    measure = rules.measure or default_measure(usages, priced, rules)
    counter = CostCounter(measure, rules, today)
    curves = []
    for each, of_set, price in zip(sets, usages, priced, strict=True):
        cost = counter.cost(each, of_set, price)
        if delivery is None:
            curves.append(coverage_curve(each.label, each.counts.of_ids(shared), cost))
        else:
            scores = [need.score for need in delivery.selector.needs if need.score]
            cost = counter.with_scoring(cost, each, of_set, price, scores=scores, tables=tables)
            curve, left_out = _delivered(delivery, each, tuple(shared), cost)
            curves.append(curve)
            notes += [f"{each.label}: {note}" for note in left_out]
        notes += [f"{each.label}: {note}" for note in notes_on_counts(each.counts)]
    if all(curve.total_cost[-1] == 0 for curve in curves):
        raise UserError("cost: samples are free at these prices; give others with --prices FILE, or count --in tokens")
    if rules.measure is None and measure is Measure.TOKENS:
        without = " and ".join(each.label for each, price in zip(sets, priced, strict=True) if price is None)
        notes.append(f"Costs are counted in tokens, as there is no price for {without}; give one with --prices FILE.")
    by = None if delivery is None else delivery.selector.label
    return compare_costs(curves, measure, reach=reach, budget=budget, delivered_by=by, notes=[*counter.notes(), *notes])


def _scorers(samples: StoredSamples) -> dict[str, CostedScorer]:
    """What scored a set, by the names of its scores: that of the scorer, and that of the set of scores."""
    found: dict[str, CostedScorer] = {}
    for scores in samples.scores:
        used = None if scores.from_newer_version else scoring_usage(scores)
        if used is not None:
            scorer = str(scores.ingredients.get("scorer", scores.name))
            models, config = _scoring_model(scores.ingredients)
            costed = CostedScorer(used, (*models, scorer, scores.name), config)
            found |= {scorer: costed, scores.name: costed}
    return found


def _scoring_model(ingredients: Mapping[str, Any]) -> tuple[tuple[str, ...], Path | None]:
    """The names of a scorer's model, and its config.json where it is bundled, or a folder that is here."""
    settings = ingredients.get("settings")
    model: Any = settings.get("model") if isinstance(settings, dict) else None
    if isinstance(model, list):  # a bundled scorer's head, and the model that it shares
        model = model[-1]
    return _model({"model": model})


def _delivered(
    delivery: Delivery, of: CostedResults, problems: tuple[str, ...], cost: LinearCost
) -> tuple[CostCurve, Sequence[str]]:
    """What the selector delivers of a set at each k, and notes on it."""
    if of.is_table:
        raise UserError(
            f"--by: {of.label} is a table of counts; what is delivered is known of stored sets and tables of answers"
        )
    outcomes, notes = delivery.outcomes(of.name)
    by_id = {each.problem_id: each for each in outcomes}
    missing = next((problem for problem in problems if problem not in by_id), None)
    if missing is not None:
        raise UserError(f"--by: {of.label} has no graded sample of problem {missing!r}; run its sweep again")
    chosen = [by_id[problem] for problem in problems]
    last = min(each.n for each in chosen)
    ks = np.union1d(log_spaced_ks(last, _POINTS), round_ks(last))
    picked = pick_curve(delivery.selector, chosen, ks)
    return accuracy_curve(of.label, problems, ks, picked.each, cost), notes


def _shared(sets: Sequence[CostedResults]) -> tuple[list[str], list[str]]:
    """The problems that all sets have, in the first one's order, with a note where some are left out."""
    graded = [(each.label, each.counts.graded()) for each in sets]
    for label, of_set in graded:
        if not len(of_set):
            raise UserError(f"cost: {label} has no graded sample")
    shared, notes = shared_problems(graded)
    if not shared or (len(shared) == 1 and notes):
        few = "no problem" if not shared else "only one problem"
        raise UserError(
            f"cost: {' and '.join(label for label, _ in graded)} share {few}; give sets of the same problems"
        )
    return shared, notes


def _from_file(file: NamedCounts) -> CostedResults:
    path = Path(file.name)
    if is_answer_table(path):
        counts, of_answers = read_answer_usage(path)
        return CostedResults(file.label, file.name, (path.stem,), counts, of_answers.of, None, None, is_answers=True)
    graded, used = read_counts_and_usage(path)
    return CostedResults(file.label, file.name, (path.stem,), graded, used.of, None, None, is_table=True)


def stored_results(named: NamedCounts, stored: StoredSet, today: datetime.date) -> CostedResults:
    """A stored set, with the price of its sweep and its model's config.json where they are known."""
    samples, summary = stored.samples, stored.summary
    price = None if summary is None or summary.usage is None else summary.usage.price
    own = None
    if price is not None:
        own = ModelPrice(
            model=samples.label,
            prompt=price.prompt,
            completion=price.completion,
            date=today,
            source="its sweep's price",
        )
    models, config = _model(samples.ingredients)
    return CostedResults(
        named.label,
        named.name,
        (*models, samples.label, samples.name),
        named.counts,
        partial(usage, stored.store, samples),
        own,
        config,
        scorers=_scorers(samples),
    )


def _model(ingredients: Mapping[str, Any]) -> tuple[tuple[str, ...], Path | None]:
    """The names of a set's model, and its config.json where the model is bundled."""
    model: Any = ingredients.get("model")
    if isinstance(model, dict):
        model = model.get("hub")
    if model is None and isinstance(known := ingredients.get("provenance"), dict):
        model = known.get("model")
    if not isinstance(model, str):
        return (), None
    for bundled in bundled_models():
        if model in {bundled, fingerprint(BUNDLED / bundled)}:
            return (bundled,), BUNDLED / bundled / "config.json"
    file = Path(model) / "config.json"
    return tuple(dict.fromkeys((model, model.rstrip("/").rsplit("/", 1)[-1]))), file if file.is_file() else None
