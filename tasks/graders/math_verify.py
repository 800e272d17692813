"""MATH's final answers by math-verify (Hugging Face), as the library finds and compares them.

It reads the last 8,000 characters of a sample: its patterns for answers are costly on more, and an answer ends a text.
The library's release is not part of the rule's version: the lock file has the one that the tests were run with.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from sandboxes import Sandbox
from tasks.datasets import Problem
from tasks.engines import Sample
from tasks.graders import Judgement, Verdict
from tasks.graders.needs import check_algebra, check_answers
from tasks.graders.outcomes import shortened
from tasks.graders.symbolic import Decision, Question, judge

_READ = 8_000


class MathVerifyConfig(BaseModel):
    """Judges the answer that math-verify finds in a sample, as math-verify does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: ClassVar[int] = 1
    runs_code: ClassVar[bool] = False
    name: Literal["math_verify"] = "math_verify"

    def check(self, problems: Sequence[Problem]) -> None:
        """Raises InputError where a problem has no gold answer, or the extra `math` is not installed."""
        check_answers(problems, self.name)
        check_algebra(self.name)

    def grade(
        self,
        pairs: Sequence[tuple[Problem, Sample]],
        sandbox: Sandbox | None,  # noqa: ARG002
    ) -> Iterator[Judgement]:
        """One judgement a pair, in any order."""
        yield from judge(pairs, _decide, "verified")


def _decide(gold: str, text: str) -> Decision:
    read = text[-_READ:]
    if not read.strip():
        return Verdict.NO_ANSWER, "no text"
    return Question((gold, read), shortened(read.strip()[-100:]))
