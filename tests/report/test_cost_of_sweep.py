"""What the samples of one sweep cost, on its page."""

import csv

import numpy as np
import pytest

from tasks.costs.measures import Measure
from tasks.records import Price
from tasks.report.cost.of_sweep import costs_of_sweep
from tasks.report.cost.phrases import amount
from tasks.report.cost.tables import sweep_cost_rows
from tasks.report.picking.model import Picking
from tasks.report.picking.of_sweep import picking_of
from tasks.report.sweep.publish import publish
from tasks.scorers import Spent
from tasks.store.fsspec_store import FsspecStore
from tasks.sweep.budgets import SolveConfig, VoteConfig
from tests.report.test_picking_of_sweep import of
from tests.store.stored import PROBLEMS, K, LastLineGrader, fill, sweep_of
from tests.sweep.toy_scorer import Opened, ToyScorer, run


def test_the_page_of_a_sweep_has_the_cost_of_k_samples_in_every_unit_that_is_known(filled_store):
    sweep = sweep_of(filled_store, problems=PROBLEMS, k=K, price=Price(2.0, 10.0))
    results = sweep.results()
    summary = results.summarise()
    picking = picking_of(sweep, summary, results.tally.counted_below)
    assert isinstance(picking, Picking)
    costs = costs_of_sweep(sweep.grading, results.tally.by_problem, summary, picking.summary)
    assert not isinstance(costs, str)
    # The model is not known, so that FLOPs are not.
    assert [each.measure for each in costs] == [Measure.DOLLARS, Measure.TOKENS, Measure.SECONDS]
    dollars = costs[0].rows[-1]
    assert dollars.point.k == K
    assert summary.usage is not None
    assert dollars.point.cost == pytest.approx(summary.usage.dollars)
    assert dollars.point.per_solved == pytest.approx(dollars.point.cost / summary.solved)
    assert dollars.point.per_point == pytest.approx(dollars.point.cost / (100 * summary.solved / PROBLEMS))
    best = max(picking.summary.picked, key=lambda each: each.table[-1].value)
    assert costs[0].delivered_by == best.label
    assert dollars.per_delivered == pytest.approx(dollars.point.cost / (PROBLEMS * best.table[-1].value))

    publication = publish(sweep.grading, results, summary, "", picking=picking, costs=costs)
    page = filled_store.read(publication.page.removeprefix(filled_store.url(""))).decode()
    assert "By k, in dollars" in page
    assert f"right answers are those that {best.label} delivers" in page
    folder = publication.page.removeprefix(filled_store.url("")).removesuffix("report.html")
    rows = list(csv.DictReader(filled_store.read(f"{folder}costs.csv").decode().splitlines()))
    assert {row["unit"] for row in rows} == {"dollars", "tokens", "seconds"}
    assert float(rows[-1]["cost"]) == pytest.approx(costs[-1].rows[-1].point.cost)


@pytest.mark.parametrize("budget", [SolveConfig(), VoteConfig()], ids=str)
def test_a_sweep_that_stops_by_its_outcomes_has_no_costs_by_k(tmp_path, budget):
    store = FsspecStore(str(tmp_path))
    fill(store, problems=4, k=10)
    sweep = sweep_of(store, problems=4, k=10, budget=budget)
    results = sweep.results()
    assert costs_of_sweep(sweep.grading, results.tally.by_problem, results.summarise()) == ()


def test_a_damaged_block_is_named_in_place_of_the_costs(filled_store):
    sweep = sweep_of(filled_store, problems=PROBLEMS, k=K)
    results = sweep.results()
    summary = results.summarise()
    block = min(sweep.samples.stored())
    key = sweep.samples.url(block).removeprefix(filled_store.url(""))
    filled_store.write(key, filled_store.read(key)[:-20])
    costs = costs_of_sweep(sweep.grading, results.tally.by_problem, summary)
    assert isinstance(costs, str)
    assert costs.startswith("What k samples cost could not be computed: store: ")
    assert key in costs
    assert "\n" not in costs


