"""A grader: an answer is correct if it is close to the gold answer."""

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from sandboxes import Sandbox
from tasks.errors import UserError
from tasks.plugins import Config
from tasks.records import AnswerCheck, GradedSample, Problem, Sample, Verdict

# A model can write anything: bounded, so that int() takes it.
_NUMBER = re.compile(r"-?[0-9]{1,100}")


class CloseEnoughGrader(Config):
    """Compares the whole number after #### with the gold answer."""

    # Raise the version whenever the rule changes: verdicts of two versions are never mixed.
    version: ClassVar[int] = 1
    # No sandbox is needed.
    runs_code: ClassVar[bool] = False

    name: Literal["close_enough"] = "close_enough"
    tolerance: int = Field(default=0, ge=0, description="How far an answer may be from the gold answer")

    def check(self, problems: Sequence[Problem]) -> None:
        """Fail before any work if a problem has no whole number to compare with."""
        for problem in problems:
            if _gold(problem) is None:
                raise UserError(f"grader: {self.name} needs a whole number as gold answer; {problem.id!r} has none")

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:
        """One verdict for each pair, in any order."""
        for problem, sample in pairs:
            yield GradedSample(sample.problem_id, sample.index, self._verdict(problem, sample.text))

    def _verdict(self, problem: Problem, text: str) -> Verdict:
        gold, answer = _gold(problem), _whole_number(text.rpartition("#### ")[2])
        if gold is None or answer is None:
            return Verdict.NO_ANSWER
        return Verdict.CORRECT if abs(answer - gold) <= self.tolerance else Verdict.WRONG


def _gold(problem: Problem) -> int | None:
    return _whole_number(problem.check.answer) if isinstance(problem.check, AnswerCheck) else None


def _whole_number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None
