"""One sweep on several workers: start runs of its deployment → wait until it is done → coverage and fit → report.

The runs share nothing but the store: each takes blocks that no other has claimed, and those of a run that has died. A
run completes when everything is stored and judged, whoever did it; so the first to complete says that the sweep is
done, and a run that died holds up nobody.
"""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, cast
from uuid import UUID

from prefect import flow, get_client, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import FlowRun, WorkerStatus
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from pydantic import Field

from flows.config.sweep import SweepConfig
from flows.setup.prepared import prepared_or
from flows.setup.sweep import prepare_for_workers
from flows.sweep import SweepResult, result
from tasks.errors import RESUME, AllRunsFailedError, UserError
from tasks.progress import progress
from tasks.steps import blocks
from tasks.steps.artifacts import measure, report
from tasks.sweep.sweep import SAMPLES, Sweep

LOOK_EVERY_S = 2.0
MOST_WORKERS = 1_000


load = task(name="load: problems", cache_policy=NO_CACHE)(prepared_or(prepare_for_workers))


@task(task_run_name="start: {workers} runs of {deployment}", cache_policy=NO_CACHE)
def start_runs(deployment: str, config: SweepConfig, workers: int) -> list[UUID]:
    """Schedule runs of the sweep's deployment; workers that poll its pool pick them up.

    Raises:
        UserError: there is no such deployment.
    """
    with get_client(sync_client=True) as client:
        try:
            pool = client.read_deployment_by_name(deployment).work_pool_name
        except (ObjectNotFound, ValueError) as error:
            known = sorted(each.name for each in client.read_deployments())
            raise UserError(
                f"deployment: the server has none called {deployment!r} (FLOW/NAME, such as sweep/sweep); "
                + (f"there are: {', '.join(known)}" if known else "`prefect deploy` makes them from infra/prefect.yaml")
            ) from error
        if pool is not None and not any(
            worker.status is WorkerStatus.ONLINE for worker in client.read_workers_for_work_pool(pool)
        ):
            progress.get().say(f"no worker polls the pool {pool!r} yet: prefect worker start --pool {pool}")
    parameters = {"config": config.model_dump(mode="json")}
    # What it returns is awaitable only inside an event loop, and a task has none.
    return [cast(FlowRun, run_deployment(deployment, parameters=parameters, timeout=0)).id for _ in range(workers)]


@task(task_run_name="wait: until a run has completed", cache_policy=NO_CACHE)
def wait_for_one(job: Sweep, runs: Sequence[UUID]) -> None:
    """Follow the runs until one has completed.

    Raises:
        AllRunsFailedError: all have ended otherwise.
    """
    log = get_run_logger()
    before: Counter[str] = Counter()
    stored = _stored(job)
    with get_client(sync_client=True) as client:
        while True:
            states = [state for run in runs if (state := client.read_flow_run(run).state) is not None]
            names = Counter(state.name or state.type.value for state in states)
            if names != before:
                log.info("runs: %s", ", ".join(f"{count} {name}" for name, count in sorted(names.items())))
                before = names
            now = _stored(job)
            progress.get().advance(SAMPLES, now - stored)
            stored = now
            if any(state.is_completed() for state in states):
                return
            if all(state.is_final() for state in states):
                why = next((state.message for state in states if state.message), "no reason was given")
                raise AllRunsFailedError(f"none of the {len(runs)} runs completed ({' '.join(why.split())}). {RESUME}")
            time.sleep(LOOK_EVERY_S)


def _stored(job: Sweep) -> int:
    return sum(block.samples for block in job.grading.stored_samples())


@flow(name="spread", flow_run_name="{config.dataset.name}-k{config.k} on {workers} workers")
def spread(
    config: SweepConfig,
    workers: Annotated[int, Field(ge=1, le=MOST_WORKERS, description="How many runs to start")] = 2,
    deployment: Annotated[str, Field(description="Which deployment of the sweep to run")] = "sweep/sweep",
) -> SweepResult:
    """Draw and verify as `sweep` does, by so many runs of its deployment at once, and report on all of it."""
    job = load(config)
    owed = blocks.plan_samples(job)
    wait_for_one(job, start_runs(deployment, config, workers))
    if _stored(job) and not job.grading.verdicts.stored():
        raise UserError(
            "workers: everything is drawn and judged, yet not as this machine would judge it (its Python is perhaps of"
            " another version, which verdicts are named by); give sandbox.python, or look at the result from a worker's"
            " machine"
        )
    measured = measure(job)
    publication = report(job, measured, config.to_yaml())
    return result(job, sum(block.samples for block in owed), measured, publication)
