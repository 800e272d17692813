"""Drawing and grading as Prefect tasks, with names, retries and logs.

Prefect's own caching is not used. The store knows what is done, so a task that is retried or repeated finds its result
there. Work that an earlier run did is shown as a task run that ends in a state named `Cached`, with the object's URL.
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

MAX_SHOWN = 420
"""Maximum task runs for blocks that are stored already: Prefect loses task runs beyond about 1,000 in one flow run. A
full set of 300 problems × 10,000 samples has 418 blocks of samples and verdicts."""


@task(task_run_name="plan: which samples are missing", **RETRIED)
def plan_samples(sweep: Sweep) -> list[Block]:
    """The blocks of samples that the budget asks for now and that are not stored."""
    blocks = sweep.missing_samples()
    samples = sum(block.samples for block in blocks)
    get_run_logger().info("%s: %d samples to draw in %d blocks", sweep.samples.identity.name, samples, len(blocks))
    # Runs that share a set start at different problems, so that they do not compete for the same claims.
    return rotated(blocks, by=hash(flow_run.get_id()))


@task(task_run_name="plan: which verdicts are pending", **RETRIED)
def plan_verdicts(grading: Grading) -> list[Block]:
    """The stored blocks of samples that lack a verdict."""
    blocks = grading.pending_verdicts()
    samples = sum(block.samples for block in blocks)
    get_run_logger().info("%s: %d stored samples to grade", grading.verdicts.identity.name, samples)
    return blocks


@task(task_run_name="draw: {block}", **RETRIED)
def draw_block(sweep: Sweep, block: Block, engine: Engine, *, wait: bool = False) -> list[Block] | None:
    """Draw a block and store it; returns the blocks that were stored and can be graded.

    None if another sweep is drawing it and `wait` is False.
    """
    drawn = sweep.draw(block, engine, wait=wait)
    if drawn is None:
        get_run_logger().info("another sweep is drawing these samples; looking again later")
    elif not drawn:
        get_run_logger().info("another sweep has drawn these samples in the meantime")
    for part in drawn or []:
        get_run_logger().info("%d samples stored in %s", part.samples, sweep.samples.url(part))
    return drawn


@task(task_run_name="grade: {block}", **RETRIED)
def grade_block(grading: Grading, block: Block, sandbox: Sandbox | None, *, wait: bool = False) -> bool:
    """Grade a stored block and store the verdicts; False if another sweep is grading it and `wait` is False."""
    url = grading.grade(block, sandbox, wait=wait)
    if url is None:
        get_run_logger().info("another sweep is grading these samples; looking again later")
        return False
    get_run_logger().info("%d verdicts stored in %s", block.samples, url)
    return True


def grading_runner() -> TaskRunner[Any]:
    """Grades two blocks concurrently: the second keeps the sandbox's cores busy while the first one's last samples
    run."""
    return ThreadPoolTaskRunner(max_workers=2)


def finish_grading(grading: Grading, submitted: Iterable[PrefectFuture[bool]], sandbox: Sandbox | None) -> None:
    """Wait for the submitted blocks, and then for those that other sweeps are grading; grade here what they leave."""
    for future in submitted:
        future.result()
    for block in plan_verdicts(grading):
        grade_block(grading, block, sandbox, wait=True)


@task(task_run_name="{what}", cache_policy=NO_CACHE)
def mark_cached(what: str, url: str) -> State[None]:  # noqa: ARG001 - `what` names the task run
    """Show work of an earlier run as a task run that ends as `Cached`, with the object's URL as its message."""
    get_run_logger().info("already stored: %s", url)
    return Completed(name="Cached", message=url)


def show_stored(grading: Grading, pending: Collection[Block]) -> None:
    """Show each block of samples or verdicts that was already stored when this run started as a `Cached` task run."""
    blocks = grading.stored_samples()
    found = [(f"draw: {block}", grading.samples.url(block)) for block in blocks]
    found += [(f"grade: {block}", grading.verdicts.url(block)) for block in blocks if block not in pending]
    for what, url in found[:MAX_SHOWN]:
        mark_cached(what, url)
    if len(found) > MAX_SHOWN:
        mark_cached(f"and {len(found) - MAX_SHOWN} more blocks", grading.samples.store.url("samples"))
