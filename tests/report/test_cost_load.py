"""Stored sets by cost: their tokens, the price of their sweep, and their models."""

import json

import numpy as np
import pytest

from tasks.costs.flops import ModelShape
from tasks.costs.measures import Measure, Prompts
from tasks.engines.model_files import BUNDLED, fingerprint
from tasks.errors import UserError
from tasks.records import Price, ScoredSample
from tasks.report.comparison.load import read_sets
from tasks.report.cost.counting import Rules
from tasks.report.cost.load import Delivery, compared_by_cost
from tasks.report.cost.phrases import amount, headline
from tasks.report.sweep.publish import publish
from tasks.scorers import Spent
from tasks.selection import Outcomes
from tasks.selection.best_of import BestOf
from tasks.selection.majority import Majority
from tasks.store.annotations import SCORES
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import find
from tests.store.stored import PROBLEMS, K, answers, fill, sweep_of


def read(store, name="arithmetic"):
    return read_sets([name], None, lambda: store)


def compared(store, **rules):
    return compared_by_cost(read(store), Rules(**rules))


def change_ingredients(store, **changes):
    (key,) = [key for key in store.sizes("samples") if key.endswith("set.json")]
    store.write(key, json.dumps(json.loads(store.read(key)) | changes).encode())


def mean_tokens():
    drawn = [sample.tokens or 0 for of in answers(PROBLEMS, K).values() for sample in of.values()]
    return sum(drawn) / K


def test_the_tokens_of_a_stored_set_are_counted(filled_store):
    found = compared(filled_store)
    assert found.measure is Measure.TOKENS
    row = {each.k: each for each in found.sets[0].table}[10]
    assert row.cost == pytest.approx(10 * (PROBLEMS * 30 + mean_tokens()))
    once = compared(filled_store, measure=Measure.TOKENS, prompts=Prompts.ONCE).sets[0].table[-1]
    assert once.cost == pytest.approx(PROBLEMS * 30 + K * mean_tokens())


@pytest.mark.usefixtures("without_figures_of_counts")
def test_a_set_costs_what_its_sweep_says_unless_a_file_of_prices_has_its_model(filled_store, tmp_path_factory):
    sweep = sweep_of(filled_store, problems=PROBLEMS, k=K, price=Price(2.0, 10.0))
    results = sweep.results()
    publish(sweep.grading, results, results.summarise(), "")
    found = compared(filled_store)
    assert found.measure is Measure.DOLLARS
    assert found.sets[0].table[0].cost == pytest.approx((2 * PROBLEMS * 30 + 10 * mean_tokens()) / 1e6)
    file = tmp_path_factory.mktemp("prices") / "prices.yaml"
    name = found.sets[0].label
    file.write_text(f"prices: [{{model: {name}, prompt: 0, completion: 1, date: 2026-11-01}}]")
    again = compared(filled_store, prices=str(file))
    assert again.sets[0].table[0].cost == pytest.approx(mean_tokens() / 1e6)


def test_flops_of_a_bundled_model_need_no_config(filled_store):
    with pytest.raises(UserError, match="the model of arithmetic-recorded is not known"):
        compared(filled_store, measure=Measure.FLOPS)
    change_ingredients(filled_store, model=fingerprint(BUNDLED / "arithmetic"))
    found = compared(filled_store, measure=Measure.FLOPS)
    shape = 771_200  # parameters, of the two bundled models alike
    prompts = PROBLEMS * sum(2 * (shape + 2 * 4 * 128 * at) for at in range(1, 31))
    decoded = sum(
        2 * (shape + 2 * 4 * 128 * (30 + at))
        for of in answers(PROBLEMS, K).values()
        for sample in of.values()
        for at in range(1, (sample.tokens or 0) + 1)
    )
    assert found.sets[0].table[-1].cost == pytest.approx(prompts + decoded)
    assert any("771,200 parameters, 4 layers, hidden size 128" in note for note in found.notes)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "openai/gpt-4o"},
        {"model": "gpt-4o"},
        {"model": {"hub": "openai/gpt-4o", "commit": "abc"}},
        {"provenance": {"model": "openai/gpt-4o"}},
    ],
)
def test_the_price_of_a_set_is_looked_up_by_its_model(filled_store, changes):
    change_ingredients(filled_store, **changes)
    found = compared(filled_store)
    assert found.measure is Measure.DOLLARS
    assert found.sets[0].table[0].cost == pytest.approx((2.5 * PROBLEMS * 30 + 10 * mean_tokens()) / 1e6)
    assert any("$2.5 per million prompt tokens" in note for note in found.notes)


