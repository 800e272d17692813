"""Regrading: verify stored samples with another grader or other limits → compare with the verdicts they had.

Nothing is drawn, and no verdict is replaced: another rule is another set of verdicts, beside the earlier ones.
"""

from contextlib import nullcontext
from dataclasses import dataclass

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.config.regrade import RegradeConfig
from flows.setup.prepared import prepared_or
from flows.setup.regrade import earlier, prepare
from tasks.report.regrade import regraded
from tasks.steps import blocks
from tasks.steps.artifacts import show_difference
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts, find
from tasks.store.inspect.regrade_diff import Difference, difference
from tasks.sweep.grading import Grading


@dataclass(frozen=True, slots=True)
class Regraded:
    """The new verdicts, and what changed; no difference where there are no other verdicts to compare with."""

    samples: StoredSamples
    before: StoredVerdicts | None
    after: StoredVerdicts
    difference: Difference | None


def compare(config: RegradeConfig, job: Grading) -> Regraded:
    """Set the new verdicts beside the earlier ones."""
    name = job.verdicts.identity.name
    stored = find(job.samples.store, job.samples.identity.name)
    after = next(each for each in stored.verdicts if each.name == name)
    before = earlier(stored, config, name)
    if before is None:
        return Regraded(stored, None, after, None)
    return Regraded(
        stored, before, after, difference(job.samples.store, stored, before, after, max_changes=config.max_changes)
    )


load = task(name="load: problems", cache_policy=NO_CACHE)(prepared_or(prepare))
tell_apart = task(name="compare: verdicts before and after", cache_policy=NO_CACHE)(compare)


@flow(name="regrade", flow_run_name="{config.samples}", task_runner=blocks.grading_runner())
def regrade(config: RegradeConfig) -> Regraded:
    """Judge every stored sample of a set by one grader, as far as it has not, and compare with earlier verdicts."""
    job = load(config)
    owed = blocks.plan_verdicts(job)
    with job.claims, config.sandbox.open() if job.grader.runs_code and owed else nullcontext() as sandbox:
        blocks.finish_grading(job, [blocks.grade_block.submit(job, block, sandbox) for block in owed], sandbox)
    result = tell_apart(config, job)
    before = None if result.before is None else result.before.name
    show_difference(regraded(result.after.name, result.after.counts, before, result.difference))
    return result
