"""`monkeys compare` as a person runs it, on tables, on a store and in Prefect."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.flows.api import flow_run, query
from tests.flows.command import environment, monkeys


def table(path: Path, rates: np.ndarray, n: int, seed: int) -> None:
    correct = np.random.default_rng(seed).binomial(n, rates)
    rows = [f"q{i},{n},{c}" for i, c in enumerate(correct)]
    path.write_text("\n".join(["problem,samples,correct", *rows]) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rates = np.random.default_rng(1).beta(0.4, 4, 60)
    table(tmp_path / "small.csv", rates, 500, 1)
    table(tmp_path / "large.csv", np.minimum(1, 3 * rates), 500, 2)
    return tmp_path


@pytest.mark.slow
def test_tables_of_counts_are_compared_without_a_store(folder: Path) -> None:
    ended = monkeys("compare", "small.csv", "large.csv", cwd=folder)
    assert (ended.code, ended.err) == (0, "")
    assert "large solves" in ended.out.splitlines()[0]
    assert "├" in ended.out
    assert "times the samples of small" in ended.out
    assert sorted(path.name for path in folder.iterdir()) == ["large.csv", "small.csv"], "nothing was written"
    document = json.loads(monkeys("compare", "small.csv", "large.csv", "--json", cwd=folder).out)
    assert [each["set"] for each in document["sets"]] == ["small", "large"]
    (pair,) = document["pairs"]
    assert pair["reference"] == "small"
    at = {each["k"]: each for each in pair["differences"]}
    assert list(at) == [1, 2, 5, 10, 20, 50, 100, 200, 500]
    curves = [{point["k"]: point["coverage"] for point in each["curve"]} for each in document["sets"]]
    assert at[10]["difference"] == pytest.approx(curves[1][10] - curves[0][10])
    assert at[10]["low"] > 0


@pytest.mark.slow
def test_the_comparison_page_is_written_to_the_named_folder(folder: Path) -> None:
    ended = monkeys("compare", "small.csv", "large.csv", "-o", "page", cwd=folder)
    assert ended.code == 0
    written = {path.name for path in (folder / "page").iterdir()}
    figures = {f"{name}.{ending}" for name in ("curves", "differences") for ending in ("csv", "svg", "pdf")}
    assert written == {"comparison.html", *figures}
    assert f"page: {folder / 'page' / 'comparison.html'}" in ended.out


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (("small.csv",), "1 given; give two sets or more"),
        (("small.csv", "small.csv"), "'small.csv' is given twice"),
        (("small.csv", "absent.csv"), "absent.csv: cannot be read"),
        (("small.csv", "nothing"), "runs"),
        (("small.csv", "bad.csv"), "line 2: 4 correct of 3 samples"),
    ],
)
@pytest.mark.slow
def test_sets_that_cannot_be_compared_are_reported_in_one_line(
    folder: Path, sets: tuple[str, ...], message: str
) -> None:
    (folder / "bad.csv").write_text("problem,samples,correct\na,3,4\n")
    ended = monkeys("compare", *sets, "-o", "page", cwd=folder)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert message in ended.err
    assert not (folder / "page").exists()


def test_stored_sets_are_compared_by_the_command_and_by_the_flow(recorded: Path, prefect_url: str) -> None:
    text = (recorded / "samples.jsonl").read_text()
    (recorded / "better.jsonl").write_text(text.replace('#### -1", "tokens": 9}', '#### -2", "tokens": 9}', 500))
    for arguments in ((), ("--set", "engine.path=better.jsonl")):
        swept = monkeys("sweep", "sweep.yaml", *arguments, cwd=recorded, PREFECT_API_URL=prefect_url)
        assert swept.code == 0
    first, second = sorted(path.name for path in (recorded / "runs" / "samples").iterdir())
    ended = monkeys("compare", first, second, cwd=recorded)
    assert (ended.code, ended.err) == (0, "")
    assert "the same share of problems" in ended.out
    (page,) = (recorded / "runs" / "comparisons").glob("*/comparison.html")
    assert str(page) in ended.out

    for report in (recorded / "runs" / "reports").glob(f"{second}/*/summary.json"):
        report.unlink()
    counted_anew = monkeys("compare", first, second, "--json", cwd=recorded)
    curves = [each["curve"] for each in json.loads(counted_anew.out)["sets"]]
    assert curves[0] == curves[1]

    script = (
        "from flows.compare import compare; from flows.config.compare import CompareConfig; "
        f"print(compare(CompareConfig(sets=({first!r}, {second!r}))).comparison.headline)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, cwd=recorded, capture_output=True, text=True, timeout=280,
        env=environment(PREFECT_API_URL=prefect_url, PYTHONPATH=str(Path.cwd())),
    )  # fmt: skip
    assert "the same share" in done.stdout
    run = flow_run(prefect_url, "compare")
    artifacts = {each["key"]: each for each in query(prefect_url, "artifacts") if each["flow_run_id"] == run["id"]}
    assert {"comparison", "comparison-page", "curves-plot", "differences-plot", "delivered"} <= artifacts.keys()
    differences = artifacts["delivered-differences"]
    (row, *_) = json.loads(differences["data"])
    assert {"way", "set", "interval", "p"} <= row.keys()
    assert "percentage points, each problem paired with itself" in differences["description"]


def test_a_set_drawn_with_budget_solve_is_refused_in_one_line(recorded: Path, prefect_url: str) -> None:
    swept = monkeys("sweep", "sweep.yaml", "--set", "budget=solve", cwd=recorded, PREFECT_API_URL=prefect_url)
    assert swept.code == 0
    (recorded / "other.csv").write_text("problem,samples,correct\na,10,4\n")
    ended = monkeys("compare", "arithmetic", "other.csv", cwd=recorded)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "gives no pass@k; run its sweep with a uniform budget" in ended.err
