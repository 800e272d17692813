"""Functions defined by a sample alone, graded by the problem's test: MBPP's rule, in a form that cannot be forged.

The code stands before `[DONE]` (and after `[BEGIN]`), the marks of MBPP's prompt. Of several Markdown fences there,
the last one that defines the function counts. Where the rule of Austin et al. 2021 runs code and assertions as one
program, here the assertions run in a separate process (`tasks.graders.base.functions`): a test that needs more of the
sample than its function, such as a class that the code defines, fails it. `monkeys audit tests` finds such tests.
"""

from typing import ClassVar, Literal

from pydantic import Field

from tasks.graders.base.code import Code
from tasks.graders.base.functions import Function, FunctionGrader
from tasks.graders.stdio import Extraction, first_fence, program_in
from tasks.records import Problem, Sample


class FunctionsGrader(FunctionGrader):
    """Grades the function that a sample defines by the problem's function test."""

    version: ClassVar[int] = 3
    name: Literal["functions"] = "functions"
    extract: Extraction = Field(
        "last_complete",
        description="Which part of a sample is the code: the last Markdown fence that defines the function, the first"
        " fence, or the whole text; the whole text also where there is no fence."
        " [BEGIN] and [DONE] are its bounds where they are given",
    )

    def function(self, problem: Problem, sample: Sample) -> Function:
        """See `FunctionGrader`."""
        return Function(problem, sample.index, code_in(sample.text, self.extract))


def code_in(text: str, rule: Extraction) -> Code:
    """The code in a sample's text by a rule, or the several that may be it."""
    if rule == "first_fence" and (fenced := first_fence(text)) != text:
        return fenced
    return program_in(text.partition("[DONE]")[0].rpartition("[BEGIN]")[2], rule)
