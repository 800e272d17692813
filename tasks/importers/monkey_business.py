"""The samples that the paper's authors released (ScalingIntelligence/monkey_business on the Hugging Face hub, MIT).

A row is a problem: `question`, `prompt`, `samples` (a list of texts), `is_corrects` (a list of booleans), `gt_answer`
(not of every task), `orig_dset_split`, `orig_dset_idx` (the row of the original test split). A file is one task and one
model, named TASK_MODEL.json, of up to 140 problems x 10,000 samples. How they were drawn is only said in the paper
(arXiv 2407.21787, section 2 and appendix).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tasks.errors import UserError
from tasks.files.rows import read_rows
from tasks.files.schema import RowModel
from tasks.importers import Imported
from tasks.importers.problem_ids import by_row

_EXAMPLE = '{"orig_dset_idx": 0, "question": "...", "samples": ["..."], "is_corrects": [true]}'
_TASKS = {"GSM8K": "gsm8k", "MATH": "math", "CodeContests": "code_contests", "MiniF2F-MATH": "minif2f"}
_SAMPLING: dict[str, dict[str, Any]] = {
    "gsm8k": {"temperature": 0.6, "top_p": 1.0, "max_tokens": 512, "stop": ["Q:", "Question:"]},
    "math": {"temperature": 0.6, "top_p": 1.0, "max_tokens": 512, "stop": ["Problem:"]},
    "code_contests": {"temperature": 0.6, "top_p": 0.95, "max_tokens": 1024, "stop": ["Q:", "Question:"]},
    "minif2f": {"temperature": 0.5, "top_p": 1.0, "max_tokens": 200, "stop": ["Write a lean4"]},
}


class _Row(RowModel):
    orig_dset_idx: int = Field(ge=0)
    samples: list[str]
    is_corrects: list[bool] | None = None
    theorem_name: str | None = None
    orig_dset_split: str = "test"
    question: str | None = None

    def problem_id(self, task: str | None) -> str:
        if self.theorem_name:
            return self.theorem_name
        # Row 3 of the train split is another problem than row 3 of the test split.
        if self.orig_dset_split != "test":
            return f"{self.orig_dset_split}/{self.orig_dset_idx}"
        return by_row(task, self.orig_dset_idx)


class MonkeyBusiness:
    """Rows of problems with all of their samples and verdicts."""

    name: ClassVar[str] = "monkey_business"
    description: ClassVar[str] = "the rows that the paper's authors released, TASK_MODEL.json (JSONL, Parquet)"
    first_row: ClassVar[int] = 0
    verdicts: ClassVar[str | None] = None

    def recognises(self, path: Path, first: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """By the fields of the first row."""
        return {"samples", "orig_dset_idx"} <= first.keys()

    def samples(self, paths: Sequence[Path], verdict: str | None) -> Iterator[Imported]:  # noqa: ARG002
        """Every sample of every row; see `tasks.importers.Importer`."""
        for path in paths:
            task, _ = _named(path)
            for where, row in read_rows(path, _Row, _EXAMPLE):
                if row.is_corrects is not None and len(row.is_corrects) != len(row.samples):
                    raise UserError(
                        f"{where}: is_corrects: has {len(row.is_corrects):,} verdicts on {len(row.samples):,} samples"
                    )
                problem_id, number = row.problem_id(task), row.orig_dset_idx
                for index, text in enumerate(row.samples):
                    correct = None if row.is_corrects is None else row.is_corrects[index]
                    at = f"{where}, sample {index}"
                    yield Imported(at, number, problem_id, text, index, correct, question=row.question)

    def provenance(self, paths: Sequence[Path], verdict: str | None) -> dict[str, Any]:  # noqa: ARG002
        """Task and model from the file's name; sampling parameters from the paper."""
        task, model = _named(paths[0])
        known: dict[str, Any] = {"tool": "llmonk", "source": "ScalingIntelligence/monkey_business, arXiv 2407.21787"}
        if task is not None:
            known |= {"task": task, "model": model, "sampling": _SAMPLING[task]}
        return known


def _named(path: Path) -> tuple[str | None, str | None]:
    """Task and model of a file with a name as released; (None, None) for any other."""
    task, _, model = path.name.split(".json")[0].removesuffix(".parquet").partition("_")
    return (_TASKS[task], model) if task in _TASKS and model else (None, None)