def test_costs_without_a_way_of_picking_have_no_right_answers(filled_store):
    sweep = sweep_of(filled_store, problems=PROBLEMS, k=K)
    results = sweep.results()
    costs = costs_of_sweep(sweep.grading, results.tally.by_problem, results.summarise())
    assert not isinstance(costs, str)
    assert [each.measure for each in costs] == [Measure.TOKENS, Measure.SECONDS]
    for each in costs:
        assert each.delivered_by is None
        assert all(row.per_delivered is None for row in each.rows)
        assert np.all(np.diff([row.point.cost for row in each.rows]) > 0)


class KnowingScorer(ToyScorer):
    """Knows what is right, for 40 tokens and a tenth of a dollar a candidate; with `silent`, does not say so."""

    silent: bool

    def __init__(self, *, silent=False):
        super().__init__(lambda candidates: [float(_ends_with_an_answer(each.text)) for each in candidates])
        self.silent = silent

    def open(self):
        return Knowing(self)


def _ends_with_an_answer(text):
    last = text.splitlines()[-1]
    return last.startswith("####") and last != "#### -1"


class Knowing(Opened):
    @property
    def spent(self):  # type: ignore[override]
        asked = len(self.config.asked)
        return Spent() if getattr(self.config, "silent", False) else Spent(0, 0.1 * asked, 40 * asked, 820 * asked)


def costs_with(folder, scorer):
    store = FsspecStore(str(folder))
    # This grader keeps no answers, so that there is no vote, which would be as good.
    run(fill(store, problems=PROBLEMS, k=K, grader=LastLineGrader()), scorer)
    sweep = of(sweep_of(store, problems=PROBLEMS, k=K, grader=LastLineGrader()), scorer)
    sweep.price = Price(2.0, 10.0)
    results = sweep.results()
    summary = results.summarise()
    picking = picking_of(sweep, summary, results.tally.counted_below)
    assert isinstance(picking, Picking)
    costs = costs_of_sweep(sweep.grading, results.tally.by_problem, summary, picking.summary)
    assert not isinstance(costs, str)
    assert picking.summary.gap is not None
    best, _ = picking.summary.gap
    assert best.scores == ("toy",)
    return {each.measure: each for each in costs}, best.table[-1].value


def test_a_right_answer_that_a_scorer_picks_costs_what_scoring_costs_too(tmp_path):
    scorer = KnowingScorer()
    costs, accuracy = costs_with(tmp_path, scorer)
    asked = len(scorer.asked)
    assert asked < PROBLEMS * K, "equal samples are scored once"
    for measure, more in ((Measure.DOLLARS, 0.1 * asked), (Measure.TOKENS, 40 * asked)):
        row = costs[measure].rows[-1]
        assert row.per_delivered == pytest.approx((row.point.cost + more) / (PROBLEMS * accuracy))
        assert any("scoring by toy counts" in note for note in costs[measure].notes)
    assert all(row.per_delivered for each in costs.values() for row in each.rows), "at each k of the table"
    row = costs[Measure.SECONDS].rows[-1]
    assert row.per_delivered > row.point.cost / (PROBLEMS * accuracy)
    *_, last = sweep_cost_rows([costs[Measure.DOLLARS]])
    row = costs[Measure.DOLLARS].rows[-1]
    assert (last["unit"], last["k"]) == ("dollars", f"{K}")
    assert last["cost"] == amount(row.point.cost, Measure.DOLLARS)
    assert last["per right answer"] == amount(row.per_delivered, Measure.DOLLARS)


def test_scoring_that_is_not_known_is_told_and_not_counted_as_nothing(tmp_path):
    costs, accuracy = costs_with(tmp_path, KnowingScorer(silent=True))
    row = costs[Measure.TOKENS].rows[-1]
    assert row.per_delivered == pytest.approx(row.point.cost / (PROBLEMS * accuracy))
    (note,) = (note for note in costs[Measure.TOKENS].notes if "scoring" in note)
    assert "scoring not counted: what toy used is not stored" in note
