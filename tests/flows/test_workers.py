"""One sweep on three real Prefect workers that share only an S3 store; one of them is killed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.flows.api import query, request
from tests.flows.command import environment
from tests.flows.counted_sweep import BLOCKS, counted_sweep, graded, kill, stored, wait_until
from tests.servers import S3, prefect_server, running

ROOT = Path(__file__).parents[2]
PREFECT = str(Path(sys.executable).parent / "prefect")
SILENCE_S = 40
"""Seconds that the automation waits here; the installed one waits for 90 s."""


def run(*command: str, **variables: str) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment(**variables), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, s3_process: S3) -> Iterator[tuple[str, Path]]:
    """A Prefect server on which everything in `infra/` is installed, and the folder with its database."""
    folder = tmp_path_factory.mktemp("deployed")
    with prefect_server(folder) as url:
        run(sys.executable, "infra/prefect_setup.py", PREFECT_API_URL=url, **s3_process.environment)
        run(PREFECT, "--no-prompt", "deploy", "--all", "--prefect-file", "infra/prefect.yaml", PREFECT_API_URL=url)
        yield url, folder


def test_the_setup_of_the_server_can_be_repeated(deployed: tuple[str, Path], s3_process: S3) -> None:
    url, _ = deployed
    run(sys.executable, "infra/prefect_setup.py", PREFECT_API_URL=url, **s3_process.environment)
    names = {f"{each['entrypoint'].split('.')[-1]}/{each['name']}" for each in query(url, "deployments")}
    assert names == {
        *(f"sweep/{name}" for name in ("sweep", "gpu", "docker", "kubernetes", "nightly")),
        "distributed_sweep/distributed-sweep",
        "study/study",
        "regrade/regrade",
    }
    pools = {each["name"]: each["type"] for each in query(url, "work_pools")}
    assert pools == {"cpu": "process", "gpu": "process", "docker": "docker", "kubernetes": "kubernetes"}
    (nightly,) = [each for each in query(url, "deployments") if each["name"] == "nightly"]
    assert [(each["schedule"]["cron"], each["active"]) for each in nightly["schedules"]] == [("0 2 * * *", False)]
    assert len(query(url, "automations")) == 1


def test_a_value_out_of_bounds_is_refused_before_there_is_a_run(deployed: tuple[str, Path]) -> None:
    url, _ = deployed
    deployment = request("GET", f"{url}/deployments/name/sweep/sweep").json()
    config = {"dataset": {"name": "arithmetic"}, "engine": {"name": "onnx", "model": "arithmetic"}, "k": 0}
    path = f"{url}/deployments/{deployment['id']}/create_flow_run"
    answer = request("POST", path, {"parameters": {"config": config}})
    assert answer.status_code == 409
    assert "0 is less than the minimum of 1" in answer.text


@pytest.mark.skipif(
    version("sqlalchemy").split(".") >= ["2", "1"], reason="Prefect 3.8 cannot schedule with SQLAlchemy 2.1 and newer"
)
def test_a_schedule_that_is_switched_on_creates_runs(deployed: tuple[str, Path]) -> None:
    url, _ = deployed
    nightly = request("GET", f"{url}/deployments/name/sweep/nightly").json()
    (schedule,) = nightly["schedules"]
    switch = f"{url}/deployments/{nightly['id']}/schedules/{schedule['id']}"

    def scheduled() -> list[object]:
        return [each for each in query(url, "flow_runs") if each["deployment_id"] == nightly["id"]]

    request("PATCH", switch, {"active": True}).raise_for_status()
    wait_until(lambda: len(scheduled()) >= 3, "nights are scheduled")
    request("PATCH", switch, {"active": False}).raise_for_status()


def test_a_pool_without_a_worker_is_reported_at_once(
    deployed: tuple[str, Path], s3_process: S3, tmp_path: Path
) -> None:
    store = f"s3://{s3_process.new_bucket()}/runs"
    arguments = ("--store", store, "--workers", "1", "--deployment", "sweep/gpu")
    command = counted_sweep(tmp_path).start(*arguments, PREFECT_API_URL=deployed[0], **s3_process.environment)
    assert command.stdout is not None
    try:
        said = next((line for line in command.stdout if line.startswith("no worker")), "it said nothing of that")
    finally:
        command.kill()
        command.wait()
    assert said == "no worker polls the pool 'gpu' yet: prefect worker start --pool gpu\n"


def test_three_workers_share_a_sweep_and_survive_the_death_of_one(
    deployed: tuple[str, Path], s3_process: S3, tmp_path: Path
) -> None:
    url, server = deployed
    sweep = counted_sweep(tmp_path, seconds=2.0, processes=3)
    bucket = s3_process.new_bucket()
    runs = s3_process.root / bucket / "runs"
    hasten_the_automation(url)
    secret = s3_process.environment["AWS_SECRET_ACCESS_KEY"]
    workers_environment = {name: value for name, value in environment().items() if not name.startswith("AWS_")}
    workers_environment |= {**sweep.environment, "PREFECT_API_URL": url}

    with ExitStack() as stack:
        workers = [
            stack.enter_context(worker(f"worker-{number}", tmp_path, workers_environment)) for number in range(3)
        ]
        command = sweep.start(
            "--store", f"s3://{bucket}/runs", "--workers", "3", PREFECT_API_URL=url, **s3_process.environment
        )
        stack.callback(command.kill)
        wait_until(lambda: len({call.process for call in sweep.calls()}) == 3, "all three draw", running=command)
        # The automation watches a run from its first heartbeat on.
        wait_until(lambda: len(runs_heard_of(url)) >= 3, "all three are heard of", running=command)
        kill(workers[0].pid)
        out, err = command.communicate(timeout=600)
        assert (command.returncode, err) == (0, "")
        assert "drew 14,080 samples" in out

        assert stored(runs) == sweep.recorded(), "each sample of an undisturbed run, once"
        assert [row[:2] for row in graded(runs)] == [row[:2] for row in sweep.recorded()]
        assert sweep.drawn_again() <= 1, "but for the block that the killed one was drawing, nothing is drawn twice"
        assert len(sweep.calls()) <= BLOCKS + 1
        assert len({call.process for call in sweep.calls()}) == 3

        sweeps = request("GET", f"{url}/deployments/name/sweep/sweep").json()["id"]

        def states() -> list[str]:
            of_workers = [each for each in query(url, "flow_runs") if each["deployment_id"] == sweeps]
            return sorted(each["state_name"] for each in of_workers)

        wait_until(lambda: "Running" not in states(), "the dead run is marked", seconds=SILENCE_S + 300)
        assert states() == ["Completed", "Completed", "Crashed"]

    # Any command of any process could have written the secret somewhere.
    for path in [*server.rglob("*"), *tmp_path.rglob("*"), *(s3_process.root / bucket).rglob("*")]:
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path
    kinds = ("flow_runs", "task_runs", "logs", "artifacts", "deployments", "work_pools", "block_documents")
    for kind in kinds:
        assert secret not in json.dumps(query(url, kind)), kind
    assert secret not in out


def worker(name: str, folder: Path, variables: dict[str, str]) -> AbstractContextManager[subprocess.Popen[bytes]]:
    command = ["env", "-i", *(f"{key}={value}" for key, value in variables.items())]
    command += ["env", "--default-signal=INT,TERM"]  # a shell's background jobs ignore Ctrl-C, by which workers stop
    return running(
        [*command, PREFECT, "worker", "start", "--pool", "cpu", "--name", name, "--limit", "1"], folder / name
    )


def runs_heard_of(url: str) -> set[str]:
    """The runs of workers whose heartbeats the server has."""
    wanted = {"filter": {"event": {"name": ["prefect.flow-run.heartbeat"]}}, "limit": 50}
    answer = request("POST", f"{url}/events/filter", wanted)
    answer.raise_for_status()
    sweeps = request("GET", f"{url}/deployments/name/sweep/sweep").json()["id"]
    ours = {f"prefect.flow-run.{each['id']}" for each in query(url, "flow_runs") if each["deployment_id"] == sweeps}
    return ours & {event["resource"]["prefect.resource.id"] for event in answer.json()["events"]}


def hasten_the_automation(url: str) -> None:
    (automation,) = query(url, "automations")
    path = f"{url}/automations/{automation['id']}"
    wanted = {name: value for name, value in automation.items() if name not in {"id", "created", "updated"}}
    wanted["trigger"]["within"] = SILENCE_S
    request("PUT", path, wanted).raise_for_status()
