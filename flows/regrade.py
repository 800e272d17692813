"""Regrading: grade stored samples with another grader or other limits → compare with their earlier verdicts.

Nothing is drawn, and no verdict is replaced: another grader or limit makes another verdict set.
"""

from contextlib import nullcontext

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.config.regrade import RegradeConfig
from flows.runtime.completion import keeps_outcome
from flows.setup.prepared import prepared_or
from flows.setup.regrade import Regraded, compare_verdicts, prepare
from tasks.report.regrade import regraded
from tasks.steps import blocks
from tasks.steps.artifacts import show_difference

load = task(name="load: problems", cache_policy=NO_CACHE)(prepared_or(prepare))
compare = task(name="compare: verdicts before and after", cache_policy=NO_CACHE)(compare_verdicts)


@flow(name="regrade", flow_run_name="{config.samples}", task_runner=blocks.grading_runner())
@keeps_outcome
def regrade(config: RegradeConfig) -> Regraded:
    """Grade the stored samples of a set that this grader has not graded yet, and compare with earlier verdicts."""
    grading = load(config)
    pending = blocks.plan_verdicts(grading)
    sandbox_needed = grading.grader.runs_code and pending
    with (
        grading.claims,
        config.sandbox.open() if sandbox_needed else nullcontext() as sandbox,
        grading.giving_up_on_error(),
    ):
        submitted = [blocks.grade_block.submit(grading, block, sandbox) for block in pending]
        blocks.finish_grading(grading, submitted, sandbox)
    result = compare(config, grading)
    before = None if result.before is None else result.before.name
    show_difference(regraded(result.after.name, result.after.counts, before, result.difference))
    return result
