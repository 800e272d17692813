"""From a sample and a problem to a verdict. Graders know the answers; what must be run, a sandbox runs.

Expected outputs never enter a sandbox: programs are run there, and compared here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sandboxes import Sandbox
from tasks.datasets import Problem
from tasks.engines import Sample


class Verdict(StrEnum):
    """What became of a sample. INFRASTRUCTURE says nothing of the sample: it is retried, then left out of n."""

    CORRECT = "correct"
    WRONG = "wrong"
    ERROR = "error"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    NO_ANSWER = "no_answer"
    INFRASTRUCTURE = "infrastructure"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one sample, with a short reason and what it cost to reach (seconds)."""

    problem_id: str
    index: int
    verdict: Verdict
    detail: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0


class Grader(Protocol):
    """Judges samples by one rule; `version` rises whenever the rule changes."""

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
        """Make sure that every problem can be judged here.

        Raises:
            InputError: a problem lacks what the rule compares with, or a package is not installed; in one line.
        """
        ...

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[Judgement]:
        """Yield one judgement for each pair, as they are reached (any order)."""
        ...
