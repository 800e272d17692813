"""`monkeys sweep` as a person runs it, against a real Prefect server, a real S3 server and the real sandbox."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.scaling.estimators import Counts, coverage
from tasks.store.blocks import Block, parse
from tests.engines.misbehaving_server import MisbehavingServer, Said, play_well
from tests.flows.api import flow_run, query, task_runs
from tests.flows.command import MONKEYS, Ended, environment, monkeys, refused
from tests.flows.counted_sweep import descendants
from tests.servers import S3

Objects = dict[str, int]


def objects(folder: Path, kind: str) -> Objects:
    """The blocks of a kind with the time at which each was written."""
    found = (folder / "runs" / kind).rglob("i*.parquet")
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in found}


def drawn(output: str) -> int:
    match = re.search(r"^(?:drew ([\d,]+) samples|nothing to sample: all [\d,]+ samples)", output, re.MULTILINE)
    assert match, output
    return int((match[1] or "0").replace(",", ""))


def stored_samples(folder: Path) -> list[tuple[str, int]]:
    tables = [pd.read_parquet(folder / key, columns=["problem_id", "index"]) for key in objects(folder, "samples")]
    return sorted(pd.concat(tables).itertuples(index=False, name=None))


def test_a_sweep_without_a_server_draws_grades_and_reports(recorded: Path) -> None:
    ended = monkeys("sweep", "sweep.yaml", cwd=recorded, PREFECT_HOME=str(recorded / "home"))
    assert (ended.code, ended.err) == (0, "")
    assert "Traceback" not in ended.out
    assert drawn(ended.out) == 2_000
    rows = [json.loads(line) for line in (recorded / "samples.jsonl").read_text().splitlines()]
    graded = pd.DataFrame(row for row in rows if row["index"] < 100)
    graded["right"] = ~graded["text"].str.endswith("-1")
    counts = graded.groupby("problem_id", sort=False)["right"].agg(["count", "sum"])
    curve = coverage(Counts.of(list(counts.index), counts["count"], counts["sum"]), [1, 10, 100])
    for k, value in zip((1, 10, 100), np.asarray(curve.coverage), strict=True):
        assert re.search(rf"^\W*{k}\W+{value:.1%}\W", ended.out, re.MULTILINE), (k, value, ended.out)
    (report,) = re.findall(r"^report: (.*)$", ended.out, re.MULTILINE)
    assert "samples solve" in Path(report).read_text()
    assert len(re.findall(r"^majority, k = 100: \d+\.\d% delivered \(95% interval .*\)$", ended.out, re.MULTILINE)) == 1
    assert "The gap at k = 100:" in Path(report).read_text()


def test_an_extended_sweep_redraws_nothing_and_shows_in_prefect(recorded: Path, prefect_url: str) -> None:
    def sweep(*arguments: str) -> str:
        ended = monkeys("sweep", "sweep.yaml", *arguments, cwd=recorded, PREFECT_API_URL=prefect_url)
        assert (ended.code, ended.err) == (0, "")
        return ended.out

    assert drawn(sweep()) == 2_000
    first = objects(recorded, "samples") | objects(recorded, "verdicts")

    for smaller_or_same in ("100", "40"):
        assert "nothing to sample: all" in sweep("--k", smaller_or_same)
    assert objects(recorded, "samples") | objects(recorded, "verdicts") == first

    assert drawn(sweep("--k", "200")) == 2_000
    second = objects(recorded, "samples") | objects(recorded, "verdicts")
    assert first.items() <= second.items(), "what was stored is untouched"
    assert {block.start for block in blocks(second.keys() - first.keys())} == {100}
    samples = stored_samples(recorded)
    assert len(samples) == len(set(samples)) == 20 * 200

    run = flow_run(prefect_url, "arithmetic-k200")
    assert run["state_type"] == "COMPLETED"
    stages = {each["name"] for each in task_runs(prefect_url, run, at_least=9)}
    assert {"draw: problems 0-15, samples 100-199", "grade: problems 16-19, samples 100-199"} <= stages
    artifacts = query(prefect_url, "artifacts", flow_runs={"id": {"any_": [run["id"]]}})
    assert {"coverage", "coverage-plot", "heat-map-plot", "pass-rates-plot", "verdicts-plot", "laws", "report"} <= {
        artifact["key"] for artifact in artifacts
    }
    (table,) = (each for each in artifacts if each["key"] == "picking")
    assert [row["way"] for row in json.loads(table["data"])][:2] == ["coverage", "majority"]
    assert "Report: " in table["description"]
    assert "picking-plot" in {artifact["key"] for artifact in artifacts}


def test_a_sweep_compares_verifiers_with_the_truth_that_it_names_on_its_page_and_in_prefect(
    recorded: Path, prefect_url: str
) -> None:
    def sweep(*arguments: str) -> Ended:
        ended = monkeys("sweep", "sweep.yaml", "--k", "20", *arguments, cwd=recorded, PREFECT_API_URL=prefect_url)
        assert (ended.code, ended.err) == (0, "")
        return ended

    sweep()
    sweep("--set", "grader=gsm8k", "--set", "truth=final")
    run = flow_run(prefect_url, "arithmetic-k20")
    artifacts = query(prefect_url, "artifacts", flow_runs={"id": {"any_": [run["id"]]}})
    (table,) = (each for each in artifacts if each["key"] == "verifiers")
    (row,) = json.loads(table["data"])
    assert row["verifier"].startswith("gsm8k v")
    assert row["recall"].startswith("100.0%")
    assert table["description"].startswith("Against final")
    assert "verifiers-plot" in {artifact["key"] for artifact in artifacts}


def test_a_sweep_stores_its_results_on_s3(recorded: Path, prefect_url: str, s3: S3) -> None:
    url = f"s3://{s3.new_bucket()}/runs"
    arguments = ("sweep", "sweep.yaml", "--store", url)
    first = monkeys(*arguments, cwd=recorded, PREFECT_API_URL=prefect_url, **s3.environment)
    again = monkeys(*arguments, "--k", "150", cwd=recorded, PREFECT_API_URL=prefect_url, **s3.environment)
    assert (first.code, again.code) == (0, 0), first.err + again.err
    assert (drawn(first.out), drawn(again.out)) == (2_000, 1_000)
    assert f"report: {url}/reports/" in again.out
    assert not (recorded / "runs").exists()


def blocks(keys: Iterable[str]) -> list[Block]:
    """The blocks that these keys name; each key must name one."""
    found = [(key, parse(key)) for key in keys]
    assert not [key for key, block in found if block is None]
    return [block for _, block in found if block is not None]


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[Any], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline, "it stores nothing"
        time.sleep(0.01)


def test_a_killed_sweep_resumes_and_redraws_only_blocks_in_flight(tmp_path: Path, prefect_url: str) -> None:
    (tmp_path / "sweep.yaml").write_text("dataset: programs\nlimit: 48\nengine: {name: onnx, model: programs}\nk: 40\n")
    command = [MONKEYS, "sweep", "sweep.yaml"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(PREFECT_API_URL=prefect_url), stdout=subprocess.DEVNULL
    )
    wait_until(lambda: bool(objects(tmp_path, "verdicts")), process)
    children = descendants(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    samples, verdicts = objects(tmp_path, "samples"), objects(tmp_path, "verdicts")
    assert 0 < len(verdicts) <= len(samples) <= 3
    left = [pid for pid in children if Path(f"/proc/{pid}").exists()]
    deadline = time.monotonic() + 60
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [pid for pid in left if Path(f"/proc/{pid}").exists()]
    assert not left, "no sandbox outlives the sweep"

    ended = monkeys("sweep", "sweep.yaml", cwd=tmp_path, PREFECT_API_URL=prefect_url)
    assert ended.code == 0, ended.err
    assert drawn(ended.out) == 48 * 40 - sum(block.samples for block in blocks(samples))
    assert samples.items() <= objects(tmp_path, "samples").items(), "no stored block was drawn again"
    assert verdicts.items() <= objects(tmp_path, "verdicts").items(), "no stored block was graded again"
    kept = stored_samples(tmp_path)
    assert len(kept) == len(set(kept)) == 48 * 40


def test_two_concurrent_sweeps_share_the_work_and_draw_nothing_twice(tmp_path: Path, prefect_url: str) -> None:
    (tmp_path / "sweep.yaml").write_text("dataset: programs\nlimit: 48\nengine: {name: onnx, model: programs}\nk: 20\n")
    processes = [
        subprocess.Popen(
            [MONKEYS, "sweep", "sweep.yaml", "--k", k],
            cwd=tmp_path,
            env=environment(PREFECT_API_URL=prefect_url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for k in ("20", "30")
    ]
    ended = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ended
    assert sum(drawn(out) for out, _ in ended) == 48 * 30
    kept = stored_samples(tmp_path)
    assert len(kept) == len(set(kept)) == 48 * 30
    assert not list((tmp_path / "runs" / "claims").rglob("*.json"))


def test_a_server_that_fails_half_way_is_reported_in_one_line_and_the_sweep_resumes(
    tmp_path: Path, prefect_url: str
) -> None:
    with MisbehavingServer() as server:
        server.behave = lambda asked: play_well(asked) if asked.number < 3 else Said(500, {"error": "it is late"})
        (tmp_path / "sweep.yaml").write_text(
            "dataset: arithmetic\nlimit: 4\nk: 8\nengine: {name: openai, model: m, n_per_request: 4, concurrency: 1,"
            f" retries: 0, base_urls: '{server.url}'}}\n"
        )
        failed = monkeys("sweep", "sweep.yaml", cwd=tmp_path, PREFECT_API_URL=prefect_url)
        assert failed.code == 2
        assert failed.err.strip() == (
            f"monkeys: {server.url} answers 500 (it is late). Finished work is saved; run the same command again"
            " to resume."
        )
        kept = stored_samples(tmp_path)
        assert len(kept) == 12
        server.behave = play_well
        assert drawn(monkeys("sweep", "sweep.yaml", cwd=tmp_path, PREFECT_API_URL=prefect_url).out) == 32 - 12


def test_ctrl_c_ends_in_one_line(tmp_path: Path, prefect_url: str) -> None:
    (tmp_path / "sweep.yaml").write_text(
        "dataset: programs\nlimit: 48\nengine: {name: onnx, model: programs}\nk: 400\n"
    )
    # A shell's background jobs ignore Ctrl-C, and hand that on to the tests; a person's terminal does not.
    process = subprocess.Popen(
        ["env", "--default-signal=INT", MONKEYS, "sweep", "sweep.yaml"],
        cwd=tmp_path,
        env=environment(PREFECT_API_URL=prefect_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: bool(objects(tmp_path, "samples")), process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err.strip() == "monkeys: interrupted. Finished work is saved; run the same command again to resume."


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_reaches_all_processes_and_ends_in_one_line(tmp_path: Path) -> None:
    """Among them is the temporary Prefect server, which has yet to be told how the run ended."""
    (tmp_path / "sweep.yaml").write_text(
        "dataset: programs\nlimit: 48\nengine: {name: onnx, model: programs}\nk: 400\n"
    )
    process = subprocess.Popen(
        ["env", "--default-signal=INT", MONKEYS, "sweep", "sweep.yaml"],
        cwd=tmp_path,
        env=environment(PREFECT_HOME=str(tmp_path / "prefect")),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: bool(objects(tmp_path, "samples")), process)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err.strip() == "monkeys: interrupted. Finished work is saved; run the same command again to resume."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "dataset=nosuch"], "dataset.name: 'nosuch' is unknown; one of arithmetic, code_contests, gsm8k"),
        (["--set", "engine.name=nosuch"], "engine.name: 'nosuch' is unknown; one of onnx, openai"),
        (["--set", "sandbox=nosuch"], "sandbox.name: 'nosuch' is unknown; one of bubblewrap"),
        (["--k", "0"], "k: input should be greater than or equal to 1 (it is 0)"),
        (["--set", "limit=1000"], "limit: 1000 problems requested, but arithmetic has only 128"),
        (["--set", "engine={name: onnx, model: none}"], "engine.model: no folder 'none'"),
        (["--set", "engine.path=none.jsonl"], "engine.path: none.jsonl: cannot be read"),
        (["--k", "301"], "samples.jsonl has 300 samples of problem"),
        pytest.param(
            ["--set", "dataset=humaneval"], "set dataset.path to the test split of openai", marks=pytest.mark.slow
        ),
        (["--store", "/proc/nowhere"], "store: /proc/nowhere cannot be written"),
        (["--store", "sweep.yaml"], "cannot be written"),
        (["--set", "k"], "--set k: not of the form field=value"),
    ],
)
def test_bad_input_is_reported_in_one_line_with_exit_code_2_and_nothing_is_written(
    recorded: Path, arguments: list[str], message: str
) -> None:
    before = sorted(recorded.rglob("*"))
    ended = refused("sweep", "sweep.yaml", *arguments, cwd=recorded)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
    assert sorted(recorded.rglob("*")) == before


def test_without_bubblewrap_the_error_says_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text("dataset: programs\nengine: {name: onnx, model: programs}\n")
    ended = refused("sweep", "sweep.yaml", cwd=tmp_path, PATH=str(tmp_path))
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "apt-get install bubblewrap" in ended.err
    assert not (tmp_path / "runs").exists()


def test_the_error_says_if_namespaces_are_forbidden(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text("dataset: programs\nengine: {name: onnx, model: programs}\n")
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    ended = refused("sweep", "sweep.yaml", cwd=tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "No permissions to create new namespace" in ended.err


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_reported_in_one_line(recorded: Path) -> None:
    ended = monkeys("sweep", "sweep.yaml", cwd=recorded, PREFECT_API_URL="http://127.0.0.1:9/api")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "PREFECT_API_URL: http://127.0.0.1:9/api does not respond" in ended.err


def test_help_lists_the_commands_and_an_example(tmp_path: Path) -> None:
    ended = monkeys("--help", cwd=tmp_path)
    assert ended.code == 0
    assert "sweep" in ended.out
    assert "monkeys sweep examples/programs.yaml" in ended.out


@pytest.mark.slow
def test_a_solve_budget_reports_no_coverage_and_a_uniform_one_continues_from_it(recorded: Path) -> None:
    home = {"PREFECT_HOME": str(recorded / "home")}
    solving = monkeys("sweep", "sweep.yaml", "--k", "300", "--set", "budget=solve", cwd=recorded, **home)
    assert (solving.code, solving.err) == (0, "")
    assert "do not give pass@k" in solving.out
    assert re.search(r"^\d+ of 20 problems are solved, with [\d,]+ samples in all\.$", solving.out, re.MULTILINE)
    assert "interval" not in solving.out
    uniform = monkeys("sweep", "sweep.yaml", "--k", "300", cwd=recorded, **home)
    assert drawn(solving.out) + drawn(uniform.out) == 20 * 300
    assert "can no longer" not in uniform.out
    assert len(set(stored_samples(recorded))) == len(stored_samples(recorded)) == 20 * 300


def test_an_adaptive_sweep_draws_less_reports_coverage_to_k_and_resumes(recorded: Path, prefect_url: str) -> None:
    def sweep() -> str:
        arguments = ("sweep", "sweep.yaml", "--k", "300", "--set", "budget=adaptive")
        ended = monkeys(*arguments, cwd=recorded, PREFECT_API_URL=prefect_url)
        assert (ended.code, ended.err) == (0, "")
        return ended.out

    first, again = sweep(), sweep()
    assert 0 < drawn(first) < 0.9 * 20 * 300
    assert drawn(again) == 0
    assert "Coverage is still unbiased" in first
    rows = [re.findall(r"[\d.]+", line) for out in (first, again) for line in out.splitlines() if "│" in line]
    assert [row[0] for row in rows[: len(rows) // 2]] == ["1", "2", "5", "10", "20", "50", "100", "200", "300"]
    assert rows[: len(rows) // 2] == rows[len(rows) // 2 :]


def test_a_cap_ends_the_run_in_one_line_after_everything_is_stored_and_graded(recorded: Path, prefect_url: str) -> None:
    def sweep(*arguments: str) -> Ended:
        return monkeys("sweep", "sweep.yaml", *arguments, cwd=recorded, PREFECT_API_URL=prefect_url)

    # Nine tokens a sample: a fourth problem's hundred passes 3,000, and 400 samples have cost 3,600.
    ended = sweep("--set", "cap.tokens=3000")
    assert ended.code == 2
    assert ended.err == (
        "monkeys: cap: this run has spent 3,600 of 3,000 tokens. Finished work is saved; run the same command again"
        " to resume.\n"
    )
    stored = stored_samples(recorded)
    assert stored == sorted((each, i) for each in {each for each, _ in stored} for i in range(100)), "whole problems"
    assert len(stored) == 400
    assert len(objects(recorded, "verdicts")) == len(objects(recorded, "samples")), "what was drawn is graded"

    assert drawn(sweep().out) == 1_600
    assert "nothing to sample: all" in sweep("--set", "cap.tokens=1").out, "what is stored costs nothing"


def test_the_version_is_printed(tmp_path: Path) -> None:
    ended = monkeys("--version", cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", ended.out)


@pytest.mark.slow
def test_a_vote_budget_reports_what_it_delivers_and_a_uniform_one_continues_from_it(recorded: Path) -> None:
    home = {"PREFECT_HOME": str(recorded / "home")}
    voting = monkeys("sweep", "sweep.yaml", "--set", "budget=vote", cwd=recorded, **home)
    assert (voting.code, voting.err) == (0, "")
    assert re.search(
        r"^Majority vote is right for [\d.]+% of 20 problems, with [\d.]+ samples", voting.out, re.MULTILINE
    )
    assert "beyond it they give none, neither pass@k nor majority@k" in " ".join(voting.out.split())
    assert "interval" not in voting.out
    page = next((recorded / "runs" / "reports").rglob("report.html"))
    assert "until their vote was settled" in page.read_text()
    assert (page.parent / "votes.csv").read_text().startswith("problem,samples,votes,right,settled\n")
    assert (page.parent / "votes.svg").is_file()
    again = monkeys("sweep", "sweep.yaml", "--set", "budget=vote", cwd=recorded, **home)
    assert drawn(again.out) == 0
    uniform = monkeys("sweep", "sweep.yaml", cwd=recorded, **home)
    assert 0 < drawn(voting.out) < 0.7 * 20 * 100
    assert drawn(voting.out) + drawn(uniform.out) == 20 * 100
    assert len(set(stored_samples(recorded))) == len(stored_samples(recorded)) == 20 * 100


@pytest.mark.parametrize("command", ["sweep", "plan", "study"])
def test_brackets_in_the_name_of_a_file_are_shown_as_they_are(command: str, tmp_path: Path) -> None:
    (tmp_path / "a[").mkdir()
    (tmp_path / "a[" / "b].yaml").write_text("engine: [/red]\n")
    ended = monkeys(command, "a[/b].yaml", cwd=tmp_path)
    assert ended.code == 2, ended.err
    assert ended.out.startswith(f"monkeys {command} a[/b].yaml\n")
    assert len(ended.err.splitlines()) == 1
