"""The door to Prefect: what a sweep does, as tasks with names, retries, logs and artifacts.

No task caches in Prefect's sense. The store knows what is done, so a retried or repeated task finds it there; such a
task run ends in a state named `Cached`, whose message is the URL of the object.
"""

from collections.abc import Collection, Iterable
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.states import Completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from sandboxes import Sandbox
from tasks.engines import Engine
from tasks.steps.retries import RETRIED
from tasks.store.blocks import Block, rotated
from tasks.sweep.grading import Grading
from tasks.sweep.sweep import Sweep

MOST_SHOWN = 420
"""So many blocks that are stored already get a task run each: Prefect loses task runs beyond about 1,000 in one flow
run. A full set of 300 problems × 10,000 samples has 418 blocks of samples and verdicts."""


@task(task_run_name="plan: which samples are owed", **RETRIED)
def plan_samples(sweep: Sweep) -> list[Block]:
    """The blocks of samples below k that are not stored."""
    owed = sweep.missing_samples()
    get_run_logger().info(
        "%s: %d samples to draw in %d blocks", sweep.samples.identity.name, sum(b.samples for b in owed), len(owed)
    )
    # Runs that share a set begin at different problems, so that they do not queue for the same claims.
    return rotated(owed, by=hash(flow_run.get_id()))


@task(task_run_name="plan: which verdicts are owed", **RETRIED)
def plan_verdicts(sweep: Grading) -> list[Block]:
    """The stored blocks of samples that lack a verdict."""
    owed = sweep.pending_verdicts()
    get_run_logger().info("%s: %d stored samples to verify", sweep.verdicts.identity.name, sum(b.samples for b in owed))
    return owed


@task(task_run_name="draw: {block}", **RETRIED)
def draw_block(sweep: Sweep, block: Block, engine: Engine, *, wait: bool = False) -> list[Block] | None:
    """Draw a block and store it; returns what was stored, now there to be verified.

    None where another sweep draws it, unless told to wait for that one.
    """
    drawn = sweep.draw(block, engine, wait=wait)
    if drawn is None:
        get_run_logger().info("another sweep is drawing these; they are looked at again later")
    elif not drawn:
        get_run_logger().info("another sweep has drawn these meanwhile")
    for part in drawn or []:
        get_run_logger().info("%d samples stored in %s", part.samples, sweep.samples.url(part))
    return drawn


@task(task_run_name="verify: {block}", **RETRIED)
def grade_block(sweep: Grading, block: Block, sandbox: Sandbox | None, *, wait: bool = False) -> bool:
    """Judge a stored block and store the verdicts; False where another sweep does, unless told to wait for that one."""
    url = sweep.verify(block, sandbox, wait=wait)
    if url is None:
        get_run_logger().info("another sweep is verifying these; they are looked at again later")
        return False
    get_run_logger().info("%d verdicts stored in %s", block.samples, url)
    return True


def grading_runner() -> TaskRunner[Any]:
    """Blocks are verified two side by side: one keeps every core of the sandbox busy, the second fills in for its last
    samples."""
    return ThreadPoolTaskRunner(max_workers=2)


def finish_grading(job: Grading, begun: Iterable[PrefectFuture[bool]], sandbox: Sandbox | None) -> None:
    """Wait for what has begun, then for what others are at: that too is judged, or else done here."""
    for future in begun:
        future.result()
    for block in plan_verdicts(job):
        grade_block(job, block, sandbox, wait=True)


@task(task_run_name="{what}", cache_policy=NO_CACHE)
def mark_cached(what: str, url: str) -> State[None]:  # noqa: ARG001 - `what` names the task run
    """Something that an earlier run has done: the task run ends as `Cached`, and links to the object."""
    get_run_logger().info("stored already: %s", url)
    return Completed(name="Cached", message=url)


def show_stored(sweep: Grading, unverified: Collection[Block]) -> None:
    """A task run, ended as `Cached`, for each block of samples, and of verdicts on them, that this run finds done."""
    blocks = sweep.stored_samples()
    judged = [block for block in blocks if block not in unverified]
    found = [(f"draw: {block}", sweep.samples.url(block)) for block in blocks]
    found += [(f"verify: {block}", sweep.verdicts.url(block)) for block in judged]
    for what, url in found[:MOST_SHOWN]:
        mark_cached(what, url)
    if len(found) > MOST_SHOWN:
        mark_cached(f"and {len(found) - MOST_SHOWN} blocks more", sweep.samples.store.url("samples"))
