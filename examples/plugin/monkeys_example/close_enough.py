"""A grader: an answer is correct if it is close to the gold answer."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from sandboxes import Sandbox
from tasks.errors import UserError
from tasks.plugins import Config
from tasks.records import AnswerCheck, GradedSample, Problem, Sample, Verdict


class CloseEnoughGrader(Config):
    """Compares the number after #### with the gold answer."""

    # Raise the version whenever the rule changes: verdicts of two versions are never mixed.
    version: ClassVar[int] = 1
    # No sandbox is needed.
    runs_code: ClassVar[bool] = False

    name: Literal["close_enough"] = "close_enough"
    tolerance: int = Field(default=0, ge=0, description="How far an answer may be from the gold answer")

    def check(self, problems: Sequence[Problem]) -> None:
        """Fail before any work where a problem has no gold answer to compare with."""
        for problem in problems:
            if not isinstance(problem.check, AnswerCheck):
                raise UserError(f"grader: {self.name} cannot grade problem {problem.id!r}: it has no gold answer")

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:
        """One verdict for each pair, in any order."""
        for problem, sample in pairs:
            yield GradedSample(sample.problem_id, sample.index, self._verdict(problem, sample.text))

    def _verdict(self, problem: Problem, text: str) -> Verdict:
        _, _, answer = text.rpartition("#### ")
        if not answer.lstrip("-").isdecimal() or not isinstance(problem.check, AnswerCheck):
            return Verdict.NO_ANSWER
        off = abs(int(answer) - int(problem.check.answer))
        return Verdict.CORRECT if off <= self.tolerance else Verdict.WRONG
