"""The sweep: load problems → draw samples → verify in a sandbox → coverage and fit → report.

The same flow starts, resumes and extends: it does exactly what the store lacks.
"""

from contextlib import ExitStack, nullcontext
from typing import NamedTuple

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import deployment

from flows.config.sweep import SweepConfig
from flows.runtime.concurrent_blocks import draw
from flows.setup.prepared import prepared_or
from flows.setup.sweep import prepare, prepare_for_workers
from tasks.engines import Engine
from tasks.engines.checked import CheckedEngine
from tasks.errors import CapReachedError, EngineFailedError
from tasks.plugins import label_of
from tasks.report.sweep.publish import Publication
from tasks.scaling.summary import SweepSummary
from tasks.steps import blocks
from tasks.steps.artifacts import Measurement, measure, report
from tasks.steps.concurrency import concurrency_slot
from tasks.store.blocks import Block
from tasks.sweep.sweep import Sweep


class SweepResult(NamedTuple):
    """What a sweep drew and found, and in which sets it lies. `drawn` counts the samples of this run alone."""

    samples: str
    verdicts: str
    drawn: int
    summary: SweepSummary
    publication: Publication


def prepare_run(config: SweepConfig) -> Sweep:
    """As `prepare` does, but the runs of a deployment may begin in a folder that is removed when they end: there, a
    relative store is refused."""
    return prepare_for_workers(config) if deployment.id else prepare(config)


load = task(name="load: problems", cache_policy=NO_CACHE)(prepared_or(prepare_run))


@flow(name="sweep", flow_run_name="{config.dataset.name}-k{config.k}", task_runner=blocks.grading_runner())
def sweep(config: SweepConfig) -> SweepResult:
    """Draw and verify the samples that the budget gives each problem, as far as they are not stored, and report on all
    of them. A budget of several rounds looks at the verdicts of one before it plans the next."""
    job = load(config)
    owed = blocks.plan_samples(job)
    unverified = blocks.plan_verdicts(job.grading)
    blocks.show_stored(job.grading, unverified)
    drawn: list[Block] = []

    sandbox_needed = job.grading.grader.runs_code and (owed or unverified)
    with (
        job.grading.claims,
        config.sandbox.open() if sandbox_needed else nullcontext() as sandbox,
        ExitStack() as drawing,
    ):
        verifying = [blocks.grade_block.submit(job.grading, block, sandbox) for block in unverified]
        engine: Engine | None = None
        ended: Exception | None = None
        while owed or verifying:
            if owed:
                if engine is None:
                    drawing.enter_context(concurrency_slot(config.concurrency_limit))
                    engine = drawing.enter_context(_opened(config, job))
                try:
                    for part in draw(job, owed, engine):
                        drawn.append(part)
                        verifying.append(blocks.grade_block.submit(job.grading, part, sandbox))
                except (CapReachedError, EngineFailedError) as error:
                    ended = error  # after what was drawn is judged
            if job.single_round:
                drawing.close()
            blocks.finish_grading(job.grading, verifying, sandbox)
            verifying = []
            owed = [] if job.single_round or ended else blocks.plan_samples(job)
        if ended is not None:
            raise ended

    measured = measure(job)
    publication = report(job, measured, config.to_yaml())
    return result(job, sum(block.samples for block in drawn), measured, publication)


def result(job: Sweep, drawn: int, measured: Measurement, publication: Publication) -> SweepResult:
    """What a flow that has swept returns."""
    names = job.samples.identity.name, job.grading.verdicts.identity.name
    return SweepResult(*names, drawn, measured.summary, publication)


def _opened(config: SweepConfig, job: Sweep) -> Engine:
    engine: Engine = CheckedEngine(config.engine.open(), label_of("engine", config.engine))
    return engine if config.cap is None else config.cap.wrap(engine, job.price)
