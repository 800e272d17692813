"""Resolves what a configuration selects from a dataset, and the dataset's defaults for fields that it leaves empty."""

from collections import Counter

from pydantic import BaseModel, TypeAdapter, ValidationError

from flows.config.choices import GraderConfig
from flows.config.sweep import SamplingConfig
from tasks.datasets import Dataset
from tasks.errors import UserError
from tasks.graders import Grader
from tasks.plugins import PluginError, fault_of, label_of, origin
from tasks.records import Problem, Sampling


def load_problems(dataset: Dataset) -> list[Problem]:
    """Every problem of a dataset.

    Raises:
        UserError: raised by the dataset's `load`.
        PluginError: `load` returned something other than a list of problems.
    """
    problems = dataset.load()
    if not isinstance(problems, list) or not problems:
        raise PluginError(f"{label_of('dataset', dataset)} gave {type(problems).__name__}, not a list of problems")
    for each in problems:
        if not isinstance(each, Problem) or not isinstance(each.id, str) or not each.id:
            raise PluginError(f"{label_of('dataset', dataset)} gave {each!r:.60}, not a Problem with an id")
    return problems


def origins(**chosen: object) -> dict[str, str] | None:
    """The distributions of the plug-ins among the chosen objects, by role; None if all are built in."""
    found = {role: from_ for role, each in chosen.items() if (from_ := origin(each)) is not None}
    return found or None


def verdict_origins(grader: Grader, sandbox: object) -> dict[str, str] | None:
    """The distributions of the plug-ins that verdicts depend on: of the grader, of what its fields choose, such as a
    prover, and of the sandbox."""
    chosen = dict(grader) if isinstance(grader, BaseModel) else {}
    # A plug-in's field may have the name of a role, such as `grader`.
    return origins(**chosen | {"grader": grader} | ({"sandbox": sandbox} if grader.runs_code else {}))


def select_problems(problems: list[Problem], limit: int | None, dataset: Dataset) -> list[Problem]:
    """The first `limit` problems of a dataset; None: all.

    Raises:
        UserError: the dataset has fewer problems, or repeats an id.
    """
    twice = next((name for name, times in Counter(problem.id for problem in problems).items() if times > 1), None)
    if twice is not None:
        raise UserError(f"dataset: {dataset.name} has problem {twice!r} more than once; ids must be unique")
    if limit is not None and limit > len(problems):
        raise UserError(f"limit: {limit} problems requested, but {dataset.name} has only {len(problems)}")
    return problems[:limit]


def resolve_grader(dataset: Dataset, chosen: Grader | None) -> Grader:
    """The chosen grader, or else the default one of the dataset."""
    return chosen or grader_named(dataset.grader)


def grader_named(name: str) -> Grader:
    """A grader with its default settings."""
    broken = fault_of("grader", name)
    try:
        grader: Grader = TypeAdapter(GraderConfig).validate_python(name)
    except ValidationError as error:
        raise UserError(f"grader: {broken or f'{name!r} is unknown, or cannot be chosen by its name alone'}") from error
    return grader


def resolve_sampling(dataset: Dataset, chosen: SamplingConfig) -> Sampling:
    """The chosen sampling parameters, with the dataset's defaults for those left empty."""
    return Sampling(
        temperature=chosen.temperature,
        top_p=chosen.top_p,
        max_tokens=chosen.max_tokens or dataset.max_tokens,
        stop=dataset.stop if chosen.stop is None else chosen.stop,
        seed=chosen.seed,
    )
