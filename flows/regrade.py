"""Regrading: verify stored samples with another grader or other limits → compare with the verdicts they had.

Nothing is drawn, and no verdict is replaced: another rule is another set of verdicts, beside the earlier ones.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from pydantic import TypeAdapter

from flows.config import GraderConfig, RegradeConfig
from tasks import steps
from tasks.datasets import Dataset
from tasks.errors import InputError
from tasks.graders import Grader
from tasks.store.catalog import StoredSamples, StoredVerdicts, find
from tasks.store.differences import Difference, difference
from tasks.store.keys import Identity, problems_digest, verdict_identity
from tasks.store.objects import FsspecStore
from tasks.store.sets import SampleSet, VerdictSet
from tasks.verification import Verification

_two_at_once: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=2)


@dataclass(frozen=True, slots=True)
class Regraded:
    """The new verdicts, and what changed; no difference where there are no other verdicts to compare with."""

    samples: StoredSamples
    before: StoredVerdicts | None
    after: StoredVerdicts
    difference: Difference | None


def prepare(config: RegradeConfig) -> Verification:
    """Find the set, load its problems, and check sandbox and store.

    Raises:
        InputError: something that only the user can mend; nothing has been written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    store = FsspecStore(config.store)
    store.check_readable()
    stored = find(store, config.samples)
    _before(stored, config, "")
    dataset: Dataset = config.task
    problems = dataset.load()
    if problems_digest(problems) != stored.ingredients.get("problems"):
        raise InputError(f"task: {stored.name} was drawn on other problems than those of {dataset.name}; name its own")
    samples = Identity(stored.label, stored.ingredients)
    if samples.name != stored.name:
        raise InputError(f"store: set.json of {stored.name} is damaged; `monkeys check` says more")
    grader: Grader = config.grader or TypeAdapter(GraderConfig).validate_python(dataset.grader)
    if grader.runs_code:
        config.sandbox.check()
    limits = config.sandbox.ingredients() if grader.runs_code else {}
    store.probe()
    return Verification(
        problems=problems,
        first=None,
        k=max((block.stop for block in stored.objects.footers), default=0),
        grader=grader,
        samples=SampleSet(store, samples),
        verdicts=VerdictSet(store, samples, verdict_identity(samples, grader.name, grader.version, limits)),
    )


def compare(config: RegradeConfig, job: Verification) -> Regraded:
    """Set the new verdicts beside the earlier ones."""
    name = job.verdicts.identity.name
    stored = find(job.samples.store, job.samples.identity.name)
    after = next(each for each in stored.verdicts if each.name == name)
    before = _before(stored, config, name)
    if before is None:
        return Regraded(stored, None, after, None)
    return Regraded(
        stored, before, after, difference(job.samples.store, stored, before, after, most_changes=config.most_changes)
    )


def _before(stored: StoredSamples, config: RegradeConfig, new: str) -> StoredVerdicts | None:
    """The verdict set to compare with: the one asked for, or else the latest but for the new one."""
    if config.against is not None:
        return stored.judged_by(config.against)
    return next((each for each in reversed(stored.verdicts) if each.name != new and not each.is_newer), None)


load = task(name="load: problems", cache_policy=NO_CACHE)(prepare)
tell_apart = task(name="compare: verdicts before and after", cache_policy=NO_CACHE)(compare)


@flow(name="regrade", flow_run_name="{config.samples}", task_runner=_two_at_once)
def regrade(config: RegradeConfig) -> Regraded:
    """Judge every stored sample of a set by one grader, as far as it has not, and compare with earlier verdicts."""
    job = load(config)
    owed = steps.plan_verdicts(job)
    with job.claims, config.sandbox.open() if job.grader.runs_code and owed else nullcontext() as sandbox:
        for future in [steps.verify_block.submit(job, block, sandbox) for block in owed]:
            future.result()
        for block in steps.plan_verdicts(job):
            steps.verify_block(job, block, sandbox, wait=True)
    return tell_apart(config, job)
