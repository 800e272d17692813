"""Whole programs, graded by exactly what they print.

The program is found as the `stdio` grader does. Its output must be the expected one character for character, but for
whitespace at the end of either; a program that ends with an error has failed.
"""

from typing import ClassVar, Literal

from tasks.graders.base.programs import ProgramGrader, Rule
from tasks.graders.stdio import extract_program


def same_text(expected: str, got: str) -> bool:
    """Whether two outputs are the same but for whitespace at their ends."""
    return expected.rstrip() == got.rstrip()


class StdioExactGrader(ProgramGrader):
    """Grades programs by the problem's tests, output for output to the letter."""

    version: ClassVar[int] = 3
    rule: ClassVar[Rule] = Rule(same_text)
    name: Literal["stdio_exact"] = "stdio_exact"

    def program(self, text: str) -> str:
        """See `ProgramGrader`."""
        return extract_program(text)
