r"""MATH's final answers in the many forms in which models give them.

Where the answer stands: in the prompt's form, or else in the last `\boxed{}`, or after "answer is", or after `####`
(`tasks.answers.spelling.find`). It is right if one spelling, one number, or one set of words makes it the gold answer;
or if it has the gold answer's elements (tuples and intervals in order and with the same brackets, sets and lists in any
order, matrices); or if math-verify or sympy, by Minerva's rule, make it the same.
"""

from typing import ClassVar, Literal

from tasks.answers.spelling import equal_without_algebra, find, spell
from tasks.graders.base.algebra_grader import LONGEST, AlgebraGrader, AlgebraQuery, Decision
from tasks.graders.base.verdicts import shortened
from tasks.records import Verdict


class MathTolerantGrader(AlgebraGrader):
    """Grades the final answer of a sample in whatever form, by structure, math-verify and sympy."""

    version: ClassVar[int] = 3
    function: ClassVar[str] = "same"
    name: Literal["math_tolerant"] = "math_tolerant"

    def decide(self, gold: str, text: str) -> Decision:
        """See `AlgebraGrader`."""
        found = find(text)
        if found is None:
            return Verdict.NO_ANSWER, "no final answer", None
        if len(found) > LONGEST and found.strip() != gold.strip():
            return Verdict.WRONG, f"answered {shortened(found)}", None
        ours, theirs = spell(gold), spell(found)
        known = equal_without_algebra(ours, theirs)
        if known is None:
            return AlgebraQuery((ours, theirs), found, theirs)
        if known:
            return Verdict.CORRECT, "", theirs
        return Verdict.WRONG, f"answered {shortened(found)}", theirs
