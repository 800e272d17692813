"""The final answer after `####`, compared with the gold answer as GSM8K does: as normalized text."""

import re
from functools import lru_cache
from typing import ClassVar, Literal

from tasks.graders import Decided
from tasks.graders.base.answer_grader import AnswerGrader
from tasks.records import Verdict

# The first marker counts, with what follows it on its line: whatever a sample goes on to say cannot change it.
_MARKED = re.compile(r"####[^\S\n]*(\S[^\n]*)")
_IGNORED = re.compile(r"[,$\s]")


class FinalAnswerGrader(AnswerGrader):
    """Grades the first `#### answer` of a sample."""

    version: ClassVar[int] = 2
    name: Literal["final_answer"] = "final_answer"

    def decide(self, gold: str, text: str) -> Decided:
        """See `AnswerGrader`; `no_answer` where there is no marked answer."""
        found = extract(text)
        if found is None:
            return Verdict.NO_ANSWER, "no #### answer", None
        if found == _normalized_gold(gold):
            return Verdict.CORRECT, "", found
        return Verdict.WRONG, f"answered {found[:100]}", found


def extract(text: str) -> str | None:
    """The first marked answer, normalized; None where nothing is marked."""
    # One character is found many times as fast as four that are equal.
    match = _MARKED.search(text, max(text.find("#"), 0))
    return normalize(match.group(1)) if match else None


@lru_cache(maxsize=64)
def _normalized_gold(gold: str) -> str:
    return normalize(gold)


def normalize(answer: str) -> str:
    """The answer without commas, spaces and dollar signs, and without a dot at its end."""
    return _IGNORED.sub("", answer).removesuffix(".")
