"""HumanEval (Chen et al. 2021): 164 Python functions to complete, graded by unit tests.

A sample is a completion that follows the prompt. Rows are those of the upstream file: task_id, prompt, entry_point,
canonical_solution, test.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from sandboxes.config import Config
from tasks.datasets.shown_calls import as_function_test, shown_calls
from tasks.files.schema import RowModel
from tasks.files.sources import Hub, Source, read
from tasks.records import FunctionCheck, LabelledSample, Problem

HUB = Hub("openai/openai_humaneval")
# Their tests, and the canonical solutions, contradict the examples of their prompts.
_CONTRADICTED = frozenset({"HumanEval/47", "HumanEval/116", "HumanEval/130", "HumanEval/148"})
_EXAMPLE = (
    '{"task_id": "HumanEval/0", "prompt": "def f(x): ...", "entry_point": "f", "test": "def check(candidate): ..."}'
)


class _Row(RowModel):
    task_id: str
    prompt: str
    entry_point: str = Field(pattern=r"^[A-Za-z_]\w*$")
    test: str
    canonical_solution: str | None = None


class HumanEvalDataset(Config):
    """HumanEval, from a local file or the Hugging Face hub."""

    # The prompt is the start of the function, unchanged.
    template: ClassVar[str] = "humaneval"
    grader: ClassVar[str] = "humaneval"
    graders: ClassVar[tuple[str, ...]] = ("humaneval",)
    # What can only come after the function's end (Codex paper, section 2.1).
    stop: ClassVar[tuple[str, ...]] = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
    # Long enough for every canonical solution.
    max_tokens: ClassVar[int] = 512

    name: Literal["humaneval"] = "humaneval"
    path: str | None = Field(
        default=None,
        description="HumanEval.jsonl or HumanEval.jsonl.gz (Parquet, URL too); empty: from the Hugging Face hub",
    )

    def load(self) -> list[Problem]:
        """All problems in upstream order; raises UserError where file or hub cannot be read."""
        return [
            Problem(row.task_id, row.prompt, _check(row))
            for _, row in read(Source(self.path, HUB, "test"), _Row, _EXAMPLE)
        ]

    def solutions(self) -> Iterator[LabelledSample]:
        """The canonical solutions."""
        for _, row in read(Source(self.path, HUB, "test"), _Row, _EXAMPLE):
            if row.canonical_solution is not None:
                yield LabelledSample(row.task_id, row.canonical_solution)


def _check(row: _Row) -> FunctionCheck:
    """The test, with the examples of the prompt as those that are public."""
    shown = shown_calls(row.prompt, row.entry_point)
    calls = tuple(each.call for each in shown)
    public = as_function_test(() if row.task_id in _CONTRADICTED else shown, row.entry_point)
    return FunctionCheck(row.entry_point, row.test, public, calls)
