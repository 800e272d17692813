"""lm-evaluation-harness: samples_TASK_DATE.jsonl, as `--log_samples` writes it.

A line is a problem under one filter: `doc_id`, `doc`, `arguments`, `resps` (a list of requests, each the list of its
answers; `repeats` of them), `filter`, the names of its `metrics`, and their values. The same answers stand once for
each filter; the first filter's lines are read unless another is named. Metrics are of all of a problem's answers
together: with more than one answer they are not a verdict on any of them. Next to it, results_DATE.json says what was
asked for.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tasks.errors import UserError
from tasks.files.rows import first_row, opened, parse_json, rows
from tasks.files.schema import RowModel, parse_row
from tasks.importers import Imported
from tasks.importers.problem_ids import by_row

_EXAMPLE = '{"doc_id": 0, "doc": {...}, "resps": [["..."]], "filter": "none", "metrics": ["exact_match"], ...}'
_NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9.-]+)\.jsonl(\.gz)?$")
_METRICS = ("exact_match", "pass@1", "acc", "math_verify")
_IDS = ("task_id", "unique_id")


class _Row(RowModel):
    doc_id: int = Field(ge=0)
    doc: dict[str, Any] = Field(default_factory=dict)
    resps: list[list[Any]]
    filter: str | None = None
    metrics: list[str] | None = None


class LmEval:
    """Generated answers of logged samples."""

    name: ClassVar[str] = "lm_eval"
    description: ClassVar[str] = "lm-evaluation-harness: samples_TASK_DATE.jsonl of a task that generates text"
    first_row: ClassVar[int] = 0
    verdicts: ClassVar[str | None] = "a filter's name, such as strict-match"

    def recognises(self, path: Path, first: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """By the names in the first row."""
        return {"doc_id", "resps"} <= first.keys()

    def samples(self, paths: Sequence[Path], verdict: str | None) -> Iterator[Imported]:
        """Every answer; see `tasks.importers.Importer`."""
        for path in paths:
            task = _task(path)
            seen: dict[int, str] = {}
            filters: dict[str, None] = {}
            for where, data in rows(path):
                row = parse_row(where, data, _Row, _EXAMPLE)
                if row.filter is not None:
                    filters[row.filter] = None
                    if row.filter != (verdict or next(iter(filters))):
                        continue
                answers = [answer for request in row.resps for answer in request]
                wrong = next((answer for answer in answers if not isinstance(answer, str)), None)
                if wrong is not None or not answers:
                    raise UserError(
                        f"{where}: resps: holds no generated text; a task of log-likelihoods has no samples to import"
                    )
                # Old files do not name the filter: the same answers come again.
                digest = hashlib.sha256(json.dumps(answers).encode()).hexdigest()
                if row.filter is None and seen.get(row.doc_id) == digest:
                    continue
                seen[row.doc_id] = digest
                correct = _correct(row, data) if len(answers) == 1 else None
                for index, text in enumerate(answers):
                    yield Imported(where, row.doc_id, _id(task, row), text, index, correct)
            if verdict is not None and verdict not in filters:
                raise UserError(
                    f"{path}: filter: none is {verdict!r}; it has {', '.join(map(repr, filters)) or 'none'}"
                )

    def provenance(self, paths: Sequence[Path], verdict: str | None) -> dict[str, Any]:
        """What the first row, and the results next to it, say."""
        path = paths[0]
        known: dict[str, Any] = {"tool": "lm-evaluation-harness"}
        task = _task(path)
        if task is not None:
            known["task"] = task
        first = first_row(path)
        filter_ = verdict or first.get("filter")
        if isinstance(filter_, str):
            known["graded_by"] = f"filter {filter_}"
        sampling = _sampling(first.get("arguments"))
        results = _results(path)
        config = results.get("config")
        for name, field in (("tool_version", "lm_eval_version"), ("model", "model_name")):
            if results.get(field):
                known[name] = results[field]
        if isinstance(config, dict) and config.get("torch_seed") is not None:
            sampling["seed"] = config["torch_seed"]
        return known | ({"sampling": sampling} if sampling else {})


def _task(path: Path) -> str | None:
    found = _NAME.fullmatch(path.name)
    return found["task"] if found else None


def _id(task: str | None, row: _Row) -> str:
    """The id that the dataset gives its problem, if it gives one."""
    own = next((row.doc[name] for name in _IDS if isinstance(row.doc.get(name), str)), None)
    if isinstance(own, str):
        return own
    if isinstance(row.doc.get("task_id"), int):
        return by_row("mbpp" if task is not None and task.startswith("mbpp") else None, row.doc["task_id"])
    return by_row("gsm8k" if task is not None and task.startswith("gsm8k") else None, row.doc_id)


def _correct(row: _Row, data: Mapping[str, Any]) -> bool | None:
    names = row.metrics if row.metrics is not None else _METRICS
    values = (data.get(name) for name in names)
    value = next((value for value in values if isinstance(value, bool | int | float)), math.nan)
    return None if math.isnan(value) else value == 1


def _sampling(arguments: Any) -> dict[str, Any]:
    """How the first request was to be answered: its second argument, in either of the forms that there are."""
    first = arguments.get("gen_args_0") if isinstance(arguments, dict) else None
    asked = first.get("arg_1") if isinstance(first, dict) else None
    if isinstance(arguments, list) and arguments and isinstance(arguments[0], list) and len(arguments[0]) > 1:
        asked = arguments[0][1]
    if not isinstance(asked, dict):
        return {}
    names = (("temperature", "temperature"), ("top_p", "top_p"), ("max_gen_toks", "max_tokens"), ("until", "stop"))
    found = {to: asked[name] for name, to in names if asked.get(name) is not None}
    return found | ({"temperature": 0.0} if asked.get("do_sample") is False else {})


def _results(path: Path) -> dict[str, Any]:
    """The results file of the same run; empty where it is not there."""
    found = _NAME.fullmatch(path.name)
    file = path.with_name(f"results_{found['date']}.json") if found else None
    if file is None or not file.is_file():
        return {}
    with opened(file) as stream:
        document = parse_json(str(file), stream.read())
    return document if isinstance(document, dict) else {}
