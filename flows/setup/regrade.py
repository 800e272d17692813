"""From a configuration to a verification that can run: the stored set, its own problems, grader, sandbox and store."""

from flows.config.regrade import RegradeConfig
from flows.setup.defaults import load_problems, resolve_grader, verdict_origins
from tasks.datasets import Dataset
from tasks.errors import UserError
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import Identity, problems_digest, verdict_identity
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts, find
from tasks.store.sets import SampleSet, VerdictSet
from tasks.sweep.grading import Grading


def prepare(config: RegradeConfig) -> Grading:
    """Find the set, load its problems, and check sandbox and store.

    Raises:
        UserError: something that only the user can mend; nothing has been written.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    store = FsspecStore(config.store)
    store.check_readable()
    stored = find(store, config.samples)
    earlier(stored, config, "")
    dataset: Dataset = config.dataset
    problems = load_problems(dataset)
    if problems_digest(problems) != stored.ingredients.get("problems"):
        raise UserError(
            f"dataset: {stored.name} was drawn on other problems than those of {dataset.name}; name its own"
        )
    samples = Identity(stored.label, stored.ingredients)
    if samples.name != stored.name:
        raise UserError(f"store: set.json of {stored.name} is damaged; `monkeys check` says more")
    grader = resolve_grader(dataset, config.grader)
    grader.check(problems)
    if grader.runs_code:
        config.sandbox.check()
    limits = config.sandbox.ingredients() if grader.runs_code else {}
    verdicts = verdict_identity(samples, grader.name, grader.version, limits, verdict_origins(grader, config.sandbox))
    store.probe()
    return Grading(
        problems=problems,
        first=None,
        k=max((block.stop for block in stored.objects.footers), default=0),
        grader=grader,
        samples=SampleSet(store, samples),
        verdicts=VerdictSet(store, samples, verdicts),
    )


def earlier(stored: StoredSamples, config: RegradeConfig, new: str) -> StoredVerdicts | None:
    """The verdict set to compare with: the one asked for, or else the latest but for the new one."""
    if config.against is not None:
        return stored.graded_by(config.against)
    return next((each for each in reversed(stored.verdicts) if each.name != new and not each.from_newer_version), None)
