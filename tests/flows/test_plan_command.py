"""`monkeys plan` as a person runs it: on a real sweep of the bundled model, local and on a real S3 server."""

import json
import shlex
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest
import yaml

from flows.config.choices import EngineConfig
from flows.config.sweep import SweepConfig
from flows.setup.sweep import prepare
from tests.flows.command import monkeys
from tests.servers import S3

SWEEP: dict[str, Any] = {
    "dataset": "arithmetic",
    "limit": 6,
    "engine": {"name": "onnx", "model": "arithmetic"},
    "k": 10,
}


def draw(folder: Path, store: str, **fields: Any) -> None:
    """Run a sweep without Prefect."""
    config = SweepConfig.model_validate({**SWEEP, "store": store, **fields})
    job = prepare(config)
    with config.engine.open() as engine:
        for block in job.missing_samples():
            job.draw(block, engine)
    for block in job.grading.pending_verdicts():
        job.grading.grade(block, None)
    (folder / "sweep.yaml").write_text(yaml.safe_dump({**SWEEP, "store": store}))


def snapshot(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def succeeds(*arguments: str, cwd: Path, **variables: str) -> str:
    ended = monkeys("plan", *arguments, cwd=cwd, **variables)
    assert (ended.code, ended.err) == (0, ""), ended
    assert "\x1b" not in ended.out, "no colour where output is piped"
    return ended.out


def tokens(folder: Path) -> "pd.Series[int]":
    """The tokens of every stored sample, by (problem, index)."""
    tables = [pd.read_parquet(path) for path in folder.rglob("samples/*/p*/*.parquet")]
    return pd.concat(tables).set_index(["problem_id", "index"])["tokens"]


@pytest.mark.slow
def test_a_plan_for_a_larger_k_equals_what_is_then_drawn_and_writes_nothing(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    draw(tmp_path, str(runs))
    before, earlier = snapshot(tmp_path), tokens(runs)
    arguments = ("sweep.yaml", "--k", "100", "--set", "price={prompt: 0.1, completion: 0.5}")
    out = succeeds(*arguments, cwd=tmp_path, PREFECT_HOME=str(tmp_path / "prefect"))
    found = json.loads(succeeds(*arguments, "--json", cwd=tmp_path, PREFECT_HOME=str(tmp_path / "prefect")))
    assert snapshot(tmp_path) == before, "neither store nor Prefect was written"
    assert "60 samples up to k (10 per problem)" in out
    assert "540 samples in 1 block" in out
    assert "10,000" in out.splitlines()[-3]

    assert (found["stored"]["samples"], found["stored"]["tokens"]) == (60, earlier.sum())
    assert set(found["stored"]["held"].values()) == {10}
    draw(tmp_path, str(runs), k=100)
    later = tokens(runs)
    assert found["remaining"]["samples"] == len(later) - len(earlier)
    assert found["remaining"]["tokens"]["low"] < later.sum() - earlier.sum() < found["remaining"]["tokens"]["high"]
    assert found["remaining"]["tokens"]["expected"] == pytest.approx(90 * earlier.groupby("problem_id").mean().sum())
    (drawing,) = found["stored"]["drawing"]
    assert drawing["by"].startswith("onnxruntime ")
    assert f"{drawing['by']}: 60 samples in " in out
    assert found["remaining"]["seconds"] == max(found["remaining"]["drawing_s"], found["remaining"]["grading_s"]) > 0
    prompts, written = found["remaining"]["prompt_tokens"]["expected"], found["remaining"]["tokens"]["expected"]
    assert found["remaining"]["dollars"]["expected"] == pytest.approx((0.1 * prompts + 0.5 * written) / 1e6)
    done = json.loads(succeeds("sweep.yaml", "--k", "100", "--json", cwd=tmp_path))
    assert (done["remaining"]["samples"], done["remaining"]["verdicts"], done["pilot"]) == (0, 0, None)
    assert "nothing: every sample is stored and graded" in succeeds("sweep.yaml", "--k", "100", cwd=tmp_path)


def test_the_pilot_command_that_a_plan_prints_can_be_run(tmp_path: Path, prefect_url: str) -> None:
    (tmp_path / "my sweep.yaml").write_text(yaml.safe_dump({**SWEEP, "k": 100, "store": "runs"}))
    out = succeeds("my sweep.yaml", "--set", "limit=3", cwd=tmp_path)
    assert not (tmp_path / "runs").exists()
    assert "nothing" in out
    assert "Run a pilot of 30 samples first; the sweep reuses them:" in out
    assert "at most 48,000 completion tokens (160 per sample)" in out
    command = shlex.split(out.splitlines()[-1])
    assert command == ["monkeys", "sweep", "my sweep.yaml", "--k", "10", "--set", "limit=3"]
    drawn = monkeys(*command[1:], cwd=tmp_path, PREFECT_API_URL=prefect_url)
    assert "drew 30 samples" in drawn.out, drawn
    after = json.loads(succeeds("my sweep.yaml", "--set", "limit=3", "--json", cwd=tmp_path))
    assert (after["stored"]["samples"], after["remaining"]["samples"]) == (30, 270)
    assert after["remaining"]["tokens"]["low"] > 0


@pytest.mark.slow
def test_a_plan_describes_uneven_sets_and_budgets_in_rounds(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    draw(tmp_path, str(runs), k=10)
    draw(tmp_path, str(runs), limit=2, k=20)
    out = succeeds("sweep.yaml", "--k", "50", cwd=tmp_path)
    assert "80 samples up to k (20 for problems 1 to 2, 10 for problems 3 to 6)" in out
    out = succeeds("sweep.yaml", "--k", "1000", "--set", "budget=adaptive", cwd=tmp_path)
    assert "for now; the verdicts decide how many more" in out
    assert "at most 5,920" in out
    capped = ("--set", "cap={tokens: 5000, hours: 2}")
    assert "5,000 tokens or 2 h per run. Finished work is saved; run the same command again" in succeeds(
        "sweep.yaml", "--k", "50", *capped, cwd=tmp_path
    )
    found = json.loads(succeeds("sweep.yaml", "--k", "1000", "--set", "budget=adaptive", "--json", cwd=tmp_path))
    job = prepare(SweepConfig.model_validate({**SWEEP, "store": str(runs), "k": 1_000, "budget": "adaptive"}))
    assert found["remaining"]["samples"] == sum(block.samples for block in job.missing_samples())
    assert found["upper_bound"]["samples"] == 6_000 - 80


@pytest.mark.slow
def test_a_plan_reads_a_store_on_s3(tmp_path: Path, s3: S3) -> None:
    url = f"s3://{s3.new_bucket()}/runs"
    draw(tmp_path, url)
    before = snapshot(s3.root)
    found = json.loads(succeeds("sweep.yaml", "--k", "20", "--json", cwd=tmp_path, **s3.environment))
    assert snapshot(s3.root) == before
    assert (found["stored"]["samples"], found["remaining"]["samples"]) == (60, 60)
    ended = monkeys("plan", "sweep.yaml", "--store", "s3://nosuchbucket/runs", cwd=tmp_path, **s3.environment)
    assert (ended.code, ended.err) == (2, "monkeys: store: there is no bucket nosuchbucket; give another store\n")


UNREACHABLE = {
    "vllm": {"name": "vllm", "model": "nobody/has-this"},
    "openai": {"name": "openai", "model": "nobody/has-this", "base_urls": "http://127.0.0.1:9/v1"},
}


@pytest.mark.parametrize("name", UNREACHABLE)
@pytest.mark.slow
def test_a_plan_needs_no_installed_engine(tmp_path: Path, name: str) -> None:
    if name not in {choice.model_fields["name"].default for choice in get_args(get_args(EngineConfig)[0])}:
        pytest.skip(f"there is no engine {name} yet")
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump({**SWEEP, "engine": UNREACHABLE[name]}))
    found = json.loads(succeeds("sweep.yaml", "--k", "100", "--json", cwd=tmp_path))
    assert (found["remaining"]["samples"], found["remaining"]["tokens"]) == (600, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.yaml"], "none.yaml: cannot be read"),
        (["sweep.yaml", "--k", "0"], "k: "),
        (["sweep.yaml", "--set", "nosuch=1"], "nosuch: is not a field of a sweep"),
        (["sweep.yaml", "--set", "engine.model=none"], "engine.model: no folder 'none'"),
        (["sweep.yaml", "--set", "limit=1000000"], "limit: 1000000 problems requested, but arithmetic has only 128"),
    ],
)
def test_bad_input_is_reported_in_one_line_with_exit_code_2(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(SWEEP))
    before = snapshot(tmp_path)
    ended = monkeys("plan", *arguments, cwd=tmp_path)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
    assert snapshot(tmp_path) == before


def test_the_help_of_plan_has_an_example(tmp_path: Path) -> None:
    assert "monkeys plan my.yaml --k 10000" in succeeds("--help", cwd=tmp_path)
