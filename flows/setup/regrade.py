"""Prepares the regrading of a stored set from its configuration, and compares the new verdicts with earlier ones."""

from dataclasses import dataclass

from flows.config.regrade import RegradeConfig
from flows.setup.defaults import load_problems, resolve_grader
from flows.setup.grading import build_grading, check_grading
from tasks.datasets import Dataset
from tasks.errors import UserError
from tasks.records import Problem
from tasks.store.identity import Identity, problems_digest
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts, find
from tasks.store.inspect.opening import readable_store
from tasks.store.inspect.regrade_diff import Difference, difference
from tasks.store.sets import SampleSet
from tasks.sweep.grading import Grading
from tasks.sweep.selection import Selection


def prepare(config: RegradeConfig) -> Grading:
    """Find the set, load its problems, and check grader, sandbox and store.

    Raises:
        UserError: something that only the user can fix; nothing has been written.
        SandboxUnavailableError: this machine cannot run the sandbox.
    """
    store = readable_store(config.store)
    stored = find(store, config.samples)
    _baseline(stored, config, new="")
    problems = problems_of(config.dataset, stored)
    selection = Selection.of(problems, k=max((block.stop for block in stored.objects.footers), default=0))
    samples = SampleSet(store, _identity(stored))
    grading = build_grading(selection, samples, resolve_grader(config.dataset, config.grader), config.sandbox)
    check_grading(grading, config.sandbox)
    store.probe()
    return grading


def problems_of(dataset: Dataset, stored: StoredSamples) -> list[Problem]:
    """The problems that a stored set was drawn from.

    Raises:
        UserError: those of the dataset are others, or cannot be read.
    """
    problems = load_problems(dataset)
    if problems_digest(problems) != stored.ingredients.get("problems"):
        raise UserError(
            f"dataset: {stored.name} was not drawn from the problems of {dataset.name}; give the dataset of the set"
        )
    return problems


def _identity(stored: StoredSamples) -> Identity:
    identity = Identity(stored.label, stored.ingredients)
    if identity.name != stored.name:
        raise UserError(f"store: set.json of {stored.name} is damaged; see `monkeys check`")
    return identity


@dataclass(frozen=True, slots=True)
class Regraded:
    """The new verdicts, and how they differ from the earlier ones, if there are any."""

    samples: StoredSamples
    before: StoredVerdicts | None
    after: StoredVerdicts
    difference: Difference | None


def compare_verdicts(config: RegradeConfig, job: Grading) -> Regraded:
    """Compare the new verdicts with the baseline."""
    store, name = job.samples.store, job.verdicts.identity.name
    stored = find(store, job.samples.identity.name)
    after = next(each for each in stored.verdicts if each.name == name)
    before = _baseline(stored, config, new=name)
    if before is None:
        return Regraded(stored, None, after, None)
    return Regraded(stored, before, after, difference(store, stored, before, after, max_changes=config.max_changes))


def _baseline(stored: StoredSamples, config: RegradeConfig, *, new: str) -> StoredVerdicts | None:
    """The verdict set to compare with: the named one, or else the latest that is not the new one."""
    if config.against is not None:
        return stored.graded_by(config.against)
    return next((each for each in reversed(stored.verdicts) if each.name != new and not each.from_newer_version), None)
