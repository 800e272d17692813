"""What a configuration selects of a dataset, and the dataset's defaults for what it leaves open."""

from collections import Counter

from pydantic import TypeAdapter, ValidationError

from flows.config.choices import GraderConfig
from flows.config.sweep import SamplingConfig
from tasks.datasets import Dataset
from tasks.errors import UserError
from tasks.graders import Grader
from tasks.plugins import PluginError, fault_of, label_of, origin
from tasks.records import Problem, Sampling


def load_problems(dataset: Dataset) -> list[Problem]:
    """Every problem of a dataset; raises as `load` does, and PluginError where it gives something else."""
    problems = dataset.load()
    if not isinstance(problems, list) or not problems:
        raise PluginError(f"{label_of('dataset', dataset)} gave {type(problems).__name__}, not a list of problems")
    for each in problems:
        if not isinstance(each, Problem) or not isinstance(each.id, str) or not each.id:
            raise PluginError(f"{label_of('dataset', dataset)} gave {each!r:.60}, not a Problem with an id")
    return problems


def origins(**chosen: object) -> dict[str, str] | None:
    """The distributions of the plug-ins among what was chosen, by role; None where all is built in."""
    found = {role: from_ for role, each in chosen.items() if (from_ := origin(each)) is not None}
    return found or None


def verdict_origins(grader: Grader, sandbox: object) -> dict[str, str] | None:
    """The distributions of the plug-ins that verdicts depend on."""
    return origins(grader=grader, sandbox=sandbox) if grader.runs_code else origins(grader=grader)


def select_problems(problems: list[Problem], first: int | None, dataset: Dataset) -> list[Problem]:
    """The first N problems of a dataset; None: all.

    Raises:
        UserError: it has fewer, or one id twice.
    """
    twice = next((name for name, times in Counter(problem.id for problem in problems).items() if times > 1), None)
    if twice is not None:
        raise UserError(f"dataset: {dataset.name} holds problem {twice!r} more than once; every id must be its own")
    if first is not None and first > len(problems):
        raise UserError(f"problems: {first} are asked for, and {dataset.name} has {len(problems)}")
    return problems[:first]


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
    """The chosen sampling parameters; those left open are the dataset's."""
    return Sampling(
        temperature=chosen.temperature,
        top_p=chosen.top_p,
        max_tokens=chosen.max_tokens or dataset.max_tokens,
        stop=dataset.stop if chosen.stop is None else chosen.stop,
        seed=chosen.seed,
    )
