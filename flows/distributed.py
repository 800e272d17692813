"""One sweep on several workers: start runs of its deployment → wait until it is done → coverage and fit → report.

The runs share only the store: each takes blocks that no other run has claimed, and those of runs that died. A run
completes when everything is stored and graded, no matter by which run. So the sweep is done when the first run
completes, and a run that died delays no other.
"""

from typing import Annotated

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from flows.config.sweep import SweepConfig
from flows.runtime.completion import keeps_outcome
from flows.runtime.deployment_runs import start_runs, wait_for_one
from flows.setup.prepared import prepared_or
from flows.setup.sweep import prepare_for_workers
from flows.sweep import SweepResult
from tasks.steps import blocks
from tasks.steps.artifacts import measure, report

MAX_WORKERS = 1_000

load = task(name="load: problems", cache_policy=NO_CACHE)(prepared_or(prepare_for_workers))


@flow(name="distributed-sweep", flow_run_name="{config.dataset.name}-k{config.k} on {workers} workers")
@keeps_outcome
def distributed_sweep(
    config: SweepConfig,
    workers: Annotated[int, Field(ge=1, le=MAX_WORKERS, description="How many runs to start")] = 2,
    deployment: Annotated[str, Field(description="The deployment of the sweep that is run")] = "sweep/sweep",
) -> SweepResult:
    """Draw and grade as `sweep` does, split across several runs of its deployment, and report on the whole sweep."""
    job = load(config)
    missing = blocks.plan_samples(job)
    wait_for_one(job, start_runs(deployment, config, workers))
    measured = measure(job)
    publication = report(job, measured, config.to_yaml())
    return SweepResult.of(job, sum(block.samples for block in missing), measured, publication)
