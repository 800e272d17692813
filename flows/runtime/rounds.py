"""Draws and grades round by round, until the budget asks for no more. A block is graded while the next ones are
drawn."""

from collections.abc import Sequence
from contextlib import ExitStack, nullcontext

from flows.config.sweep import SweepConfig
from flows.runtime.concurrent_blocks import concurrently
from tasks.engines import Engine
from tasks.engines.checked import CheckedEngine
from tasks.engines.spend_limit import Spending
from tasks.errors import CapReachedError, EngineFailedError
from tasks.plugins import label_of
from tasks.steps import blocks
from tasks.steps.concurrency import concurrency_slot
from tasks.store.blocks import Block
from tasks.sweep.references import tell_failing_references
from tasks.sweep.sweep import Sweep


def draw_and_grade(
    config: SweepConfig, job: Sweep, missing: Sequence[Block], pending: Sequence[Block], spending: Spending | None
) -> int:
    """Draw the missing samples, and grade them and the pending ones; returns how many samples were drawn. `spending`
    has the cap, if there is one.

    Raises:
        CapReachedError, EngineFailedError: the run stopped early; what was drawn is stored and graded.
    """
    drawn = 0
    stopped: Exception | None = None
    sandbox_needed = job.grading.grader.runs_code and (missing or pending)
    with (
        job.grading.claims,
        config.sandbox.open() if sandbox_needed else nullcontext() as sandbox,
        ExitStack() as drawing,
        job.grading.giving_up_on_error(),
    ):
        if sandbox is not None:
            tell_failing_references(config.dataset, job.selection.problems, job.grading.grader, sandbox)
        grading = [blocks.grade_block.submit(job.grading, block, sandbox) for block in pending]
        engine: Engine | None = None
        while missing or grading:
            if missing:
                if engine is None:
                    drawing.enter_context(concurrency_slot(config.concurrency_limit))
                    engine = drawing.enter_context(_open_engine(config, spending))
                try:
                    for parts in concurrently(blocks.draw_block, missing, engine, sweep=job, engine=engine):
                        drawn += sum(block.samples for block in parts)
                        grading += [blocks.grade_block.submit(job.grading, block, sandbox) for block in parts]
                except (CapReachedError, EngineFailedError) as error:
                    stopped = error  # raised below, once what was drawn has been graded
            if job.single_round:
                drawing.close()
            blocks.finish_grading(job.grading, grading, sandbox)
            grading = []
            missing = [] if job.single_round or stopped else blocks.plan_samples(job)
        if stopped is not None:
            raise stopped
    return drawn


def _open_engine(config: SweepConfig, spending: Spending | None) -> Engine:
    engine: Engine = CheckedEngine(config.engine.open(), label_of("engine", config.engine))
    return engine if spending is None else spending.wrap(engine)
