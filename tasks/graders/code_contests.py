"""CodeContests' programs by the paper's rule.

The program is what stands between the first two fences of three backticks, without whitespace at its ends and without
the word `python` at its start; with no such pair, all of the text. It passes a test if its
output has the expected tokens (what whitespace separates, in lower case), where two numbers of which one is written
with a decimal point or an exponent may differ by less than 1e-5. How the program ends plays no part, only what it has
printed (the paper, appendix; llmonk, `compare_results.py` and `execution_server.py`).
"""

import re
from typing import ClassVar, Literal

from pydantic import Field

from tasks.graders.base.code import Code, last_complete
from tasks.graders.base.programs import ProgramGrader, Rule

_FENCED = re.compile(r"```(.*?)```", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?")
_MAX_NUMBER = 4_000
"""Characters of a number: a longer token is compared as text alone."""
TOLERANCE = 1e-5


def extract_program(text: str) -> str:
    """The program in a sample's text."""
    fenced = _FENCED.search(text)
    if fenced is not None:
        return fenced[1].strip().removeprefix("python").strip()
    return text.strip()


def same_tokens(expected: str, got: str) -> bool:
    """Whether two outputs have the same tokens, by the paper's rule."""
    ours, theirs = expected.split(), got.split()
    return len(ours) == len(theirs) and all(a == b or _same_token(a, b) for a, b in zip(ours, theirs, strict=True))


def tokens_in_lower_case(text: str) -> str:
    """An output as its tokens. Numbers stay as they are written: "differs by less than 1e-5" has no normal form."""
    return " ".join(text.lower().split())


def _same_token(expected: str, got: str) -> bool:
    ours, theirs = expected.lower(), got.lower()
    if ours == theirs:
        return True
    if max(len(ours), len(theirs)) > _MAX_NUMBER or not (_NUMBER.fullmatch(ours) and _NUMBER.fullmatch(theirs)):
        return False
    if set(ours + theirs).isdisjoint(".e"):
        # As text they differ, by a sign or leading zeros at least.
        return int(ours) == int(theirs)
    return abs(float(ours) - float(theirs)) < TOLERANCE


class CodeContestsGrader(ProgramGrader):
    """Grades programs by tokens, in lower case, numbers to within 1e-5, as the paper does."""

    version: ClassVar[int] = 3
    rule: ClassVar[Rule] = Rule(same_tokens, tokens_in_lower_case, require_exit_zero=False)
    name: Literal["code_contests"] = "code_contests"
    extract: Literal["paper", "last_complete"] = Field(
        "paper",
        description="Which part of a sample is the program: what is between the first two fences, as in the paper, or"
        " the last complete one among Markdown fences; the whole text where there is no fence",
    )

    def program(self, text: str) -> Code:
        """See `ProgramGrader`."""
        return last_complete(text) if self.extract == "last_complete" else extract_program(text)
