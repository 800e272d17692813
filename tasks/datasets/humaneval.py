"""HumanEval (Chen et al. 2021): 164 Python functions to complete, judged by unit tests.

A sample is a completion that follows the prompt. Rows are those of the upstream file: task_id, prompt, entry_point,
canonical_solution, test.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks.datasets import FunctionTest, Problem
from tasks.errors import InputError

_HUB_NAME = "openai/openai_humaneval"
_FIELDS = ("task_id", "prompt", "entry_point", "test")


class HumanEvalConfig(BaseModel):
    """HumanEval, from a local file or the Hugging Face hub."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # The prompt is the function's head as it stands.
    template: ClassVar[str] = "humaneval"
    grader: ClassVar[str] = "humaneval"
    # What can only follow the function's end (Codex paper, section 2.1).
    stop: ClassVar[tuple[str, ...]] = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
    # Long enough for every canonical solution.
    max_tokens: ClassVar[int] = 512

    name: Literal["humaneval"] = "humaneval"
    path: str | None = Field(
        default=None, description="HumanEval.jsonl or HumanEval.jsonl.gz; without one, the Hugging Face hub is asked"
    )

    def load(self) -> list[Problem]:
        """All problems in upstream order; raises InputError where file or hub cannot be read."""
        rows = _from_hub() if self.path is None else _from_file(self.path)
        return [
            Problem(row["task_id"], row["prompt"], function_test=FunctionTest(row["entry_point"], row["test"]))
            for row in rows
        ]


def _from_file(path: str) -> Iterator[dict[str, Any]]:
    try:
        data = Path(path).read_bytes()
        text = gzip.decompress(data) if path.endswith(".gz") else data
    except (OSError, EOFError) as error:
        raise InputError(f"task.path: {path} cannot be read ({error}); give the path of HumanEval.jsonl.gz") from error
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"task.path: {path}, line {number}: broken JSON ({error})") from error
        absent = [field for field in _FIELDS if not isinstance(row, dict) or field not in row]
        if absent:
            raise InputError(f"task.path: {path}, line {number} lacks {', '.join(absent)}; HumanEval rows have them")
        yield row


def _from_hub() -> Iterator[dict[str, Any]]:
    try:
        import datasets  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise InputError(
            "task.path: no HumanEval file is named, and the hub needs the extra `hub` (`uv sync --extra hub`);"
            " install it, or set task.path to HumanEval.jsonl.gz"
        ) from error
    try:
        rows = datasets.load_dataset(_HUB_NAME, split="test")
    except (OSError, ValueError, ConnectionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"task.path: the Hugging Face hub did not give {_HUB_NAME} ({reason}); set task.path to HumanEval.jsonl.gz"
        ) from error
    yield from rows
