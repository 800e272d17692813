"""Plain rows: `problem_id`, `text`, and, where known, `index` and a verdict. `monkeys export` writes such files.

Rows without an index are numbered in order within their problem. The verdict is `correct` (true or false) or
`verdict` (`correct`, `wrong`, ...; `infrastructure` does not count). `question` or `prompt` says what was asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from tasks.errors import UserError
from tasks.files.rows import read_rows
from tasks.files.schema import RowModel
from tasks.importers import Imported
from tasks.importers.pairing import asked
from tasks.importers.sample_rows import optional_values, with_optional_fields
from tasks.records import Verdict

_EXAMPLE = '{"problem_id": "...", "index": 0, "text": "..."}'


@with_optional_fields
class _Row(RowModel):
    problem_id: str
    text: str
    index: int | None = Field(default=None, ge=0)
    correct: bool | None = None
    # In strict mode a text is not accepted as a verdict.
    verdict: Annotated[Verdict | None, Field(strict=False)] = None

    question: str | None = None
    prompt: str | None = None

    def graded(self, where: object) -> bool | None:
        if self.verdict is Verdict.INFRASTRUCTURE:
            return None
        verdict = None if self.verdict is None else self.verdict is Verdict.CORRECT
        if None not in {self.correct, verdict} and self.correct != verdict:
            raise UserError(
                f"{where}: correct: is {str(self.correct).lower()}, and verdict is {self.verdict}; keep one"
            )
        return verdict if self.correct is None else self.correct


class Plain:
    """Rows of samples as this project writes them."""

    name: ClassVar[str] = "plain"
    description: ClassVar[str] = "JSONL, Parquet or CSV rows of problem_id, text, and perhaps index, correct or verdict"
    first_row: ClassVar[int] = 0
    verdicts: ClassVar[str | None] = None

    def recognises(self, path: Path, first: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """By the fields of the first row."""
        return {"problem_id", "text"} <= first.keys()

    def samples(self, paths: Sequence[Path], verdict: str | None) -> Iterator[Imported]:  # noqa: ARG002
        """Every row; see `tasks.importers.Importer`."""
        for path in paths:
            for where, row in read_rows(path, _Row, _EXAMPLE):
                yield Imported(
                    where,
                    row.problem_id,
                    row.problem_id,
                    row.text,
                    row.index,
                    row.graded(where),
                    **optional_values(row),
                    question=asked(row.question, row.prompt),
                )

    def provenance(self, paths: Sequence[Path], verdict: str | None) -> dict[str, Any]:  # noqa: ARG002
        """Nothing: such rows have no provenance."""
        return {}
