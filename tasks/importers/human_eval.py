"""openai/human-eval: rows of `task_id` and `completion`, and, if graded, `passed` and `result`.

Rows are in any order and have no index: the samples of a problem are numbered in order.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tasks.files.rows import read_rows
from tasks.files.schema import RowModel
from tasks.importers import Imported

_EXAMPLE = '{"task_id": "HumanEval/0", "completion": "    return ..."}'


class _Row(RowModel):
    task_id: str
    completion: str
    passed: bool | None = None


class HumanEval:
    """Completions of HumanEval's prompts."""

    name: ClassVar[str] = "human_eval"
    description: ClassVar[str] = "openai/human-eval: JSONL of task_id, completion, and perhaps passed"
    first_row: ClassVar[int] = 0
    verdicts: ClassVar[str | None] = None

    def recognises(self, path: Path, first: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """By the fields of the first row."""
        return {"task_id", "completion"} <= first.keys() and "solution" not in first

    def samples(self, paths: Sequence[Path], verdict: str | None) -> Iterator[Imported]:  # noqa: ARG002
        """Every row; see `tasks.importers.Importer`."""
        for path in paths:
            for where, row in read_rows(path, _Row, _EXAMPLE):
                yield Imported(where, row.task_id, row.task_id, row.completion, correct=row.passed)

    def provenance(self, paths: Sequence[Path], verdict: str | None) -> dict[str, Any]:  # noqa: ARG002
        """The tool; the files say nothing else."""
        return {"tool": "human-eval", "task": "humaneval"}
