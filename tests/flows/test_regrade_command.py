"""Regrading from the command line with a grader that runs programs: real sandbox, real Prefect server."""

import json
from pathlib import Path

from tests.flows.api import flow_run, query, task_runs
from tests.flows.command import monkeys


def test_regrading_runs_programs_again_with_other_limits(tmp_path: Path, prefect_url: str) -> None:
    (tmp_path / "sweep.yaml").write_text("dataset: programs\nlimit: 3\nengine: {name: onnx, model: programs}\nk: 12\n")
    assert monkeys("sweep", "sweep.yaml", cwd=tmp_path, PREFECT_API_URL=prefect_url).code == 0
    samples = {path: path.read_bytes() for path in (tmp_path / "runs" / "samples").rglob("*.parquet")}
    arguments = ("regrade", "programs", "--set", "sandbox.time_limit_s=3", "--json")

    ended = monkeys(*arguments, cwd=tmp_path, PREFECT_API_URL=prefect_url)
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert (document["difference"]["samples"], document["difference"]["changed"], document["pending"]) == (36, 0, 0)
    assert sum(document["counts"].values()) == 36
    assert document["before"] != document["after"]
    assert {path: path.read_bytes() for path in (tmp_path / "runs" / "samples").rglob("*.parquet")} == samples
    assert len(list((tmp_path / "runs" / "verdicts").rglob("*.parquet"))) == 2

    run = flow_run(prefect_url, document["set"])
    assert [each["name"] for each in task_runs(prefect_url, run) if each["name"].startswith("grade: ")] == [
        "grade: problems 0-2, samples 0-11"
    ]
    (shown,) = query(prefect_url, "artifacts", flow_runs={"id": {"any_": [run["id"]]}})
    assert shown["key"] == "regrade"
    assert f"0 of 36 samples have another verdict than in {document['before']}" in shown["data"].replace("\\", "")

    again = monkeys(*arguments, cwd=tmp_path, PREFECT_API_URL=prefect_url)
    assert json.loads(again.out)["counts"] == document["counts"]
    second = flow_run(prefect_url, document["set"])
    assert not [each for each in task_runs(prefect_url, second) if each["name"].startswith("grade: ")], (
        "no verdict is pending"
    )
