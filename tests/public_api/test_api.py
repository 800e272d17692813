"""The package `monkeys`: what it exports, and what its functions return."""

import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import monkeys
from tasks.scaling.estimators import pass_at_k
from tasks.store.fsspec_store import FsspecStore
from tasks.sweep.sweep import Sweep
from tests.store.stored import fill

COUNTS = {"a": (100, 3), "b": (100, 0), "c": (100, 50)}


@pytest.fixture
def filled(tmp_path: Path) -> Sweep:
    return fill(FsspecStore(str(tmp_path)))


def test_every_public_name_is_importable_and_documented() -> None:
    assert sorted(monkeys.__all__) == monkeys.__all__
    for name in monkeys.__all__:
        assert name in dir(monkeys)
        assert inspect.getdoc(getattr(monkeys, name)), f"{name} has no docstring"
    with pytest.raises(AttributeError, match="has no attribute 'nonexistent'"):
        monkeys.nonexistent  # noqa: B018


def test_results_as_tables_have_a_row_for_each_sample_with_its_verdict(filled: Sweep, tmp_path: Path) -> None:
    results = monkeys.load("arith", store=str(tmp_path))
    frame, table = results.to_pandas(), results.to_arrow()
    assert isinstance(frame, pd.DataFrame)
    assert isinstance(table, pa.Table)
    assert len(frame) == table.num_rows == 600
    verdicts = filled.results().tally.verdicts
    assert frame["verdict"].value_counts().to_dict() == verdicts
    wrong = list(results.samples(problem="arithmetic/003", verdict="wrong"))
    rows = frame[(frame["problem_id"] == "arithmetic/003") & (frame["verdict"] == "wrong")]
    assert [(each.sample.index, each.sample.text) for each in wrong] == list(
        rows[["index", "text"]].itertuples(index=False, name=None)
    )


def test_a_store_lists_its_sets_with_their_latest_verdicts(filled: Sweep, tmp_path: Path) -> None:
    (results,) = monkeys.open_store(str(tmp_path)).sets()
    assert (results.name, results.verdicts) == (filled.samples.identity.name, filled.grading.verdicts.identity.name)
    assert len(results.problems()) == 20
    assert results.info["verdicts"][0]["counts"] == filled.results().tally.verdicts
    counts = results.counts()
    assert (int(counts.n.sum()), int(counts.c.sum())) == (600, filled.results().tally.verdicts["correct"])


def test_a_store_or_set_that_does_not_exist_is_a_user_error(filled: Sweep, tmp_path: Path) -> None:
    with pytest.raises(monkeys.UserError, match="there is no folder"):
        monkeys.open_store(str(tmp_path / "none"))
    with pytest.raises(monkeys.UserError, match="'nonexistent'"):
        monkeys.load("nonexistent", store=str(tmp_path))


def test_coverage_is_the_mean_of_pass_at_k_within_its_interval() -> None:
    table = monkeys.coverage(COUNTS, [1, 10, 100, 1_000])
    expected = pass_at_k(100, [3, 0, 50], [1, 10, 100]).mean(axis=0)
    assert table["coverage"].tolist()[:3] == pytest.approx(expected.tolist())
    assert np.isnan(table["coverage"].iloc[3])
    assert (table["low"] <= table["coverage"])[:3].all()
    assert (table["coverage"] <= table["high"])[:3].all()
    assert monkeys.coverage(COUNTS)["k"].tolist() == [1, 2, 5, 10, 20, 50, 100]


def test_counts_are_accepted_in_every_form(filled: Sweep, tmp_path: Path) -> None:
    frame = pd.DataFrame([(name, n, c) for name, (n, c) in COUNTS.items()], columns=["problem", "samples", "correct"])
    frame.to_csv(tmp_path / "counts.csv", index=False)
    counts = monkeys.Counts.of(list(COUNTS), [100] * 3, [3, 0, 50])
    expected = monkeys.coverage(COUNTS)
    for given in (frame, tmp_path / "counts.csv", str(tmp_path / "counts.csv"), counts):
        pd.testing.assert_frame_equal(monkeys.coverage(given), expected)
    of_set = monkeys.coverage(monkeys.load("arith", store=str(tmp_path)), 1)
    assert of_set["coverage"].item() == pytest.approx(filled.results().tally.verdicts["correct"] / 600)
    with pytest.raises(monkeys.UserError, match="no column 'samples'"):
        monkeys.coverage(frame.drop(columns="samples"))
    with pytest.raises(monkeys.UserError, match="no problem has a graded sample"):
        monkeys.coverage({"a": (0, 0)})


