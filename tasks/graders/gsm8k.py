"""GSM8K's final answers by the paper's rule: the first `#### number`, as text.

Of the first `#### ` that a dollar sign, digit, dot or comma follows (a minus sign may stand before), these characters
are the answer; commas, dollar signs and a dot at the end are set aside, and what is left must be the gold answer. So
18.0 is not 18, and a space is needed after the marks (openai/grade-school-math; llmonk, `math_datasets.py`).
"""

import re
from typing import ClassVar, Literal

from tasks.graders import Decided
from tasks.graders.base.answer_grader import AnswerGrader
from tasks.graders.base.verdicts import shortened
from tasks.records import Verdict

_MARKED = re.compile(r"#### (-?[$0-9.,]+)")
_IGNORED = re.compile(r"[,$]")


class Gsm8kGrader(AnswerGrader):
    """Grades the first `#### number` of a sample, as the paper does."""

    version: ClassVar[int] = 2
    name: Literal["gsm8k"] = "gsm8k"

    def decide(self, gold: str, text: str) -> Decided:
        """See `AnswerGrader`; `no_answer` where there is no marked number."""
        found = extract(text)
        if found is None:
            return Verdict.NO_ANSWER, "no #### number", None
        if found == extract(f"#### {gold}"):
            return Verdict.CORRECT, "", found
        return Verdict.WRONG, f"answered {shortened(found)}", found


def extract(text: str) -> str | None:
    """The first marked number normalized by the rule; None where none is marked."""
    # One character is found many times as fast as four that are equal.
    match = _MARKED.search(text, max(text.find("#"), 0))
    return _IGNORED.sub("", match[1]).removesuffix(".") if match else None
