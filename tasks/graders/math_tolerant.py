r"""MATH's final answers in the many forms in which models give them.

Where the answer stands: in the prompt's form, or else in `<answer>` tags, in the last `\boxed{}`, after "answer is",
or after `####` (`tasks.answers.finding`). It is right if one normal form, one number, or one set of words makes it the
gold answer; or if it has the gold answer's elements (tuples and intervals in order and with the same brackets, sets and
lists in any order, matrices); or if it is the same expression, set or relation (`tasks.answers.expressions`).

What is not read to its end decides nothing, and no difference is too small to count. A name ("x =") and a unit may be
left out, but must not be others.
"""

from functools import lru_cache
from typing import ClassVar, Literal

from tasks.answers.equality_without_algebra import equal_without_algebra
from tasks.answers.finding import find
from tasks.answers.normalization import normalize
from tasks.answers.structure import count, equation
from tasks.answers.units import Unit, differ, unit_of
from tasks.graders.base.algebra_grader import LONGEST, AlgebraGrader, AlgebraQuery, Decision
from tasks.graders.base.verdicts import shortened
from tasks.records import Verdict


class MathTolerantGrader(AlgebraGrader):
    """Grades the final answer of a sample in whatever form, by structure and algebra."""

    version: ClassVar[int] = 3
    function: ClassVar[str] = "same"
    name: Literal["math_tolerant"] = "math_tolerant"

    def decide(self, gold: str, text: str) -> Decision:
        """See `AlgebraGrader`."""
        ours, several, unit = _gold(gold)
        found = find(text, several=several)
        if found is None:
            return Verdict.NO_ANSWER, "no final answer", None
        if len(found) > LONGEST and found.strip() != gold.strip():
            return Verdict.WRONG, f"answered {shortened(found)}", None
        theirs = normalize(found)
        sides = equation(theirs)
        value = theirs if sides is None or sides.name is None else sides.right
        if differ(unit, unit_of(found)):
            return Verdict.WRONG, f"answered {shortened(found)}", value
        known = self.plainly_same(ours, theirs)
        if known is None:
            return AlgebraQuery((ours, theirs), found, value)
        if known:
            return Verdict.CORRECT, "", value
        return Verdict.WRONG, f"answered {shortened(found)}", value

    def plainly_same(self, one: str, other: str) -> bool | None:
        """See `AlgebraGrader`."""
        return equal_without_algebra(one, other)


@lru_cache(maxsize=4096)
def _gold(answer: str) -> tuple[str, int, Unit]:
    """A gold answer in its normal form, the number of its parts, and its unit."""
    spelt = normalize(answer)
    return spelt, count(spelt), unit_of(answer)
