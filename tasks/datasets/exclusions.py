"""Problems that a sweep leaves out: a JSONL file of `{"problem_id": "...", "reason": "..."}`.

`monkeys audit tests` writes it. Excluded problems are neither sampled nor counted. The samples of the others stay the
same, in the same set, so the list can change without drawing anything again.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tasks.errors import UserError
from tasks.files.schema import RowModel
from tasks.files.sources import Hub, Source, read
from tasks.records import Problem

_EXAMPLE = '{"problem_id": "...", "reason": "..."}'


class _Row(RowModel):
    problem_id: str
    reason: str = ""


def read_exclusions(path: str, problems: Iterable[Problem]) -> dict[str, str]:
    """The reason for each exclusion, by problem id.

    Raises:
        UserError: the file cannot be read, or names a problem that the dataset does not have.
    """
    source = Source(path, Hub("exclusions"), "test", "exclude", what="a JSONL file that `monkeys audit tests` wrote")
    known = {problem.id for problem in problems}
    excluded = {}
    for _, row in read(source, _Row, _EXAMPLE, may_be_empty=True):
        if row.problem_id not in known:
            raise UserError(f"exclude: {path} names problem {row.problem_id!r}, which the dataset does not have")
        excluded[row.problem_id] = row.reason
    return excluded


def write_exclusions(path: Path, excluded: Mapping[str, str], order: Sequence[str]) -> None:
    """Write a file of exclusions, in the given order of problems; raises UserError if that fails."""
    rows = [{"problem_id": name, "reason": excluded[name]} for name in order if name in excluded]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
