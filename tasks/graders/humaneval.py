"""Functions completed from a prompt, graded by a test: HumanEval's rule, in a form that a sample cannot forge.

The rule (openai/human-eval, `execution.py`): the prompt, the completion and the test are one program, and the sample
is right if it runs to its end with `check(entry_point)`. There the sample shares a process with its test. Here
(`tasks.graders.base.functions`) the program is prompt + completion, and the checker prompt + test. A prompt that is no
Python alone, as its function has no body yet, has `pass` for one there.

The two rules differ where a sample redefines a helper that the prompt defines and the test calls (the checker uses the
prompt's), and where two processes differ from one (`tasks.graders.base.functions` says where). The completion is used
as it is: no cutting, no fences. Of a chat model that writes the whole function, `extract: last_complete` takes the
last fence that defines it.
"""

import ast
from functools import lru_cache
from typing import ClassVar, Literal

from pydantic import Field

from tasks.graders.base.code import fenced
from tasks.graders.base.functions import Function, FunctionGrader
from tasks.records import Problem, Sample


class HumanEvalGrader(FunctionGrader):
    """Grades a completion of the problem's prompt by the problem's function test."""

    version: ClassVar[int] = 3
    name: Literal["humaneval"] = "humaneval"
    extract: Literal["completion", "last_complete"] = Field(
        "completion",
        description="What a sample is: the rest of the function that the prompt begins, or the answer of a chat model,"
        " whose last Markdown fence that defines the function is run after the prompt; a completion where there is no"
        " fence",
    )

    def function(self, problem: Problem, sample: Sample) -> Function:
        """See `FunctionGrader`."""
        if self.extract == "last_complete" and (code := fenced(sample.text)) is not None:
            return Function(problem, sample.index, code, f"{self.test_preamble(problem)}\n")
        return Function(problem, sample.index, problem.question + sample.text)

    def test_preamble(self, problem: Problem) -> str:
        """The prompt."""
        return _parsable_prompt(problem.question)


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
