"""Whole programs, judged by exactly what they print.

The program is found as the `stdio` grader does. Its output must be the expected one character for character, but for
white space at the end of either; a program that ends with an error has failed.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from sandboxes import Sandbox
from sandboxes.batch import Batch
from tasks.datasets import Problem
from tasks.engines import Sample
from tasks.graders import Judgement
from tasks.graders.needs import check_stdio_tests
from tasks.graders.stdio import Rule, extract_program, judge, needed, programs_of


class StdioExactConfig(BaseModel):
    """Judges programs by the problem's tests, output for output to the letter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: ClassVar[int] = 1
    runs_code: ClassVar[bool] = True
    name: Literal["stdio_exact"] = "stdio_exact"

    def check(self, problems: Sequence[Problem]) -> None:
        """Raises InputError where a problem has no tests."""
        check_stdio_tests(problems, self.name)

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[Judgement]:
        """One judgement a pair, as they are reached; `no_answer` where there is no program."""
        yield from judge(programs_of(pairs, extract_program), Batch(needed(sandbox)), Rule(same_text))


def same_text(expected: str, got: str) -> bool:
    """Whether two outputs are the same but for white space at their ends."""
    return expected.rstrip() == got.rstrip()
