"""Starts runs of a deployment that share one sweep on the workers of a Prefect server, and waits for one to
complete."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import cast
from uuid import UUID

from httpx import ConnectError
from prefect import get_client, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State, WorkerStatus
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.config.sweep import SweepConfig
from tasks.errors import RESUME, AllRunsFailedError, UserError
from tasks.progress import progress
from tasks.steps.server import FAULTS, is_busy, reason_of, tell_unreachable, unreachable
from tasks.sweep.sweep import SAMPLES, Sweep

POLL_EVERY_S = 2.0
_TRIES = 10
"""In a row, for a server that is healthy by its own account, but does not say how the runs are."""
POLL_STORE_EVERY_S = 10.0
"""While the server is away: looking at the whole store costs more than asking for the states of runs."""


@task(task_run_name="start: {workers} runs of {deployment}", cache_policy=NO_CACHE)
def start_runs(deployment: str, config: SweepConfig, workers: int) -> list[UUID]:
    """Schedule runs of the sweep's deployment; workers that poll its pool pick them up.

    Raises:
        UserError: the deployment does not exist.
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
    # `run_deployment` returns an awaitable only inside an event loop, and a task has none.
    return [cast(FlowRun, run_deployment(deployment, parameters=parameters, timeout=0)).id for _ in range(workers)]


@task(task_run_name="wait: until a run has completed", cache_policy=NO_CACHE)
def wait_for_one(job: Sweep, runs: Sequence[UUID]) -> None:
    """Follow the runs until one has completed; while the server is away, until the store holds the whole sweep.

    Raises:
        AllRunsFailedError: all of them ended without completing.
        UserError: a run completed, but its verdicts are in another set than this machine's would be.
    """
    log = get_run_logger()
    before: Counter[str] = Counter()
    stored = _stored(job)
    with get_client(sync_client=True) as client:
        while True:
            states = _states(client, runs)
            names = Counter(state.name or state.type.value for state in states or ())
            if names != before and states is not None:
                log.info("runs: %s", ", ".join(f"{count} {name}" for name, count in sorted(names.items())))
                before = names
            now = _stored(job)
            progress.get().advance(SAMPLES, now - stored)
            stored = now
            if _is_whole(job) if states is None else any(state.is_completed() for state in states):
                break
            if states is not None and all(state.is_final() for state in states):
                why = next((state.message for state in states if state.message), "no reason was given")
                raise AllRunsFailedError(f"none of the {len(runs)} runs completed ({' '.join(why.split())}). {RESUME}")
            time.sleep(POLL_EVERY_S if states is not None else POLL_STORE_EVERY_S)
    if stored and not job.grading.verdicts.stored():
        raise UserError(
            "workers: all samples are drawn and graded, but the workers' verdicts belong to another set than this"
            " machine's would (perhaps its Python has another version, which is part of a verdict set's name); set"
            " sandbox.python, or look at the result from a worker's machine"
        )


def _states(client: SyncPrefectClient, runs: Sequence[UUID]) -> list[State] | None:
    """The states of the runs; None where the server does not answer, or is too busy to answer this after several tries.

    Raises what Prefect's client raises if the server refuses the request.
    """
    reason = ""
    for _ in range(_TRIES):
        try:
            with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
                return [state for run in runs if (state := client.read_flow_run(run).state) is not None]
        except FAULTS as error:
            away = unreachable()
            reason = away or reason_of(error)
            if away is not None:
                break
            if not is_busy(error) and not isinstance(error, ConnectError):  # a server may be back by now
                raise
        time.sleep(POLL_EVERY_S)
    tell_unreachable(reason)
    return None


def _is_whole(job: Sweep) -> bool:
    """Whether every sample that the budget asks for is stored, graded and scored."""
    stored = job.samples.stored()
    selected = job.selection.within(stored)
    graded = not job.missing_given(stored, job.grading.verdicts.stored()) and not job.grading.verdicts.pending(selected)
    return graded and not any(each.scores.pending(selected) for each in job.scorings)


def _stored(job: Sweep) -> int:
    return sum(block.samples for block in job.grading.stored_samples())
