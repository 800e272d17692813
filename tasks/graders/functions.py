"""Functions defined by a sample alone, graded by the problem's test: MBPP's rule, in a form that cannot be forged.

The code is the text of the first Markdown fence, or else what stands before `[DONE]` (and after `[BEGIN]`), the marks
of MBPP's prompt. Where the rule of Austin et al. 2021 runs code and assertions as one program, here the assertions run
in a separate process (`tasks.graders.base.functions`): a test that needs more of the sample than its function, such as
a class that the code defines, fails it. `monkeys audit tests` finds such tests.
"""

from typing import ClassVar, Literal

from tasks.graders.base.functions import Function, FunctionGrader
from tasks.graders.stdio import extract_program
from tasks.records import Problem, Sample


class FunctionsGrader(FunctionGrader):
    """Grades the function that a sample defines by the problem's function test."""

    version: ClassVar[int] = 3
    name: Literal["functions"] = "functions"

    def function(self, problem: Problem, sample: Sample) -> Function:
        """See `FunctionGrader`."""
        return Function(problem, sample.index, extract_code(sample.text))


def extract_code(text: str) -> str:
    """The code in a sample's text."""
    fenced = extract_program(text)
    return text.rpartition("[BEGIN]")[2].partition("[DONE]")[0] if fenced == text else fenced
