"""GSM8K (Cobbe et al. 2021): school word problems whose answer is a number; the paper's protocol.

Rows are those of openai/grade-school-math and of the hub: question and answer, which ends in `#### number`. Each prompt
shows five examples from the train split, chosen separately for each problem (the paper, section 2 and appendix).
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from sandboxes.config import Config
from tasks.datasets.paper.few_shot import chosen
from tasks.datasets.paper.subsets import check
from tasks.files.schema import RowModel, Where
from tasks.files.sources import Hub, Source, read, row_error
from tasks.records import AnswerCheck, FewShotExample, LabelledSample, Problem

HUB = Hub("openai/gsm8k", ("main",))
_EXAMPLE = '{"question": "...", "answer": "... #### 42"}'


class _Row(RowModel):
    question: str
    answer: str


class Gsm8kDataset(Config):
    """GSM8K, from local files or the Hugging Face hub."""

    template: ClassVar[str] = "gsm8k"
    grader: ClassVar[str] = "gsm8k"
    graders: ClassVar[tuple[str, ...]] = ("gsm8k", "gsm8k_tolerant", "final_answer")
    stop: ClassVar[tuple[str, ...]] = ("Q:", "Question:")
    max_tokens: ClassVar[int] = 512

    name: Literal["gsm8k"] = "gsm8k"
    path: str | None = Field(
        default=None, description="Test split (JSONL, .gz, Parquet, CSV; URL too); empty: from the Hugging Face hub"
    )
    train_path: str | None = Field(
        default=None, description="Train split, for the examples; empty: from the Hugging Face hub"
    )
    subset: Literal["paper"] | None = Field(default=None, description="The paper's 128 problems; empty: all")
    shots: int = Field(default=5, ge=0, le=100, description="Examples before each question; 0 needs no train split")
    shots_seed: int = Field(default=0, ge=0, description="Another seed chooses other examples; 0 the paper's")

    def load(self) -> list[Problem]:
        """The problems in upstream order, the paper's in the paper's; raises UserError where they cannot be read."""
        source = Source(self.path, HUB, "test")
        rows = list(read(source, _Row, _EXAMPLE))
        chosen_rows = (
            check(self.name, [row.question for _, row in rows], source.name) if self.subset else range(len(rows))
        )
        shots = chosen(self._examples(), len(rows), self.shots, self.shots_seed)
        return [
            Problem(f"gsm8k/{at:04d}", row.question, AnswerCheck(_number(where, row)), shots=shots[at])
            for at in chosen_rows
            for where, row in (rows[at],)
        ]

    def solutions(self) -> Iterator[LabelledSample]:
        """The dataset's own solutions."""
        for at, (_, row) in enumerate(read(Source(self.path, HUB, "test"), _Row, _EXAMPLE)):
            yield LabelledSample(f"gsm8k/{at:04d}", row.answer)

    def _examples(self) -> list[FewShotExample]:
        if self.shots == 0:
            return []
        source = Source(self.train_path, HUB, "train", "dataset.train_path")
        return [FewShotExample(row.question, row.answer) for _, row in read(source, _Row, _EXAMPLE)]


def _number(where: Where, row: _Row) -> str:
    _, marked, answer = row.answer.rpartition("####")
    if not marked or not answer.strip():
        raise row_error(where, "answer", "has no number after ####")
    return answer.strip()
