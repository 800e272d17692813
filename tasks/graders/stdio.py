"""Whole programs, graded by what they print for each test's input.

The program is the last complete one among the Markdown fences of the text (`tasks.answers.fences`); without a fence,
all of the text. It is run on the tests in order until one fails. An output is right if it has the expected lines, where
a line is its tokens between whitespace, compared as text; blank lines at the end do not count. A program that prints
what is expected and then fails (a non-zero exit status) has failed.
"""

import re
from typing import ClassVar, Literal

from pydantic import Field

from tasks.graders.base.code import Code, last_complete
from tasks.graders.base.programs import ProgramGrader, Rule

Extraction = Literal["last_complete", "first_fence", "whole_text"]
"""Where the program of a sample is."""

EXTRACT = (
    "Which part of a sample is the program: the last complete one among Markdown fences, the first fence, or the whole"
    " text; the whole text also where there is no fence"
)

_FENCE = re.compile(r"^[ \t]*```[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)


def first_fence(text: str) -> str:
    """The code of the first fence, up to its end or the text's; all of the text where there is none."""
    fenced = _FENCE.search(text)
    return fenced[1] if fenced else text


def program_in(text: str, rule: Extraction) -> Code:
    """The program in a sample's text by a rule, or the several that may be it."""
    if rule == "last_complete":
        return last_complete(text)
    return first_fence(text) if rule == "first_fence" else text


def same_output(expected: str, got: str) -> bool:
    """Whether two outputs have the same lines of tokens."""
    if expected == got:
        return True
    # Lines are split only while they agree: a program may print millions.
    expected, got = expected.rstrip(), got.rstrip()
    if expected.count("\n") != got.count("\n"):
        return False
    return all(a.split() == b.split() for a, b in zip(expected.split("\n"), got.split("\n"), strict=True))


def lines_of_tokens(text: str) -> str:
    """An output in the form in which equal ones are the same text."""
    return "\n".join(" ".join(line.split()) for line in text.rstrip().split("\n"))


class StdioGrader(ProgramGrader):
    """Grades programs by the problem's tests on standard input and output."""

    version: ClassVar[int] = 3
    rule: ClassVar[Rule] = Rule(same_output, lines_of_tokens)
    name: Literal["stdio"] = "stdio"
    extract: Extraction = Field("last_complete", description=EXTRACT)

    def program(self, text: str) -> Code:
        """See `ProgramGrader`."""
        return program_in(text, self.extract)
