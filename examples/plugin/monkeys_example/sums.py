"""A dataset: sums of two numbers."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from tasks.plugins import Config
from tasks.records import AnswerCheck, LabelledSample, Problem


class SumsDataset(Config):
    """Sums of two numbers."""

    # How its problems are usually sampled and graded; a sweep file can say otherwise.
    template: ClassVar[str] = "question"
    grader: ClassVar[str] = "final_answer"
    graders: ClassVar[tuple[str, ...]] = ("final_answer", "close_enough")
    stop: ClassVar[tuple[str, ...]] = ("\n",)
    max_tokens: ClassVar[int] = 16

    # The name, and the fields that people can set. Descriptions are shown in the form of the Prefect UI.
    name: Literal["sums"] = "sums"
    count: int = Field(default=20, ge=1, le=100, description="Number of problems")

    def load(self) -> list[Problem]:
        """All problems, in an order that never changes."""
        return [Problem(f"sums/{n}", f"{n} + {n * n} = ", check=AnswerCheck(str(n + n * n))) for n in range(self.count)]

    def solutions(self) -> Iterator[LabelledSample]:
        """Samples that are known to be right, for `monkeys audit`."""
        return (LabelledSample(f"sums/{n}", f"#### {n + n * n}") for n in range(self.count))