def test_a_set_that_is_not_graded_is_told(tmp_path):
    store = FsspecStore(str(tmp_path))
    sweep = fill(store, problems=2, k=3)
    for key in store.sizes(f"verdicts/{sweep.samples.identity.name}"):
        store.delete(key)
    with pytest.raises(UserError, match="has not been graded yet"):
        compared(store)


@pytest.mark.usefixtures("without_figures_of_counts")
def test_a_report_on_samples_that_are_gone_is_told(filled_store):
    sweep = sweep_of(filled_store, problems=PROBLEMS, k=K)
    results = sweep.results()
    publish(sweep.grading, results, results.summarise(), "")
    samples = find(filled_store, "arithmetic")
    filled_store.delete(samples.objects.key(min(samples.objects.footers)))
    with pytest.raises(UserError, match=f"{samples.name} has no stored sample of problem .*; run its sweep again"):
        compared(filled_store)


def outcomes_with(answers_of):
    """Reads outcomes in which the answer and the verdict of each sample are given."""

    def outcomes(name):
        found = []
        for problem in answers(PROBLEMS, 1):
            given = np.array(answers_of)
            scores = {"reward": np.arange(len(given), dtype=np.float64)}
            found.append(Outcomes(problem, given == 0, given.astype(np.int64), scores))
        return found, ["a note"]

    return outcomes


def test_what_is_delivered_is_compared_at_the_cost_of_the_samples(filled_store):
    # Three of five say 0, which is right: a majority of five always does, one sample in three of five.
    delivery = Delivery(Majority(), outcomes_with([0, 0, 0, 1, 2]))
    found = compared_by_cost(read(filled_store), Rules(), delivery=delivery)
    assert found.delivered_by == Majority().label
    at = {row.k: row for row in found.sets[0].table}
    assert at[1].accuracy == pytest.approx(0.6)
    assert at[5].accuracy == pytest.approx(1)
    assert at[5].cost == pytest.approx(5 * (PROBLEMS * 30 + mean_tokens()))
    assert at[5].per_solved == pytest.approx(at[5].cost / PROBLEMS)
    assert "arithmetic-recorded: a note" in found.notes
    assert headline(found).startswith(f"Delivered by {Majority().label}: ")
    assert found.mixed == ()


def scored(store, **used):
    """Scores of every sample, whose blocks took 6 seconds and `used` this for each sample."""
    samples = find(store, "arithmetic")
    for block, footer in samples.objects.footers.items():
        scores = [
            ScoredSample(problem, index, 1.0)
            for position, problem in enumerate(answers(PROBLEMS, 1))
            if position in block.positions
            for index in block.indices
        ]
        key = f"scores/{samples.name}/reward-v1-000000000000/{block.key}"
        data = SCORES.write(
            scores, key, samples_checksum=footer.checksum, made_by="reward",
            written_at=f"2026-11-29T12:{block.first:02}:00+00:00", seconds=6.0,
            more={name: each * block.samples for name, each in used.items()},
        )  # fmt: skip
        store.write(key, data)
    settings = {"model": fingerprint(BUNDLED / "arithmetic")}
    document = {"scorer": "reward", "version": 1, "settings": settings}
    store.write(f"scores/{samples.name}/reward-v1-000000000000/set.json", json.dumps(document).encode())
    return 6.0 * len(samples.objects.footers)


def added_by_scoring(store, **rules):
    """What one sample of each problem costs more by best of k than by majority, and the notes on scoring."""

    def compared_with(selector):
        return compared_by_cost(read(store), Rules(**rules), delivery=Delivery(selector, outcomes_with([0, 0, 1])))

    best, majority = compared_with(BestOf(score="reward")), compared_with(Majority())
    notes = [note for note in best.notes if "scoring" in note]
    assert not any("scoring" in note for note in majority.notes)
    return best.sets[0].table[0].cost - majority.sets[0].table[0].cost, notes


