"""128 small programming problems of our own making, judged on stdin and stdout; none occurs in the bundled training.

`tasks.datasets.program_problems` made them; the file beside it holds them as they are sampled and judged.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tasks.datasets import Problem, StdioTest
from tasks.datasets.held_out import held_out_rows


class ProgramsConfig(BaseModel):
    """Short Python programs for a described transformation of a list of integers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["programs"] = "programs"

    @property
    def template(self) -> str:
        """The task in words, and the word that a program follows."""
        return "programs"

    @property
    def grader(self) -> str:
        """Tests on standard input and output."""
        return "stdio"

    @property
    def stop(self) -> tuple[str, ...]:
        """The next task, should the model go on to one."""
        return ("\nTask:", "Task:")

    @property
    def max_tokens(self) -> int:
        """About twice the longest reference program."""
        return 224

    def load(self) -> list[Problem]:
        """All problems in their fixed order."""
        return [
            Problem(
                row["id"],
                row["question"],
                stdio_tests=tuple(StdioTest(test["stdin"], test["stdout"]) for test in row["tests"]),
            )
            for row in held_out_rows("programs")
        ]
