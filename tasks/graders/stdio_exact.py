"""Whole programs, graded by exactly what they print.

The program is found as the `stdio` grader does. Its output must be the expected one character for character, but for
whitespace at the end of either; a program that ends with an error has failed.
"""

from typing import ClassVar, Literal

from pydantic import Field

from tasks.graders.base.code import Code
from tasks.graders.base.programs import ProgramGrader, Rule
from tasks.graders.stdio import EXTRACT, Extraction, program_in


def same_text(expected: str, got: str) -> bool:
    """Whether two outputs are the same but for whitespace at their ends."""
    return expected.rstrip() == got.rstrip()


class StdioExactGrader(ProgramGrader):
    """Grades programs by the problem's tests, whose outputs must match exactly."""

    version: ClassVar[int] = 3
    rule: ClassVar[Rule] = Rule(same_text, str.rstrip)
    name: Literal["stdio_exact"] = "stdio_exact"
    extract: Extraction = Field("last_complete", description=EXTRACT)

    def program(self, text: str) -> Code:
        """See `ProgramGrader`."""
        return program_in(text, self.extract)
