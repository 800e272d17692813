"""What ways of picking deliver of several stored sets, next to their coverage."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from flows.config.compare import CompareConfig
from flows.setup.compare import load, write
from flows.setup.picking import from_store
from tasks.report.comparison.delivery import Delivered, DeliveredDifference, DeliveredPoint, delivered
from tasks.report.comparison.load import NamedCounts, read_sets
from tasks.report.comparison.page import render
from tasks.report.documents import delivered_document
from tasks.scaling.estimators import Counts
from tasks.selection.curves import pick_curve
from tasks.selection.majority import Majority
from tasks.store.fsspec_store import FsspecStore
from tests.store.inspect.test_answers import scored
from tests.store.stored import LastLineGrader, answers, fill
from tests.sweep.toy_scorer import run

from .comparisons import comparison_of
from .sweeps import HOSTILE
from .test_cost_of_sweep import KnowingScorer
from .test_page import read

PROBLEMS, K = 6, 20


def sets_of(folder: Path, *graders) -> tuple[NamedCounts, ...]:
    """Stored sets of the same problems; the first one is scored."""
    store = FsspecStore(str(folder))
    names = []
    for seed, grader in enumerate(graders):
        more = {} if grader is None else {"grader": grader}
        sweep = fill(store, problems=PROBLEMS, k=K, seed=seed, **more)
        if seed == 0:
            scored(store, sweep)
        names.append(sweep.samples.identity.name)
    return read_sets(names, None, lambda: store)


def compared(folder: Path, sets: tuple[NamedCounts, ...]) -> Delivered | str:
    return delivered(sets, lambda name: from_store(str(folder), name, None, None))


def test_each_way_that_all_sets_can_give_is_next_to_their_coverage(tmp_path: Path) -> None:
    sets = sets_of(tmp_path, None, None)
    found = compared(tmp_path, sets)
    assert isinstance(found, Delivered)
    ways = list(dict.fromkeys(point.way for point in found.points))
    assert ways[:2] == ["coverage", "majority"]
    assert not any("reward" in way for way in ways), "only the first set has these scores"
    for each in sets:
        problems = from_store(str(tmp_path), each.name, None, None).problems
        curve = pick_curve(Majority(), problems, [1, 10, K])
        mine = {point.k: point for point in found.points if (point.set, point.way) == (each.label, "majority")}
        assert [mine[k].value for k in (1, 10, K)] == pytest.approx(curve.accuracy.tolist(), abs=0.02)
        there = {point.k: point for point in found.points if (point.set, point.way) == (each.label, "coverage")}
        assert there[K].value == pytest.approx((each.counts.c > 0).mean())
        assert (there[K].low or 0.0) <= there[K].value <= (there[K].high or 0.0)


def test_the_page_and_the_table_show_every_way_of_every_set(tmp_path: Path) -> None:
    found = compared(tmp_path, sets_of(tmp_path, None, None))
    assert isinstance(found, Delivered)
    text = " ".join(" ".join(read(render(comparison_of("apart"), "", delivered=found)).text).split())
    for row in found.rows():
        assert " ".join(row.values()) in text
    for row in found.difference_rows():
        assert " ".join(row.values()) in text
    assert len(list(csv.DictReader(io.StringIO(found.csv())))) == len(found.points)
    assert len(list(csv.DictReader(io.StringIO(found.differences_csv())))) == len(found.differences)


def test_the_difference_of_two_sets_is_paired_by_problem(tmp_path: Path) -> None:
    sets = sets_of(tmp_path, None, None)
    found = compared(tmp_path, sets)
    assert isinstance(found, Delivered)
    assert {each.set for each in found.differences} == {sets[1].label}
    assert {each.way for each in found.differences} == {point.way for point in found.points} - {"coverage"}
    at = {(point.set, point.way, point.k): point.value for point in found.points}
    for each in found.differences:
        gap = at[each.set, each.way, each.k] - at[sets[0].label, each.way, each.k]
        assert each.difference == pytest.approx(gap)
        assert each.low <= each.difference <= each.high
        assert (each.p < 0.05) == (each.low > 0 or each.high < 0)
    assert json.loads(json.dumps(delivered_document(found)))["differences"][0]["set"] == sets[1].label


def test_a_set_and_itself_deliver_the_same_with_an_interval_that_is_not_0(tmp_path: Path) -> None:
    (first,) = sets_of(tmp_path, None)
    found = compared(tmp_path, (first, replace(first, label="again")))
    assert isinstance(found, Delivered)
    assert {each.difference for each in found.differences} == {0.0}
    assert {each.p for each in found.differences} == {1.0}
    assert all(each.low < 0 < each.high for each in found.differences)


def test_hostile_names_are_text() -> None:
    found = Delivered(
        (DeliveredPoint(HOSTILE, f"best of k by {HOSTILE}", 1, 0.5, None, None),),
        1,
        (HOSTILE,),
        (DeliveredDifference(HOSTILE, f"best of k by {HOSTILE}", 1, 0.1, -0.2, 0.3, 0.4),),
    )
    page = render(comparison_of("apart"), "", delivered=found)
    assert read(page).scripts == 1
    assert HOSTILE not in page
    assert "Picking an answer" not in " ".join(read(render(comparison_of("apart"), "")).text)


def test_sets_without_a_common_way_say_so_and_those_with_none_say_nothing(tmp_path: Path) -> None:
    sets = sets_of(tmp_path, None, LastLineGrader())
    found = compared(tmp_path, sets)
    assert isinstance(found, Delivered)
    assert not any(point.way == "majority" for point in found.points), "the second grader keeps no answers"
    counts = NamedCounts("table", "table.csv", Counts.of(["a"], 3, [1]))
    assert compared(tmp_path, (sets[0], counts)) == ""


def test_a_damaged_set_is_a_reason(tmp_path: Path) -> None:
    sets = sets_of(tmp_path, None, None)
    next(iter(tmp_path.glob("verdicts/*/*/*/*.parquet"))).write_bytes(b"torn")
    found = compared(tmp_path, sets)
    assert isinstance(found, str)
    assert found.startswith("What ways of picking deliver is not known: store: ")


def test_what_right_answers_cost_is_on_the_page_with_what_their_scorer_used(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path / "runs"))
    names, scorers = [], [KnowingScorer(), KnowingScorer()]
    for seed, scorer in enumerate(scorers):
        sweep = fill(store, problems=PROBLEMS, k=K, seed=seed, grader=LastLineGrader())
        run(sweep, scorer)
        names.append(sweep.samples.identity.name)
    config = CompareConfig(sets=tuple(names), store=str(tmp_path / "runs"), output=str(tmp_path / "page"))
    written = write(config, load(config))
    assert written is not None
    rows = list(csv.DictReader((tmp_path / "page" / "delivered_costs.csv").open()))
    at_k = [row for row in rows if row["k"] == str(K)]
    assert len(at_k) == 2
    for row, scorer, seed in zip(at_k, scorers, (0, 1), strict=True):
        drawn = sum(30 + (sample.tokens or 0) for of in answers(PROBLEMS, K, seed).values() for sample in of.values())
        assert float(row["cost_tokens"]) == pytest.approx(drawn + 40 * len(scorer.asked))
        assert float(row["per_solved"]) == pytest.approx(
            float(row["cost_tokens"]) / (PROBLEMS * float(row["accuracy"]))
        )
    text = " ".join(read((tmp_path / "page" / "comparison.html").read_text()).text)
    for said in ("Delivered by best of k by toy: ", "per right answer", "scoring by toy counts, "):
        assert said in text
        assert said in written.markdown or said == "per right answer"