def test_forecast_and_fit_agree_with_the_command_line(tmp_path: Path) -> None:
    from tasks.scaling.counts_csv import curve_document, forecast_document

    counts = monkeys.Counts.of(list(COUNTS), [100] * 3, [3, 0, 50])
    (row,) = monkeys.forecast(COUNTS, 1_000).to_dict("records")
    assert row | {"notes": []} == forecast_document(counts, 1_000)
    assert monkeys.forecast(COUNTS, [10, 1_000])["method"].tolist()[0] == "measured"
    law = monkeys.fit(COUNTS)
    assert isinstance(law, monkeys.PowerLaw)
    assert law.b == curve_document(counts)["power_law"]["b"]
    assert isinstance(monkeys.fit({"a": (10, 0), "b": (10, 0)}), monkeys.NoFit)


def test_compare_names_the_better_set() -> None:
    better = {name: (n, min(n, 3 * c + 5)) for name, (n, c) in COUNTS.items()}
    comparison = monkeys.compare({"small": COUNTS, "large": better})
    assert "large solves" in comparison.headline
    assert comparison.pairs[0].differences[0].difference == pytest.approx((14 + 5 + 100 - 53) / 300)  # at k = 1


ANSWERED = monkeys.Problem("sum", "1 + 2?", check=monkeys.AnswerCheck("3"))
SAMPLES = [monkeys.Sample("sum", 7, "#### 4"), monkeys.Sample("sum", 2, "#### 3"), monkeys.Sample("sum", 0, "no idea")]


def test_graded_samples_are_in_the_order_of_the_samples() -> None:
    graded = monkeys.grade([ANSWERED], SAMPLES, show_progress=False)
    assert [(each.index, each.verdict.value) for each in graded] == [(7, "wrong"), (2, "correct"), (0, "no_answer")]


@pytest.mark.parametrize(
    ("problems", "samples", "grader", "message"),
    [
        ([ANSWERED], [monkeys.Sample("other", 0, "")], None, "problem 'other' is not among the 1 problems"),
        ([ANSWERED], [SAMPLES[0], SAMPLES[0]], None, "an index occurs twice"),
        ([ANSWERED], SAMPLES, "nonexistent", "grader.name: 'nonexistent' is unknown; one of"),
        ([ANSWERED], SAMPLES, "stdio", "sum"),
        ([monkeys.Problem("open", "?")], [], None, "name a grader"),
    ],
)
def test_problems_or_samples_that_cannot_be_graded_are_a_user_error(
    problems: list[monkeys.Problem], samples: list[monkeys.Sample], grader: str | None, message: str
) -> None:
    with pytest.raises(monkeys.UserError, match=message):
        monkeys.grade(problems, samples, grader=grader, show_progress=False)


def test_a_datasets_problems_are_loaded_by_name_or_by_fields() -> None:
    assert len(monkeys.load_problems("arithmetic")) == 128
    assert monkeys.load_problems({"name": "arithmetic"}) == monkeys.load_problems("arithmetic")
    with pytest.raises(monkeys.UserError, match=r"dataset\.name: 'nonexistent' is unknown"):
        monkeys.load_problems("nonexistent")


def test_fields_of_a_sweep_are_updated_or_replaced(tmp_path: Path) -> None:
    from monkeys.sweeping import _config

    fields = {
        "dataset": "arithmetic",
        "engine": {"name": "onnx", "model": "programs"},
        "sampling": {"temperature": 0.7, "seed": 3},
    }
    (tmp_path / "sweep.yaml").write_text(
        "dataset: arithmetic\nengine: {name: onnx, model: programs}\nsampling: {temperature: 0.7, seed: 3}\n"
    )
    config = monkeys.SweepConfig.model_validate(fields)
    for given in (fields, tmp_path / "sweep.yaml", str(tmp_path / "sweep.yaml"), config):
        made = _config(given, {"k": 7, "sampling": {"temperature": 0.2}})
        assert (made.k, made.sampling.temperature, made.sampling.seed) == (7, 0.2, 3)
        replaced = _config(given, {"engine": {"name": "recorded", "path": "samples.jsonl"}})
        assert replaced.engine.name == "recorded"
    with pytest.raises(monkeys.UserError, match="nonexistent"):
        _config(fields, {"nonexistent": 1})
