"""Prepares a sweep from its configuration, and checks everything before any work starts."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

from flows.config.sweep import SweepConfig
from flows.setup.defaults import load_problems, origins, resolve_grader, resolve_sampling, select_problems
from flows.setup.grading import build_grading, check_grading
from tasks.datasets import Dataset
from tasks.datasets.exclusions import read_exclusions
from tasks.errors import UserError
from tasks.graders import Grader
from tasks.graders.base.functions import FunctionGrader
from tasks.graders.base.programs import ProgramGrader
from tasks.plugins import label_of
from tasks.prompts import prompt, template
from tasks.prompts.chat import ChatTemplate
from tasks.records import Price, Sampling
from tasks.scorers import Priced
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import problems_digest, sample_identity
from tasks.store.sets import SampleSet
from tasks.sweep.budgets import StopsByVotes
from tasks.sweep.grading import Grading
from tasks.sweep.scoring import Scoring
from tasks.sweep.selection import Selection
from tasks.sweep.sweep import Sweep


def prepare(config: SweepConfig) -> Sweep:
    """Build the sweep and check engine, grader, sandbox, scorers and store, in that order.

    Raises:
        UserError: something that only the user can fix; nothing has been written.
        SandboxUnavailableError: this machine cannot run the sandbox.
    """
    job = build_sweep(config)
    config.engine.check(job.selection.problems, config.k)
    check_grading(job.grading, config.sandbox)
    for scoring in job.scorings:
        scoring.check(config.budget)
    FsspecStore(config.store).probe()
    return job


def notes_on_cap(config: SweepConfig) -> list[str]:
    """What a cap in dollars does not count, one line each."""
    if not config.caps_dollars:
        return []
    return [
        f"cap.dollars does not count {label_of('scorer', scorer)}, whose time has no price here; cap.hours covers it"
        for scorer in config.scorers
        if not isinstance(scorer, Priced)
    ]


def prepare_for_workers(config: SweepConfig) -> Sweep:
    """Like `prepare`, for a store that workers in other folders and on other machines have to find.

    Raises:
        UserError: as `prepare` does, or the store is a relative path.
        SandboxUnavailableError: this machine cannot run the sandbox.
    """
    if "://" not in config.store and not Path(config.store).is_absolute():
        raise UserError(
            f"store: {config.store} is another folder for each worker; give an absolute path or a URL such as"
            " s3://bucket/runs"
        )
    return prepare(config)


def build_sweep(config: SweepConfig) -> Sweep:
    """Load the problems and name the sets, without checking whether this machine can draw or grade. Nothing is
    opened or written.

    Raises:
        UserError: problems, model or exclusions cannot be read, or do not fit together.
        SandboxUnavailableError: a Docker engine would have to describe the image, and there is none.
    """
    selection, digest = _read_problems(config)
    resolved = _resolve_defaults(config)
    if isinstance(config.budget, StopsByVotes):
        _require_answers(config.budget.name, resolved.grader)
    grading = _name_sets(config, selection, digest, resolved)
    return Sweep(
        grading=grading,
        template=config.dataset.template,
        sampling=resolved.sampling,
        budget=config.budget,
        price=None if config.price is None else Price(config.price.prompt, config.price.completion),
        chat=resolved.chat,
        truth=config.truth,
        scorings=[
            Scoring(
                grading=grading,
                scorer=scorer,
                prompt_of=partial(prompt, config.dataset.template),
                plugins=origins(scorer=scorer),
            )
            for scorer in config.scorers
        ],
    )


class _Resolved(NamedTuple):
    """The values of fields that the configuration may leave empty."""

    grader: Grader
    sampling: Sampling
    chat: ChatTemplate | None


def _read_problems(config: SweepConfig) -> tuple[Selection, str]:
    """The selection, and the hash of all problems."""
    dataset: Dataset = config.dataset
    problems = load_problems(dataset)
    candidates = select_problems(problems, config.limit, dataset)
    digest = problems_digest(problems)
    if config.pin is not None and not digest.startswith(config.pin):
        raise UserError(
            f"pin: the problems of {dataset.name} hash to {digest}, not to {config.pin}: their texts or their order"
            " differ"
        )
    exclude = read_exclusions(config.exclude, problems) if config.exclude else {}
    selection = Selection.of(problems, k=config.k, first=len(candidates), exclude=exclude)
    if not selection.positions:
        raise UserError(f"exclude: {config.exclude} leaves none of the {len(candidates)} problems to sample")
    return selection, digest


def _resolve_defaults(config: SweepConfig) -> _Resolved:
    return _Resolved(
        resolve_grader(config.dataset, config.grader),
        resolve_sampling(config.dataset, config.sampling),
        config.chat.load() if config.chat else None,
    )


def _require_answers(budget: str, grader: Grader) -> None:
    """Raise UserError where no sample can have an answer, so that no vote would ever be settled."""
    if isinstance(grader, ProgramGrader | FunctionGrader) and not grader.behaviour_inputs:
        raise UserError(
            f"budget: {budget} stops by the samples' answers, but programs graded by {grader.name} have none; set"
            " grader.behaviour_inputs for a vote over behaviour, or choose another budget"
        )


def _name_sets(config: SweepConfig, selection: Selection, digest: str, resolved: _Resolved) -> Grading:
    """The sample set and the verdict set, named by their ingredients."""
    dataset: Dataset = config.dataset
    samples = sample_identity(
        f"{dataset.name}-{config.engine.label}",
        dataset=dataset.name,
        problems=digest,
        **config.engine.ingredients(resolved.sampling, template(dataset.template)),
        **({"chat": resolved.chat.ingredients} if resolved.chat else {}),
        plugins=origins(dataset=dataset, engine=config.engine),
    )
    return build_grading(selection, SampleSet(FsspecStore(config.store), samples), resolved.grader, config.sandbox)
