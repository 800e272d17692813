"""The contract of datasets."""

from collections import Counter
from contextlib import nullcontext

from flows.setup.defaults import grader_named
from monkeys.testing.contract import check_class, one_line, require
from sandboxes import SandboxConfig
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.audit.labelled import to_grade
from tasks.datasets import Dataset
from tasks.errors import UserError
from tasks.graders import Grader
from tasks.prompts import prompt
from tasks.records import Problem, Verdict
from tasks.store.identity import problems_digest

BUBBLEWRAP = BubblewrapConfig()


def check_dataset(dataset: Dataset, *, grader: Grader | None = None, sandbox: SandboxConfig = BUBBLEWRAP) -> None:
    """Check that a dataset loads the same valid problems each time, and that its known solutions are graded as such.

    Args:
        dataset: with the fields that it needs, such as a small file.
        grader: what grades the solutions; None: the dataset's own, which must be installed.
        sandbox: opened if the grader runs code.

    Raises:
        ContractError: a promise is broken; the message says which.
        SandboxUnavailableError: programs must be run, and this machine cannot offer the sandbox.
    """
    check_class("dataset", dataset)
    problems = dataset.load()
    _check_problems(dataset, problems)
    _check_defaults(dataset)
    chosen = grader or grader_named(dataset.grader)
    try:
        chosen.check(problems)
    except UserError as error:
        one_line(error, f"{chosen.name}.check")
        require(False, f"{chosen.name} cannot grade the problems: {error}")
    _check_solutions(dataset, {problem.id: problem for problem in problems}, chosen, sandbox)


def _check_problems(dataset: Dataset, problems: list[Problem]) -> None:
    require(isinstance(problems, list) and bool(problems), "load() returned no list of problems")
    for problem in problems:
        require(isinstance(problem, Problem), f"load() returned {type(problem).__name__}, not a Problem")
        require(bool(problem.id) and problem.id == problem.id.strip(), f"{problem.id!r} is not an id")
        require(problem.check is not None and not problem.check.is_empty, f"{problem.id}: nothing to check a sample by")
        require(problem.question in prompt(dataset.template, problem), f"{problem.id}: the prompt lacks the question")
    for name, times in Counter(problem.id for problem in problems).items():
        require(times == 1, f"the id {name!r} occurs {times} times")
    digest = problems_digest(problems)
    require(
        problems_digest(dataset.load()) == digest, "load() returns other problems, or another order, the second time"
    )


def _check_defaults(dataset: Dataset) -> None:
    require(dataset.grader in dataset.graders, f"the grader {dataset.grader} is not among graders: {dataset.graders}")
    require(
        isinstance(dataset.stop, tuple) and all(isinstance(each, str) and each for each in dataset.stop),
        f"stop is not a tuple of texts: {dataset.stop!r}",
    )
    require(dataset.max_tokens >= 1, f"max_tokens is {dataset.max_tokens}")


def _check_solutions(dataset: Dataset, by_id: dict[str, Problem], grader: Grader, sandbox: SandboxConfig) -> None:
    known = list(dataset.solutions())
    for each in known:
        require(each.problem_id in by_id, f"a solution is of {each.problem_id!r}, which is not among the problems")
    pairs = to_grade(by_id.values(), known)
    with sandbox.open() if grader.runs_code and pairs else nullcontext() as opened:
        for graded in grader.grade(pairs, opened) if pairs else ():
            truth = known[graded.index]
            require(
                (graded.verdict is Verdict.CORRECT) == truth.correct,
                f"{grader.name} finds a known {'right' if truth.correct else 'wrong'} solution of {truth.problem_id}"
                f" {graded.verdict}: {truth.text[:100]!r} ({graded.detail})",
            )
