"""MATH's final answers by the paper's rule: Minerva's marks, normalization and equivalence.

The answer is what stands between "Final Answer: The final answer is" and "I hope it is correct."; it is right if,
spelt as `tasks.answers.minerva_math` does, it is the gold answer, or if sympy reads both and their difference as 0
(Lewkowycz et al. 2022; the paper, section 2; lm-evaluation-harness, `minerva_math`, whose rule lacks
the first half, and so finds 6 % of the gold answers unequal to themselves).
"""

import re
from fractions import Fraction
from typing import ClassVar, Literal

from tasks.answers.minerva_math import final_answer, normalize
from tasks.graders.base.algebra_grader import LONGEST, AlgebraGrader, AlgebraQuery, Decision
from tasks.graders.base.verdicts import shortened
from tasks.records import Verdict

_DECIMAL = re.compile(r"-?\d+(?:\.\d+)?$")


class MathGrader(AlgebraGrader):
    """Grades "The final answer is ... I hope it is correct", as the paper does."""

    version: ClassVar[int] = 2
    function: ClassVar[str] = "difference_vanishes"
    name: Literal["math"] = "math"

    def decide(self, gold: str, text: str) -> Decision:
        """See `AlgebraGrader`."""
        found = final_answer(text)
        if found is None:
            return Verdict.NO_ANSWER, "no final answer in the form of the prompt", None
        if len(found) > LONGEST and found.strip() != gold.strip():
            return Verdict.WRONG, f"answered {shortened(found)}", None
        ours, theirs = normalize(gold), normalize(found)
        same = self.plainly_same(ours, theirs)
        if same is None:
            return AlgebraQuery((ours, theirs), found, theirs)
        if same:
            return Verdict.CORRECT, "", theirs
        return Verdict.WRONG, f"answered {shortened(theirs)}", theirs

    def plainly_same(self, one: str, other: str) -> bool | None:
        """See `AlgebraGrader`."""
        if one == other:
            return True
        # As algebra would decide, but at once.
        return Fraction(one) == Fraction(other) if _DECIMAL.match(one) and _DECIMAL.match(other) else None
