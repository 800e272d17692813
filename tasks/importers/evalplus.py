"""evalplus: samples as JSON Lines or as a folder of programs, and the results of grading them.

- JSON Lines of `task_id` and `solution` (a whole program) or `completion` (what follows the prompt);
- a folder HumanEval_0/0.py, HumanEval_0/1.py, ...;
- `*_eval_results.json`: an object whose `eval` has, for each task id, a list of `solution`, `base_status` and
  `plus_status` (`pass`, `fail`, `timeout`; none where only the base tests were run).

evalplus names its files MODEL_BACKEND_temp_T.jsonl, with `--` for a model's `/`. Samples have no index: they are
numbered in order. A sample is correct if it passes the base and the plus tests, as in evalplus's own figures; the
verdict `base` is that of the base tests alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tasks.errors import UserError
from tasks.files.rows import opened, opened_document, read_rows
from tasks.files.schema import RowModel, parse_row
from tasks.importers import Imported
from tasks.importers.problem_ids import by_task_id

_EXAMPLE = '{"task_id": "HumanEval/0", "solution": "def f(): ..."}'
_RESULT = '{"solution": "def f(): ...", "base_status": "pass", "plus_status": "fail"}'
_FOLDER = re.compile(r"(HumanEval|Mbpp)_([0-9]+)")
_NAME = re.compile(
    r"(?P<model>.+)_(?P<backend>[a-z]+)_temp_(?P<temperature>[0-9.]+?)(\.raw|-sanitized|_eval_results)*$"
)


class _Sample(RowModel):
    task_id: str
    solution: str | None = None
    completion: str | None = None


class _Result(RowModel):
    solution: str
    base_status: str | None = None
    plus_status: str | None = None

    def passed(self, verdict: str | None) -> bool | None:
        plus = self.base_status if verdict == "base" or self.plus_status is None else self.plus_status
        return None if self.base_status is None else self.base_status == plus == "pass"


class Evalplus:
    """Samples for HumanEval+ and MBPP+, and evalplus's verdicts on them."""

    name: ClassVar[str] = "evalplus"
    description: ClassVar[str] = "evalplus: JSONL of task_id, solution; a folder of programs; eval_results.json"
    first_row: ClassVar[int] = 0
    verdicts: ClassVar[str | None] = "plus (base and plus tests), base"

    def recognises(self, path: Path, first: Mapping[str, Any]) -> bool:
        """By the fields of the first row, or the names of the folders."""
        if path.is_dir():
            return any(_FOLDER.fullmatch(each.name) for each in path.iterdir())
        graded = "eval" in first and not {"status", "version"} & first.keys()
        return graded or {"task_id", "solution"} <= first.keys()

    def samples(self, paths: Sequence[Path], verdict: str | None) -> Iterator[Imported]:
        """Every sample; see `tasks.importers.Importer`."""
        if verdict not in {None, "plus", "base"}:
            raise UserError(f"--verdict {verdict}: evalplus has {self.verdicts}")
        for path in paths:
            if path.is_dir():
                yield from _programs(path)
            elif path.name.removesuffix(".gz").endswith(".json"):
                yield from _results(path, verdict)
            else:
                for where, row in read_rows(path, _Sample, _EXAMPLE):
                    text = row.solution if row.solution is not None else row.completion
                    if text is None:
                        raise UserError(f"{where}: solution: field required; a row looks like {_EXAMPLE}")
                    yield Imported(where, row.task_id, by_task_id(row.task_id), text)

    def provenance(self, paths: Sequence[Path], verdict: str | None) -> dict[str, Any]:
        """Model, backend and temperature, from the name that evalplus gives a file."""
        known: dict[str, Any] = {"tool": "evalplus"}
        name = paths[0].name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".json")
        found = _NAME.match(name)
        if found:
            known |= {"model": found["model"].replace("--", "/"), "backend": found["backend"]}
            known["sampling"] = {"temperature": float(found["temperature"])}
        if any(path.name.removesuffix(".gz").endswith(".json") for path in paths):
            known["graded_by"] = "base tests" if verdict == "base" else "base and plus tests"
        return known


def _programs(folder: Path) -> Iterator[Imported]:
    """The programs in the folders of the problems, in the order of their numbers."""
    found = [(match, inside) for inside in folder.iterdir() if (match := _FOLDER.fullmatch(inside.name))]
    if not found:
        raise UserError(
            f"{folder}: has no folder such as HumanEval_0; name the folder in which evalplus saved its programs"
        )
    for match, inside in sorted(found, key=lambda each: (each[0][1], int(each[0][2]))):
        task_id = f"{match[1]}/{match[2]}"
        for file in sorted((each for each in inside.glob("*.py") if each.stem.isdigit()), key=lambda it: int(it.stem)):
            with opened(file) as stream:
                data = stream.read()
            try:
                yield Imported(str(file), task_id, by_task_id(task_id), data.decode(), int(file.stem))
            except UnicodeDecodeError as error:
                raise UserError(f"{file}: is not valid UTF-8 (byte {error.start:,})") from error


def _results(path: Path, verdict: str | None) -> Iterator[Imported]:
    with opened_document(path) as document:
        for name in document.members():
            if name != "eval":
                document.value()
                continue
            for task_id in document.members():
                entries = document.value()
                if not isinstance(entries, list):
                    raise UserError(
                        f"{path}, eval.{task_id}: is not a list; the first version of evalplus wrote no solutions;"
                        " import its samples instead"
                    )
                for number, data in enumerate(entries):
                    where = f"{path}, eval.{task_id}.{number}"
                    row = parse_row(where, data, _Result, _RESULT, thing="result")
                    correct = row.passed(verdict)
                    yield Imported(where, task_id, by_task_id(task_id), row.solution, correct=correct)
