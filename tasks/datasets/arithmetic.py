"""128 arithmetic word problems of this project, with a final answer; none occurs in the bundled training.

`tasks.datasets.synthetic.arithmetic_problems` generated them; they are in the file next to it.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

from sandboxes.config import Config
from tasks.datasets.synthetic.bundled import held_out_rows
from tasks.records import AnswerCheck, LabelledSample, Problem


class ArithmeticDataset(Config):
    """Word problems of 1 to 4 steps whose samples end in `#### answer`."""

    template: ClassVar[str] = "arithmetic"
    grader: ClassVar[str] = "final_answer"
    graders: ClassVar[tuple[str, ...]] = ("final_answer", "gsm8k", "gsm8k_tolerant")
    # The model may continue with another question.
    stop: ClassVar[tuple[str, ...]] = ("\nQuestion:", "Question:")
    # About twice the longest solution.
    max_tokens: ClassVar[int] = 160

    name: Literal["arithmetic"] = "arithmetic"

    def load(self) -> list[Problem]:
        """All problems in their fixed order."""
        return [Problem(row["id"], row["question"], AnswerCheck(row["answer"])) for row in held_out_rows("arithmetic")]

    def solutions(self) -> Iterator[LabelledSample]:
        """The generator's own solutions."""
        return (LabelledSample(row["id"], row["solution"]) for row in held_out_rows("arithmetic"))
