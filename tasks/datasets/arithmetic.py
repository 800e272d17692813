"""128 arithmetic word problems of our own making, with a final answer; none occurs in the bundled training.

`tasks.datasets.arithmetic_problems` made them; the file beside it holds them as they are sampled and judged.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tasks.datasets import Problem
from tasks.datasets.held_out import held_out_rows


class ArithmeticConfig(BaseModel):
    """Word problems of 1 to 4 steps whose samples end in `#### answer`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["arithmetic"] = "arithmetic"

    @property
    def template(self) -> str:
        """A question, and the word that an answer follows."""
        return "arithmetic"

    @property
    def grader(self) -> str:
        """The number after `####`."""
        return "final_answer"

    @property
    def stop(self) -> tuple[str, ...]:
        """The next question, should the model go on to one."""
        return ("\nQuestion:", "Question:")

    @property
    def max_tokens(self) -> int:
        """About twice the longest solution."""
        return 160

    def load(self) -> list[Problem]:
        """All problems in their fixed order."""
        return [Problem(row["id"], row["question"], answer=row["answer"]) for row in held_out_rows("arithmetic")]
