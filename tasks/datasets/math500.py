"""MATH-500 (Lightman et al. 2023): 500 of MATH's test problems, each with its answer in a separate field."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from sandboxes.config import Config
from tasks.datasets.math import MathDataset, problems_of, solutions_of
from tasks.files.sources import Hub, Source
from tasks.records import LabelledSample, Problem

HUB = Hub("HuggingFaceH4/MATH-500")


class Math500Dataset(Config):
    """MATH-500, from a local file or the Hugging Face hub; prompted and graded as MATH is."""

    template: ClassVar[str] = MathDataset.template
    grader: ClassVar[str] = MathDataset.grader
    graders: ClassVar[tuple[str, ...]] = MathDataset.graders
    stop: ClassVar[tuple[str, ...]] = MathDataset.stop
    max_tokens: ClassVar[int] = MathDataset.max_tokens

    name: Literal["math500"] = "math500"
    path: str | None = Field(
        default=None, description="The 500 rows (JSONL, .gz, Parquet, CSV; URL too); empty: from the Hugging Face hub"
    )

    def load(self) -> list[Problem]:
        """All problems in upstream order; raises UserError where file or hub cannot be read."""
        return problems_of(Source(self.path, HUB, "test"))

    def solutions(self) -> Iterator[LabelledSample]:
        """The solutions of the dataset itself, with the closing sentence of the prompt."""
        yield from solutions_of(Source(self.path, HUB, "test"))
