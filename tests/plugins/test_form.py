"""The form of the Prefect UI, as the server has it: the parameter schema of a deployment, which shows plug-ins too."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.flows.api import request
from tests.flows.command import environment
from tests.plugins.installed import install

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "plugin" / "monkeys_example"
PREFECT = str(Path(sys.executable).parent / "prefect")
POINTS = (
    "[monkeys.datasets]\nsums = monkeys_example.sums:SumsDataset\n"
    "[monkeys.engines]\nguesser = monkeys_example.guesser:GuesserConfig\n"
    "[monkeys.graders]\nclose_enough = monkeys_example.close_enough:CloseEnoughGrader\n"
)


@pytest.fixture
def deployment(prefect_url: str, tmp_path: Path) -> dict[str, Any]:
    """The sweep, deployed as `infra/prefect.yaml` says where the example plug-in is installed."""
    modules = {f"monkeys_example/{path.name}": path.read_text() for path in EXAMPLE.glob("*.py")}
    site = install(tmp_path / "site", modules, POINTS, "monkeys-example", "1.0")
    request("POST", f"{prefect_url}/work_pools/", {"name": "cpu", "type": "process"})  # 409 if it exists
    command = [PREFECT, "--no-prompt", "deploy", "--name", "sweep", "--prefect-file", "infra/prefect.yaml"]
    variables = environment(PREFECT_API_URL=prefect_url, PYTHONPATH=site)
    done = subprocess.run(command, check=False, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = request("GET", f"{prefect_url}/deployments/name/sweep/sweep").raise_for_status().json()
    return found


def test_the_form_offers_each_plug_in_with_its_fields(deployment: dict[str, Any]) -> None:
    schema = deployment["parameter_openapi_schema"]
    definitions = schema["definitions"]
    fields = definitions["SweepConfig"]["properties"]
    for role, name, field in (("dataset", "sums", "count"), ("engine", "guesser", "spread")):
        choices = [definitions[each["$ref"].rpartition("/")[2]] for each in fields[role]["anyOf"]]
        (chosen,) = [each for each in choices if each["title"] == name]
        assert chosen["properties"][field]["description"]
    assert "How far an answer may be from the gold answer" in str(definitions["CloseEnoughGrader"])


def test_the_server_refuses_a_plug_ins_field_that_is_out_of_bounds(
    deployment: dict[str, Any], prefect_url: str
) -> None:
    config = {"dataset": {"name": "sums", "count": 101}, "engine": {"name": "guesser"}, "k": 5}
    path = f"{prefect_url}/deployments/{deployment['id']}/create_flow_run"
    answer = request("POST", path, {"parameters": {"config": config}})
    assert answer.status_code == 409
    assert "101 is greater than the maximum of 100" in answer.text
    sound = {**config, "dataset": {"name": "sums", "count": 5}}
    made = request("POST", path, {"parameters": {"config": sound}, "state": {"type": "PENDING"}})
    assert made.is_success, made.text
    request("DELETE", f"{prefect_url}/flow_runs/{made.json()['id']}").raise_for_status()
