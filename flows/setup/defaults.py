"""What a configuration chooses of a dataset, and what the dataset says where it leaves that open."""

from collections import Counter

from pydantic import TypeAdapter

from flows.config.choices import GraderConfig
from tasks.datasets import Dataset
from tasks.errors import UserError
from tasks.graders import Grader
from tasks.records import Problem


def select_problems(problems: list[Problem], first: int | None, dataset: Dataset) -> list[Problem]:
    """The first so many problems of a dataset; None: all.

    Raises:
        UserError: it has not so many, or one id twice.
    """
    twice = next((name for name, times in Counter(problem.id for problem in problems).items() if times > 1), None)
    if twice is not None:
        raise UserError(f"dataset: {dataset.name} holds problem {twice!r} more than once; every id must be its own")
    if first is not None and first > len(problems):
        raise UserError(f"problems: {first} are asked for, and {dataset.name} has {len(problems)}")
    return problems[:first]


def resolve_grader(dataset: Dataset, chosen: Grader | None) -> Grader:
    """The grader that was chosen, or else the usual one of the dataset."""
    return chosen or grader_named(dataset.grader)


def grader_named(name: str) -> Grader:
    """A grader with its usual settings."""
    grader: Grader = TypeAdapter(GraderConfig).validate_python(name)
    return grader
