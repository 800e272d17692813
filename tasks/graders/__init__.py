"""From a sample and a problem to a verdict, one grader a file. Graders know the answers; a sandbox runs programs.

The rules by which two MATH answers are equal are in `tasks.answers`. What graders share is in `tasks.graders.base`.

Expected outputs never enter a sandbox: programs are run there, and compared here.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, cast, runtime_checkable

from sandboxes import Sandbox
from tasks.records import GradedSample, Problem, Sample, Verdict

Decided = tuple[Verdict, str, str | None]
"""A verdict, a few words on it, and the answer in the grader's normal form, where there is one."""


class Grader(Protocol):
    """Grades samples by one rule; `version` rises whenever the rule changes."""

    @property
    def name(self) -> str:
        """The name that configs and result sets carry."""
        ...

    @property
    def version(self) -> int:
        """The rule's version: verdicts of two versions are never mixed."""
        ...

    @property
    def runs_code(self) -> bool:
        """Whether a sandbox is needed."""
        ...

    def check(self, problems: Sequence[Problem]) -> None:
        """Make sure that every problem can be graded here.

        Raises:
            UserError: a problem lacks what the rule compares with, or a package is not installed; in one line.
        """
        ...

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:
        """Yield one graded sample for each pair, in any order."""
        ...


@runtime_checkable
class HasIngredients(Protocol):
    """A grader whose verdicts depend on more than its settings, such as the version of an installed prover."""

    def ingredients(self) -> Mapping[str, Any]:
        """What else verdicts depend on, as JSON has it."""
        ...


@runtime_checkable
class HasProblemIngredients(Protocol):
    """A grader whose verdicts depend on more of the problems than samples do, such as the images of repositories."""

    def problem_ingredients(self, problems: Sequence[Problem]) -> Mapping[str, Any]:
        """What else verdicts depend on, as JSON has it, for all problems of a dataset.

        Raises:
            SandboxUnavailableError: it cannot be found out here.
        """
        ...


class GradesTexts(Protocol):
    """A grader whose verdict on a sample depends on nothing but its problem and its text, and takes microseconds. So
    many samples are graded without an object for each."""

    def grade_texts(self, problem: Problem, texts: Sequence[str]) -> Iterator[Decided]:
        """Yield what `Grader.grade` gives for samples of a problem with these texts, in order."""
        ...


def as_grader_of_texts(grader: Grader) -> GradesTexts | None:
    """A grader as one of texts; None where it is not, or its class has changed what `grade` does since."""
    for kind in type(grader).__mro__:
        if "grade_texts" in vars(kind):
            return cast(GradesTexts, grader)
        if "grade" in vars(kind):
            return None
    return None
