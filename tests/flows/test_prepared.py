from contextvars import copy_context
from pathlib import Path

import pytest

from flows.config.sweep import SweepConfig
from flows.config.yaml_file import read_config
from flows.setup.prepared import prepared_or, using_prepared
from flows.setup.sweep import prepare
from flows.sweep import prepare_run
from tasks.errors import UserError


def test_a_prepared_sweep_is_used_only_for_its_own_configuration(recorded: Path) -> None:
    times = []

    def count(config: SweepConfig) -> object:
        times.append(config.k)
        return config.k

    load = prepared_or(count)
    path = str(recorded / "samples.jsonl")
    config = read_config(recorded / "sweep.yaml", [f"engine.path={path}"])
    same = read_config(recorded / "sweep.yaml", [f"engine.path={path}"])
    other = read_config(recorded / "sweep.yaml", [f"engine.path={path}"], k=7)
    job = prepare(config)
    with using_prepared(config, job):
        assert load(same) is job
        assert copy_context().run(load, same) is job, "as Prefect runs a task"
        assert load(other) == 7
    assert load(config) == 100, "no longer"
    assert times == [7, 100]


def test_a_deployment_run_refuses_a_relative_store(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(recorded)
    config = read_config(recorded / "sweep.yaml")
    assert prepare_run(config).selection.k == 100
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", "some")
    with pytest.raises(UserError, match="is another folder for each worker; give an absolute path or a URL"):
        prepare_run(config)
    assert prepare_run(config.model_copy(update={"store": str(recorded / "runs")})).selection.k == 100
