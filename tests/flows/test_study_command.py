"""`monkeys study`: several sweeps in one run, each in its own flow run, and their comparison."""

from pathlib import Path

import pytest

from tests.flows.api import query, task_runs
from tests.flows.command import monkeys

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def two(recorded: Path) -> Path:
    """Two sweep files over recorded answers, the second's a little worse."""
    answers = (recorded / "samples.jsonl").read_text().splitlines(keepends=True)
    worse = (line.replace("####", "so") if number % 5 == 0 else line for number, line in enumerate(answers))
    (recorded / "worse.jsonl").write_text("".join(worse))
    text = (recorded / "sweep.yaml").read_text()
    (recorded / "other.yaml").write_text(text.replace("samples.jsonl", "worse.jsonl"))
    return recorded


def test_a_study_runs_a_sweep_per_model_compares_them_and_resumes(two: Path, prefect_url: str) -> None:
    ended = monkeys("study", "sweep.yaml", "other.yaml", "--k", "103", cwd=two, PREFECT_API_URL=prefect_url)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.count("report: ") == 2
    (page,) = (two / "runs").glob("comparisons/*/comparison.html")
    assert f"page: {page}" in ended.out
    assert "sweep.yaml: " in ended.out
    assert "other.yaml: " in ended.out
    assert "95% interval" in ended.out
    (run,) = (each for each in query(prefect_url, "flow_runs") if each["name"].startswith("study of "))
    tasks = {each["id"]: each["name"] for each in task_runs(prefect_url, run)}
    below = [each for each in query(prefect_url, "flow_runs") if each["parent_task_run_id"] in tasks]
    assert sorted(each["name"] for each in below) == ["arithmetic-k103", "arithmetic-k103", "compare"]
    assert len(list((two / "runs" / "samples").iterdir())) == 2
    assert len(list((two / "runs").glob("comparisons/*/comparison.html"))) == 1

    objects = {path: path.stat().st_mtime_ns for path in (two / "runs" / "samples").rglob("*.parquet")}
    again = monkeys("study", "sweep.yaml", "other.yaml", "--k", "103", cwd=two, PREFECT_API_URL=prefect_url)
    assert again.code == 0
    assert {path: path.stat().st_mtime_ns for path in (two / "runs" / "samples").rglob("*.parquet")} == objects


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sweep.yaml",), "study: takes two to 8 sweep files, not 1"),
        (("sweep.yaml", "elsewhere.yaml"), "store: the sweeps of a study share one"),
        (("sweep.yaml", "missing.yaml"), "missing.yaml: cannot be read"),
    ],
)
@pytest.mark.slow
def test_an_invalid_study_is_reported_in_one_line(two: Path, arguments: tuple[str, ...], message: str) -> None:
    (two / "elsewhere.yaml").write_text((two / "sweep.yaml").read_text() + "store: elsewhere\n")
    ended = monkeys("study", *arguments, cwd=two)
    assert ended.code == 2
    assert ended.err.startswith(f"monkeys: {message}")
    assert ended.err.count("\n") == 1
    assert not (two / "runs").exists()


@pytest.mark.slow
def test_the_example_of_two_temperatures_ends_with_a_frontier_on_its_page(tmp_path: Path) -> None:
    files = [str(EXAMPLES / name) for name in ("programs.yaml", "programs_hot.yaml")]
    ended = monkeys("study", *files, "--k", "5", "--set", "limit=6", "--store", "runs", cwd=tmp_path)
    assert ended.code == 0, ended.err
    (page,) = (tmp_path / "runs").glob("comparisons/*/comparison.html")
    assert 'id="costs"' in page.read_text()
    assert "Plot of coverage against cost for every set." in page.read_text()
    header, *rows = (page.parent / "frontier.csv").read_text().splitlines()
    assert header.startswith("set,k,cost_tokens,accuracy")
    assert rows
