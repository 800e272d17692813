r"""MATH's final answers by math-verify (Hugging Face), as the library finds and compares them.

It reads the last 8,000 characters of a sample: its patterns for answers are costly on more, and an answer ends a text.
The library's release is not part of the rule's version: the lock file has the one that the tests were run with.

The library accepts more than it should. It leaves out units and the words in `\text{}` with the numerals in them
(`5 \text{ ft } 6 \text{ in}` for `... 7 ...`), the base of a numeral (`0.0011_2` for `0.0011_3`), and whatever comes
after the part that its parser understands (`7 \to 8` for `7 \to 9`). Where an answer is the gold answer but for its
numerals, or either has a base, this grader therefore asks `math_tolerant`'s comparison as well, and both must accept.
Other differences in what the library leaves out remain unseen, and so do brackets at infinity, as in `(2,\infty]`: `4`
is correct for `4\sqrt(2)`, and `\frac{1}{2004!}` for `\frac1{2005!}`, which it does not write alike.
"""

from typing import ClassVar, Literal

from tasks.answers.finding import find
from tasks.graders.base.algebra_grader import AlgebraGrader, AlgebraQuery, Decision
from tasks.graders.base.verdicts import shortened
from tasks.records import Verdict

_READ = 8_000


class MathVerifyGrader(AlgebraGrader):
    """Grades the answer that math-verify finds in a sample, as math-verify does, except that numerals which it ignores
    must match."""

    version: ClassVar[int] = 2
    function: ClassVar[str] = "verified"
    name: Literal["math_verify"] = "math_verify"

    def decide(self, gold: str, text: str) -> Decision:
        """See `AlgebraGrader`."""
        read = text[-_READ:]
        if not read.strip():
            return Verdict.NO_ANSWER, "no text", None
        return AlgebraQuery((gold, read), shortened(read.strip()[-100:]), find(read))

    def plainly_same(self, one: str, other: str) -> bool | None:
        """See `AlgebraGrader`."""
        return one == other or None
