"""MATH-500 (Lightman et al. 2023): 500 of MATH's test problems, each with its answer in a field of its own."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks.datasets import Problem, Solution
from tasks.datasets.math import MathConfig, problems_of, solutions_of
from tasks.datasets.rows import Hub, Place

HUB = Hub("HuggingFaceH4/MATH-500")


class Math500Config(BaseModel):
    """MATH-500, from a local file or the Hugging Face hub; prompted and judged as MATH is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    template: ClassVar[str] = MathConfig.template
    grader: ClassVar[str] = MathConfig.grader
    graders: ClassVar[tuple[str, ...]] = MathConfig.graders
    stop: ClassVar[tuple[str, ...]] = MathConfig.stop
    max_tokens: ClassVar[int] = MathConfig.max_tokens

    name: Literal["math500"] = "math500"
    path: str | None = Field(
        default=None, description="The 500 rows (JSONL, .gz, Parquet, CSV; URL too); empty: the hub is asked"
    )

    def load(self) -> list[Problem]:
        """All problems in upstream order; raises InputError where file or hub cannot be read."""
        return problems_of(Place(self.path, HUB, "test"))

    def solutions(self) -> Iterator[Solution]:
        """The solutions of the data set itself, with the closing sentence of the prompt."""
        yield from solutions_of(Place(self.path, HUB, "test"))
