"""Reference solutions: where a problem's own fails its function test, so does every sample, and a person should know.

They are run once in a run that grades, at a few milliseconds each. The problem stays in the sweep: what it is worth is
for `monkeys audit tests` and the person to decide.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sandboxes import Sandbox
from tasks.audit.labelled import to_grade
from tasks.datasets import Dataset
from tasks.graders import Grader
from tasks.progress import progress
from tasks.records import FunctionCheck, LabelledSample, Problem, Verdict

_log = logging.getLogger(__name__)


class FailingReference(NamedTuple):
    """A problem none of whose own solutions passes its test, and what became of the first."""

    problem_id: str
    verdict: Verdict
    detail: str


def failing_references(
    problems: Sequence[Problem], solutions: Iterable[LabelledSample], grader: Grader, sandbox: Sandbox
) -> list[FailingReference]:
    """The problems with a function test and reference solutions, all of which fail it, in order. A solution that
    the sandbox could not run says nothing."""
    tested = {problem.id: problem for problem in problems if isinstance(problem.check, FunctionCheck)}
    known = (solution for solution in solutions if solution.correct and solution.problem_id in tested)
    failing: dict[str, FailingReference] = {}
    passing: set[str] = set()
    for graded in sorted(grader.grade(to_grade(tested.values(), known), sandbox), key=lambda graded: graded.index):
        if graded.verdict in {Verdict.CORRECT, Verdict.INFRASTRUCTURE}:
            passing.add(graded.problem_id)
        failing.setdefault(graded.problem_id, FailingReference(graded.problem_id, graded.verdict, graded.detail))
    return [failing[name] for name in tested if name in failing and name not in passing]


def tell_failing_references(dataset: Dataset, problems: Sequence[Problem], grader: Grader, sandbox: Sandbox) -> None:
    """Run the dataset's reference solutions of function tests, and say in one line which problems' own fail."""
    if not any(isinstance(problem.check, FunctionCheck) for problem in problems):
        return
    failing = failing_references(problems, dataset.solutions(), grader, sandbox)
    if failing:
        line = _warning(failing)
        _log.warning(line)
        progress.get().say(line)


def _warning(failing: Sequence[FailingReference]) -> str:
    first = failing[0]
    others = f" (and {len(failing) - 1:,} more)" if len(failing) > 1 else ""
    reason = f"{first.verdict}: {first.detail}".rstrip(": ")
    return (
        f"the reference solution of problem {first.problem_id!r}{others} fails its own test ({reason}): perhaps no"
        " sample can pass; `monkeys audit tests` lists such problems, and `exclude` leaves them out"
    )
