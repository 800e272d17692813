"""The door to Prefect: what a sweep does, as tasks with names, retries, logs and artifacts.

No task caches in Prefect's sense. The store knows what is done, so a retried or repeated task finds it there.
"""

import base64
from typing import Any, NamedTuple

from prefect import get_run_logger, task
from prefect.artifacts import create_image_artifact, create_link_artifact, create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from sandboxes import Sandbox, SandboxUnavailableError
from tasks.engines import Engine
from tasks.errors import InputError
from tasks.publish import Publication, publish
from tasks.scaling.summary import SweepSummary, summarise
from tasks.store.blocks import Block
from tasks.sweep import Sweep
from tasks.verification import Tally, Verification


def may_pass(task: Any, run: Any, state: Any) -> bool:  # noqa: ARG001 - the signature is Prefect's
    """Whether another try could help: storage and engines recover, what only the user can mend does not."""
    error = state.result(raise_on_failure=False)
    return not isinstance(error, InputError | SandboxUnavailableError)


class Measurement(NamedTuple):
    """What is stored, counted, and what the counts say."""

    tally: Tally
    summary: SweepSummary


_PATIENT: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "retries": 3,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": may_pass,
}


@task(task_run_name="plan: which samples are owed", **_PATIENT)
def plan_samples(sweep: Sweep) -> list[Block]:
    """The blocks of samples below k that are not stored."""
    owed = sweep.owed_samples()
    get_run_logger().info(
        "%s: %d samples to draw in %d blocks", sweep.samples.identity.name, sum(b.samples for b in owed), len(owed)
    )
    return owed


@task(task_run_name="plan: which verdicts are owed", **_PATIENT)
def plan_verdicts(sweep: Verification) -> list[Block]:
    """The stored blocks of samples that lack a verdict."""
    owed = sweep.owed_verdicts()
    get_run_logger().info("%s: %d stored samples to verify", sweep.verdicts.identity.name, sum(b.samples for b in owed))
    return owed


@task(task_run_name="draw: {block}", **_PATIENT)
def draw_block(sweep: Sweep, block: Block, engine: Engine, *, wait: bool = False) -> list[Block] | None:
    """Draw a block and store it; returns what was stored, now there to be verified.

    None where another sweep draws it, unless told to wait for that one.
    """
    drawn = sweep.draw(block, engine, wait=wait)
    if drawn is None:
        get_run_logger().info("another sweep is drawing these; they are looked at again later")
    for part in drawn or []:
        get_run_logger().info("%d samples stored in %s", part.samples, sweep.samples.url(part))
    return drawn


@task(task_run_name="verify: {block}", **_PATIENT)
def verify_block(sweep: Verification, block: Block, sandbox: Sandbox | None, *, wait: bool = False) -> bool:
    """Judge a stored block and store the verdicts; False where another sweep does, unless told to wait for that one."""
    url = sweep.verify(block, sandbox, wait=wait)
    if url is None:
        get_run_logger().info("another sweep is verifying these; they are looked at again later")
        return False
    get_run_logger().info("%d verdicts stored in %s", block.samples, url)
    return True


@task(task_run_name="measure: coverage and fit", **_PATIENT)
def measure(sweep: Sweep) -> Measurement:
    """Unbiased coverage below k with bootstrap intervals, and the power law through it."""
    tally = sweep.tally()
    return Measurement(tally, summarise(tally.by_problem, tally.verdicts, max_k=sweep.k))


@task(task_run_name="report: page, figures and tables", **_PATIENT)
def report(sweep: Sweep, measured: Measurement, config_yaml: str) -> Publication:
    """Write page, figures and tables to the store, and show them in the Prefect UI."""
    publication = publish(sweep, measured.tally, measured.summary, config_yaml)
    headline = measured.summary.headline
    create_markdown_artifact(publication.markdown, key="coverage", description=headline)
    if publication.plot is not None:
        plot = base64.b64encode(publication.plot).decode()
        create_image_artifact(f"data:image/svg+xml;base64,{plot}", key="coverage-plot", description=headline)
    create_link_artifact(publication.page, link_text="report.html", key="report", description=headline)
    return publication
