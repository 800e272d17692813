"""The door to Prefect: what a sweep does, as tasks with names, retries, logs and artifacts.

No task caches in Prefect's sense. The store knows what is done, so a retried or repeated task finds it there; such a
task run ends in a state named `Cached`, whose message is the URL of the object.
"""

import base64
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, NamedTuple

from prefect import get_client, get_run_logger, task
from prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.client.schemas.objects import State
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.states import Completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff

from sandboxes import Sandbox, SandboxUnavailableError
from tasks.comparing import ComparisonFiles
from tasks.engines import Engine
from tasks.errors import CancelledError, CapReachedError, EngineFailedError, InputError
from tasks.publish import Publication, publish
from tasks.report.comparison_markdown import markdown
from tasks.report.wording import held_out_sentence
from tasks.scaling.comparison import Comparison
from tasks.scaling.summary import SweepSummary
from tasks.store.blocks import Block, rotated
from tasks.sweep import Sweep
from tasks.verification import Tally, Verification

_FINAL = (
    InputError,
    SandboxUnavailableError,
    EngineFailedError,
    CapReachedError,
    CancelledError,
    TypeError,
    AttributeError,
    NameError,
)


def may_pass(task: Any, run: Any, state: Any) -> bool:  # noqa: ARG001 - the signature is Prefect's
    """Whether another try could help: a store recovers; what only the user or a programmer can mend does not, nor what
    has been given up already."""
    error = state.result(raise_on_failure=False)
    return not isinstance(error, _FINAL)


MOST_SHOWN = 420
"""So many blocks that are stored already get a task run each: Prefect loses task runs beyond about 1,000 in one flow
run. A full set of 300 problems × 10,000 samples has 418 blocks of samples and verdicts."""

LEASE_S = 60.0
"""A slot of a concurrency limit whose holder was killed is free again after this time."""


class Measurement(NamedTuple):
    """What is stored, counted, and what the counts say."""

    tally: Tally
    summary: SweepSummary


# Tries again after 2, 4, … 64 s, each give or take a half: over a minute in all, however the dice fall.
_PATIENT: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "retries": 6,
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
    # Runs that share a set begin at different problems, so that they do not queue for the same claims.
    return rotated(owed, by=hash(flow_run.get_id()))


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
    elif not drawn:
        get_run_logger().info("another sweep has drawn these meanwhile")
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


def verifiers() -> TaskRunner[Any]:
    """Blocks are verified two side by side: one keeps every core of the sandbox busy, the second fills in for its last
    samples."""
    return ThreadPoolTaskRunner(max_workers=2)


def finish_verifying(job: Verification, begun: Iterable[PrefectFuture[bool]], sandbox: Sandbox | None) -> None:
    """Wait for what has begun, then for what others are at: that too is judged, or else done here."""
    for future in begun:
        future.result()
    for block in plan_verdicts(job):
        verify_block(job, block, sandbox, wait=True)


@task(task_run_name="{what}", cache_policy=NO_CACHE)
def find_stored(what: str, url: str) -> State[None]:  # noqa: ARG001 - `what` names the task run
    """Something that an earlier run has done: the task run ends as `Cached`, and links to the object."""
    get_run_logger().info("stored already: %s", url)
    return Completed(name="Cached", message=url)


def show_stored(sweep: Verification, unverified: Collection[Block]) -> None:
    """A task run, ended as `Cached`, for each block of samples, and of verdicts on them, that this run finds done."""
    blocks = sweep.stored_samples()
    judged = [block for block in blocks if block not in unverified]
    found = [(f"draw: {block}", sweep.samples.url(block)) for block in blocks]
    found += [(f"verify: {block}", sweep.verdicts.url(block)) for block in judged]
    for what, url in found[:MOST_SHOWN]:
        find_stored(what, url)
    if len(found) > MOST_SHOWN:
        find_stored(f"and {len(found) - MOST_SHOWN} blocks more", sweep.samples.store.url("samples"))


@contextmanager
def holding(limit: str | None) -> Iterator[None]:
    """Hold a slot of Prefect's global concurrency limit with this name, waiting for one if need be; None: no limit.

    A limit that does not exist is made, with one slot; one that exists keeps the slots that somebody gave it.
    """
    if limit is None:
        yield
        return
    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(limit)
        except ObjectNotFound:
            with suppress(ObjectAlreadyExists):  # another run was first
                client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=limit, limit=1))
    get_run_logger().info("waiting for a slot of the concurrency limit %s", limit)
    # A server that is away for a moment must not end a run that holds its slot and draws.
    with concurrency(limit, strict=True, lease_duration=LEASE_S, raise_on_lease_renewal_failure=False):
        get_run_logger().info("got a slot of the concurrency limit %s", limit)
        yield


@task(task_run_name="report: what changed", **_PATIENT)
def show_difference(text: str) -> None:
    """Show what changed by regrading in the Prefect UI."""
    create_markdown_artifact(text, key="regrade")


@task(task_run_name="measure: coverage and fit", **_PATIENT)
def measure(sweep: Sweep) -> Measurement:
    """Unbiased coverage below k with bootstrap intervals, and the power law through it."""
    tally = sweep.tally()
    return Measurement(tally, sweep.summarise(tally))


@task(task_run_name="report: page, figures and tables", **_PATIENT)
def report(sweep: Sweep, measured: Measurement, config_yaml: str) -> Publication:
    """Write page, figures and tables to the store, and show them in the Prefect UI."""
    publication = publish(sweep, measured.tally, measured.summary, config_yaml)
    headline = measured.summary.headline
    create_markdown_artifact(publication.markdown, key="coverage", description=headline)
    _show_figures(publication.figures, headline)
    if measured.summary.laws is not None:
        rows = [asdict(error) for error in measured.summary.laws.errors]
        create_table_artifact(rows, key="laws", description=held_out_sentence(measured.summary.laws))
    samples, verdicts = sweep.samples.identity.name, sweep.verdicts.identity.name
    for key, url in (
        ("report", publication.page),
        ("samples", sweep.samples.store.url(f"samples/{samples}")),
        ("verdicts", sweep.samples.store.url(f"verdicts/{samples}/{verdicts}")),
    ):
        # The address itself: no browser follows s3://, but a person can copy it.
        create_link_artifact(url, link_text=url, key=key, description=headline)
    return publication


@task(task_run_name="report: show in Prefect", cache_policy=NO_CACHE)
def show_comparison(comparison: Comparison, files: ComparisonFiles | None) -> None:
    """The comparison as artifacts: as text always, its page and figures where they were written."""
    headline = comparison.headline
    if files is None:
        create_markdown_artifact(markdown(comparison), key="comparison", description=headline)
        return
    create_markdown_artifact(files.markdown, key="comparison", description=headline)
    create_link_artifact(files.page, link_text="comparison.html", key="comparison-page", description=headline)
    _show_figures(files.figures, headline)


def _show_figures(figures: Mapping[str, bytes], description: str) -> None:
    for name, svg in figures.items():
        image = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
        create_image_artifact(image, key=f"{name.replace('_', '-')}-plot", description=description)
