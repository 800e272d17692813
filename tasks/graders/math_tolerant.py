r"""MATH's final answers in the many forms in which models give them.

Where the answer stands: in the prompt's form, or else in the last `\boxed{}`, or after "answer is", or after `####`
(`tasks.graders.answers.find`). It is right if one spelling, one number, or one set of words makes it the gold answer;
or if it has the gold answer's elements (tuples and intervals in order and with the same brackets, sets and lists in any
order, matrices); or if math-verify or sympy, by Minerva's rule, make it the same.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from sandboxes import Sandbox
from tasks.datasets import Problem
from tasks.engines import Sample
from tasks.graders import Judgement, Verdict
from tasks.graders.answers import find, same_at_sight, spell
from tasks.graders.needs import check_algebra, check_answers
from tasks.graders.outcomes import shortened
from tasks.graders.symbolic import LONGEST, Decision, Question, judge


class MathTolerantConfig(BaseModel):
    """Judges the final answer of a sample in whatever form, by structure, math-verify and sympy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: ClassVar[int] = 1
    runs_code: ClassVar[bool] = False
    name: Literal["math_tolerant"] = "math_tolerant"

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
        yield from judge(pairs, _decide, "same")


def _decide(gold: str, text: str) -> Decision:
    found = find(text)
    if found is None:
        return Verdict.NO_ANSWER, "no final answer"
    if len(found) > LONGEST and found.strip() != gold.strip():
        return Verdict.WRONG, f"answered {shortened(found)}"
    ours, theirs = spell(gold), spell(found)
    known = same_at_sight(ours, theirs)
    if known is None:
        return Question((ours, theirs), found)
    return (Verdict.CORRECT, "") if known else (Verdict.WRONG, f"answered {shortened(found)}")
