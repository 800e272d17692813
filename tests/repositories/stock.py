"""SWE-bench's harness as it is installed, on the engine of the tests: what our verdicts and times are compared with."""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import docker
from docker import DockerClient

from tasks.graders.repositories.report import known_parsers

Outcome = Literal["resolved", "unresolved", "no verdict"]


def stock_client(*, stop_delay: bool) -> DockerClient:
    """A client for the harness. Its containers wait 15 s when they are stopped, since `tail` ignores SIGTERM as the
    first process of a container; without `stop_delay` they are created so that they are killed at once."""
    client = docker.from_env(timeout=600)
    if stop_delay:
        return client

    class Containers(type(client.containers)):  # type: ignore[misc]
        def create(self, *arguments: Any, **options: Any) -> Any:
            return super().create(*arguments, stop_signal="SIGKILL", **options)

    class Client(DockerClient):  # type: ignore[misc]
        @property
        def containers(self) -> Any:
            return Containers(client=self)

    client.close()
    found: DockerClient = Client.from_env(timeout=600)
    return found


def stock_outcome(
    client: DockerClient, row: Mapping[str, Any], patch: str, *, run_id: str, logs: Path, time_limit_s: int
) -> Outcome:
    """What the harness says of a patch. `logs` is the folder of its logs, and each patch needs its own `run_id`."""
    harness = _harness()
    harness.RUN_EVALUATION_LOG_DIR = logs
    prediction = {"instance_id": row["instance_id"], "model_patch": patch, "model_name_or_path": "m"}
    ended = harness.run_instance(harness.make_test_spec(dict(row)), prediction, client, run_id, time_limit_s)
    if ended is None:
        return "no verdict"
    _, report = ended
    return "resolved" if report[row["instance_id"]]["resolved"] else "unresolved"


def _harness() -> Any:
    """`swebench.harness.run_evaluation`, without Modal's client, which it imports and does not need here."""
    known_parsers()  # enters the package without its __init__, which imports Modal's client, too
    modal = ModuleType("swebench.harness.modal_eval")
    modal.run_instances_modal = modal.validate_modal_credentials = None  # type: ignore[attr-defined]
    sys.modules.setdefault("swebench.harness.modal_eval", modal)
    return importlib.import_module("swebench.harness.run_evaluation")
