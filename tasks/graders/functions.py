"""Functions defined by a sample alone, judged by the problem's test: MBPP's rule, in a form that cannot be forged.

The code is the text of the first Markdown fence, or else what stands before `[DONE]` (and after `[BEGIN]`), the marks
of MBPP's prompt. Where the rule of Austin et al. 2021 runs code and assertions as one program, here the assertions run
beside it (`tasks.graders.function_tests`): a test that needs more of the sample than its function, such as a class that
the code defines, fails it. `monkeys audit tests` finds such tests.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from sandboxes import Sandbox
from tasks.datasets import Problem
from tasks.engines import Sample
from tasks.graders import Judgement
from tasks.graders.function_tests import Function, judge
from tasks.graders.needs import check_function_tests
from tasks.graders.stdio import extract_program


class FunctionsConfig(BaseModel):
    """Judges the function that a sample defines by the problem's function test."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: ClassVar[int] = 1
    runs_code: ClassVar[bool] = True
    name: Literal["functions"] = "functions"

    def check(self, problems: Sequence[Problem]) -> None:
        """Raises InputError where a problem has no function test."""
        check_function_tests(problems, self.name)

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[Judgement]:
        """One judgement a pair, as they are reached; `no_answer` where there is no code."""
        yield from judge(
            (Function(problem, sample.index, extract_code(sample.text)) for problem, sample in pairs), sandbox
        )


def extract_code(text: str) -> str:
    """The code in a sample's text."""
    fenced = extract_program(text)
    return text.rpartition("[BEGIN]")[2].partition("[DONE]")[0] if fenced == text else fenced
