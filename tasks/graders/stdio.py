"""Whole programs, graded by what they print for each test's input.

The program is the text of the first Markdown fence, up to its end or the text's; without a fence, all of the text. It
is run on the tests in order until one fails. An output is right if it has the expected lines, where a line is its
tokens between whitespace, compared as text; blank lines at the end do not count. A program that prints what is
expected and then fails (a non-zero exit status) has failed.
"""

import re
from typing import ClassVar, Literal

from tasks.graders.base.programs import ProgramGrader, Rule

_FENCE = re.compile(r"^[ \t]*```[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)


def extract_program(text: str) -> str:
    """The program in a sample's text."""
    fenced = _FENCE.search(text)
    return fenced[1] if fenced else text


def same_output(expected: str, got: str) -> bool:
    """Whether two outputs have the same lines of tokens."""
    if expected == got:
        return True
    # Lines are split only while they agree: a program may print millions.
    expected, got = expected.rstrip(), got.rstrip()
    if expected.count("\n") != got.count("\n"):
        return False
    return all(a.split() == b.split() for a, b in zip(expected.split("\n"), got.split("\n"), strict=True))


class StdioGrader(ProgramGrader):
    """Grades programs by the problem's tests on standard input and output."""

    version: ClassVar[int] = 3
    rule: ClassVar[Rule] = Rule(same_output)
    name: Literal["stdio"] = "stdio"

    def program(self, text: str) -> str:
        """See `ProgramGrader`."""
        return extract_program(text)
