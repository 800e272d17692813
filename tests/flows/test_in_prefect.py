"""A sweep on a real Prefect server: cached blocks, the number of task runs, and concurrency limits."""

import subprocess
import time
from pathlib import Path

from prefect.utilities.math import lower_clamp_multiple

from tasks.store.blocks import missing, parse
from tests.flows.api import flow_run, query, request, task_runs
from tests.flows.command import MONKEYS, environment, monkeys

FIXED_TASK_RUNS = 7
"""load, plan samples, plan verdicts, plan verdicts again, measure, report, and the flow's own margin of one."""


def sweep(folder: Path, url: str, *arguments: str) -> str:
    ended = monkeys("sweep", "sweep.yaml", *arguments, cwd=folder, PREFECT_API_URL=url)
    assert (ended.code, ended.err) == (0, "")
    return ended.out


def test_stored_blocks_are_shown_as_cached_with_a_link_to_the_object(recorded: Path, prefect_url: str) -> None:
    sweep(recorded, prefect_url, "--k", "101")
    blocks = missing([], range(20), 101)
    assert len(blocks) == 4
    first = task_runs(prefect_url, flow_run(prefect_url, "arithmetic-k101"), at_least=2 * len(blocks) + 6)
    assert {run["state"]["name"] for run in first} == {"Completed"}
    assert len(first) <= 2 * len(blocks) + FIXED_TASK_RUNS

    sweep(recorded, prefect_url, "--k", "102")
    run = flow_run(prefect_url, "arithmetic-k102")
    second = task_runs(prefect_url, run, at_least=2 * (4 + 2) + 6)
    cached = {each["name"]: each["state"]["message"] for each in second if each["state"]["name"] == "Cached"}
    assert cached.keys() == {f"{stage}: {block}" for block in blocks for stage in ("draw", "grade")}
    for name, url in cached.items():
        assert Path(url).is_file(), "the link leads to the object"
        assert name.endswith(str(parse(url)))
        assert ("/samples/" in url) == name.startswith("draw")
    drawn = {each["name"] for each in second if each["state"]["name"] == "Completed"}
    assert {"draw: problems 0-15, samples 101-101", "grade: problems 16-19, samples 101-101"} <= drawn
    links = {each["key"]: each["data"] for each in query(prefect_url, "artifacts") if each["flow_run_id"] == run["id"]}
    (samples,) = (recorded / "runs" / "samples").iterdir()
    assert str(samples) in links["samples"]


def test_a_full_sweep_stays_under_a_thousand_task_runs() -> None:
    """The first test counts task runs on a real server: two per block, and a few more."""
    of_both_stages = 2 * len(missing([], range(300), 10_000))
    assert of_both_stages + FIXED_TASK_RUNS < 1_000
    from tasks.steps.blocks import MAX_SHOWN

    assert of_both_stages <= MAX_SHOWN, "all of a stored one is shown"


def test_tasks_are_retried_for_more_than_a_minute_with_jitter() -> None:
    from tasks.steps import artifacts, blocks

    for task in (blocks.plan_samples, blocks.draw_block, blocks.grade_block, artifacts.measure, artifacts.report):
        assert isinstance(task.retry_delay_seconds, list)
        assert len(task.retry_delay_seconds) == task.retries
        assert task.retry_jitter_factor
        shortest = lower_clamp_multiple(1 + task.retry_jitter_factor)
        assert sum(task.retry_delay_seconds) * shortest > 60


def test_a_concurrency_limit_is_created_if_missing_and_waited_for(recorded: Path, prefect_url: str) -> None:
    limits = f"{prefect_url}/v2/concurrency_limits"
    sweep(recorded, prefect_url, "--k", "10", "--set", "concurrency_limit=gpu-0")
    found = request("GET", f"{limits}/gpu-0").json()
    assert (found["limit"], found["active_slots"]) == (1, 0), "made with one slot, and given back"

    slot = {"names": ["gpu-0"], "slots": 1}
    request("POST", f"{limits}/increment", slot).raise_for_status()  # as if another sweep were drawing
    command = [MONKEYS, "sweep", "sweep.yaml", "--k", "11", "--set", "concurrency_limit=gpu-0"]
    waiting = subprocess.Popen(
        command, cwd=recorded, env=environment(PREFECT_API_URL=prefect_url), stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 300
    while not any("waiting for a slot" in log["message"] for log in of_run(prefect_url, "arithmetic-k11")):
        assert time.monotonic() < deadline
        assert waiting.poll() is None
        time.sleep(0.2)
    time.sleep(2)
    assert not list((recorded / "runs" / "samples").rglob("i*-0000011.parquet")), "it waits for its turn"
    request("POST", f"{limits}/decrement", slot).raise_for_status()
    assert waiting.wait(timeout=120) == 0
    assert len(list((recorded / "runs" / "samples").rglob("i*-0000011.parquet"))) == 2


def of_run(url: str, name: str) -> list[dict[str, str]]:
    runs = query(url, "flow_runs", flow_runs={"name": {"any_": [name]}})
    return query(url, "logs", logs={"flow_run_id": {"any_": [run["id"] for run in runs]}}) if runs else []