def test_what_a_scorer_used_is_counted_for_the_selectors_that_need_it(filled_store, tmp_path_factory):
    seconds = scored(filled_store, prompt_tokens=40, tokens=2, context=903, dollars=0.25)
    shape = ModelShape(771_200, 4, 128)
    file = tmp_path_factory.mktemp("prices") / "prices.yaml"
    label = read(filled_store)[0].label
    file.write_text(f"prices: [{{model: {label}, prompt: 1, completion: 1, date: 2026-11-01}}]")
    assert added_by_scoring(filled_store, measure=Measure.SECONDS)[0] == pytest.approx(seconds / K)
    assert added_by_scoring(filled_store, measure=Measure.TOKENS)[0] == pytest.approx(PROBLEMS * 42)
    assert added_by_scoring(filled_store, measure=Measure.DOLLARS, prices=str(file))[0] == pytest.approx(
        PROBLEMS * 0.25
    )
    change_ingredients(filled_store, model=fingerprint(BUNDLED / "arithmetic"))
    of_sample = float(shape.flops(np.array([42.0]), np.array([903.0]))[0])
    more, notes = added_by_scoring(filled_store, measure=Measure.FLOPS)
    assert more == pytest.approx(PROBLEMS * of_sample)
    assert notes == [f"{label}: scoring by reward counts, {amount(of_sample, Measure.FLOPS)} a sample."]
    file.write_text(
        f"prices: [{{model: {label}, prompt: 1, completion: 1, date: 2026-11-01}},"
        " {model: reward, prompt: 1000, completion: 5000, date: 2026-11-01}]"
    )
    dollars = added_by_scoring(filled_store, measure=Measure.DOLLARS, prices=str(file))[0]
    assert dollars == pytest.approx(PROBLEMS * (40 * 1000 + 2 * 5000) / 1e6), "the price of a file comes first"


def test_a_set_that_was_scored_before_usage_was_stored_says_that_scoring_is_not_counted(filled_store, tmp_path_factory):
    scored(filled_store)
    file = tmp_path_factory.mktemp("prices") / "prices.yaml"
    label = read(filled_store)[0].label
    file.write_text(f"prices: [{{model: {label}, prompt: 1, completion: 1, date: 2026-11-01}}]")
    change_ingredients(filled_store, model=fingerprint(BUNDLED / "arithmetic"))
    for rules in ({"measure": Measure.TOKENS}, {"measure": Measure.FLOPS}, {"prices": str(file)}):
        more, notes = added_by_scoring(filled_store, **rules)
        assert more == 0
        assert len(notes) == 1
        assert notes[0].startswith(f"{label}: scoring not counted: what reward used is not stored"), rules


def test_a_server_without_a_price_is_told_rather_than_taken_for_free(filled_store, tmp_path_factory):
    scored(filled_store, prompt_tokens=40, tokens=0)
    file = tmp_path_factory.mktemp("prices") / "prices.yaml"
    label = read(filled_store)[0].label
    file.write_text(f"prices: [{{model: {label}, prompt: 1, completion: 1, date: 2026-11-01}}]")
    more, notes = added_by_scoring(filled_store, prices=str(file))
    assert more == 0
    assert notes == [f"{label}: scoring not counted: there is no price for reward; give one with --prices FILE."]


def test_time_without_an_hourly_price_is_not_taken_for_free(filled_store, tmp_path_factory):
    used = {name: each for name, each in Spent.reading([40])._asdict().items() if each is not None}
    assert used == {"tokens": 0, "prompt_tokens": 40, "context": 820, "unreported": 0}
    scored(filled_store, prompt_tokens=40, tokens=0, context=820)
    file = tmp_path_factory.mktemp("prices") / "prices.yaml"
    label = read(filled_store)[0].label
    of_set = f"{{model: {label}, prompt: 1, completion: 1, date: 2026-11-01}}"
    file.write_text(f"prices: [{of_set}]")
    more, notes = added_by_scoring(filled_store, prices=str(file))
    assert more == 0
    assert notes == [f"{label}: scoring not counted: there is no price for reward; give one with --prices FILE."]
    file.write_text(f"prices: [{of_set}, {{model: reward, hour: 3600, date: 2026-11-01}}]")
    more, notes = added_by_scoring(filled_store, prices=str(file))
    assert more > 0
    assert "scoring by reward counts" in notes[0]


def test_a_table_of_counts_delivers_nothing(filled_store, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("problem,samples,correct,tokens,prompt_tokens\na,9,3,90,9\nb,9,3,90,9\n")
    with pytest.raises(UserError, match="--by: a is a table of counts"):
        compared_by_cost(read(filled_store, str(file)), Rules(), delivery=Delivery(Majority(), outcomes_with([0])))
