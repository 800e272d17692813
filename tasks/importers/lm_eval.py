"""lm-evaluation-harness: samples_TASK_DATE.jsonl, as `--log_samples` writes it.

A line is a problem under one filter: `doc_id`, `doc`, `arguments`, `resps` (a list of requests, each the list of its
answers; `repeats` of them), `filter`, the names of its `metrics`, and their values. The same answers occur once for
each filter. A verdict is a metric under a filter; where there are several, one has to be named. Metrics are of all of a
problem's answers together: with more than one answer they are not a verdict on any of them. Next to it,
results_DATE.json says what was asked for.

`doc_id` is a row of the task's dataset. MATH comes as one task for each subject, whose rows are counted from 0 again.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from tasks.errors import UserError
from tasks.files.rows import first_row, opened, parse_json, rows
from tasks.files.schema import RowModel, parse_row
from tasks.importers import NO_ROW, Imported, correct
from tasks.importers.pairing import asked
from tasks.importers.problem_ids import by_row, row_of_subject

_EXAMPLE = '{"doc_id": 0, "doc": {...}, "resps": [["..."]], "filter": "none", "metrics": ["exact_match"], ...}'
_NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9.-]+)\.jsonl(\.gz)?$")
_METRICS = ("exact_match", "pass@1", "acc", "math_verify")
_IDS = ("task_id", "unique_id")
_QUESTIONS = ("question", "problem", "prompt", "text")
_GSM8K = {"gsm8k", "gsm8k_cot", "gsm8k_cot_zeroshot", "gsm8k_cot_self_consistency", "gsm8k_cot_llama"}
_SUBJECT_NAMES = {
    "algebra": "algebra",
    "counting_and_prob": "counting_and_probability",
    "counting_and_probability": "counting_and_probability",
    "geometry": "geometry",
    "intermediate_algebra": "intermediate_algebra",
    "num_theory": "number_theory",
    "number_theory": "number_theory",
    "prealgebra": "prealgebra",
    "precalc": "precalculus",
    "precalculus": "precalculus",
}
_SUBJECT = re.compile(rf"(.*_)?math_(?P<subject>{'|'.join(_SUBJECT_NAMES)})(_.*)?")
_WHOLE_SUBJECTS = {f"{tool}_math_{subject}" for tool in ("minerva", "hendrycks") for subject in _SUBJECT_NAMES}


class _Row(RowModel):
    doc_id: int = Field(ge=0)
    doc: dict[str, Any] = Field(default_factory=dict)
    arguments: Any = None
    resps: list[list[Any]]
    filter: str | None = None
    metrics: list[str] | None = None


class _Verdict(NamedTuple):
    """A metric under a filter; `str` of it is as lm-evaluation-harness names it in its results."""

    metric: str
    filter: str | None

    def __str__(self) -> str:
        return self.metric if self.filter is None else f"{self.metric},{self.filter}"


class LmEval:
    """Generated answers of logged samples."""

    name: ClassVar[str] = "lm_eval"
    description: ClassVar[str] = "lm-evaluation-harness: samples_TASK_DATE.jsonl of a task that generates text"
    first_row: ClassVar[int] = 0
    verdicts: ClassVar[str | None] = "a filter's name, such as strict-match, a metric's, or METRIC,FILTER"

    def recognises(self, path: Path, first: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """By the fields of the first row."""
        return {"doc_id", "resps"} <= first.keys()

    def samples(self, paths: Sequence[Path], verdict: str | None) -> Iterator[Imported]:
        """Every answer; see `tasks.importers.Importer`. Reads each file twice: which verdicts there are is known at its
        end."""
        for path in paths:
            yield from self._samples(path, _verdicts(path, verdict))

    def ungraded_samples(self, paths: Sequence[Path]) -> Iterator[Imported]:
        """See `tasks.importers.ReadsUngraded`. Reads each file once."""
        for path in paths:
            yield from self._samples(path, [])

    def _samples(self, path: Path, choices: Sequence[_Verdict]) -> Iterator[Imported]:
        """The answers of a file, with a verdict where just one is among `choices`."""
        task = _task(path)
        seen: dict[int, str] = {}
        chosen = choices[0] if len(choices) == 1 else None
        # The answers occur once for each filter.
        filter_ = choices[0].filter if choices else None
        for where, data in rows(path):
            row = parse_row(where, data, _Row, _EXAMPLE)
            filter_ = row.filter if filter_ is None else filter_
            if row.filter is not None and row.filter != filter_:
                continue
            answers = _answers(where, row)
            # Old files do not name the filter: the same answers come again.
            digest = hashlib.sha256(json.dumps(answers).encode()).hexdigest()
            if row.filter is None and seen.get(row.doc_id) == digest:
                continue
            seen[row.doc_id] = digest
            one = len(answers) == 1
            known = correct(data.get(chosen.metric)) if one and chosen is not None else None
            several = tuple(map(str, choices)) if one and chosen is None else ()
            problem_id, at = _problem(task, row)
            question = _question(row)
            for index, text in enumerate(answers):
                yield Imported(
                    where,
                    row.doc_id,
                    problem_id,
                    text,
                    index,
                    known,
                    question=question,
                    row=at,
                    choices=several,
                )

    def provenance(self, paths: Sequence[Path], verdict: str | None) -> dict[str, Any]:
        """What the first row, and the results next to it, say."""
        path = paths[0]
        known: dict[str, Any] = {"tool": "lm-evaluation-harness"}
        task = _task(path)
        if task is not None:
            known["task"] = task
        first = first_row(path)
        graded_by = verdict or first.get("filter")
        if isinstance(graded_by, str):
            known["graded_by"] = graded_by
        sampling = _sampling(first.get("arguments"))
        results = _results(path)
        config = results.get("config")
        for name, field in (("tool_version", "lm_eval_version"), ("model", "model_name")):
            if results.get(field):
                known[name] = results[field]
        if isinstance(config, dict) and config.get("torch_seed") is not None:
            sampling["seed"] = config["torch_seed"]
        return known | ({"sampling": sampling} if sampling else {})


def _verdicts(path: Path, verdict: str | None) -> list[_Verdict]:
    """The verdicts of a file that are asked for: one, or all of them where none is named."""
    found: dict[_Verdict, None] = {}
    for where, data in rows(path):
        row = parse_row(where, data, _Row, _EXAMPLE)
        names = row.metrics if row.metrics is not None else _METRICS
        found |= {_Verdict(name, row.filter): None for name in names if isinstance(data.get(name), bool | int | float)}
    if verdict is None:
        return list(found)
    fit = [each for each in found if verdict in {str(each), each.metric, each.filter}]
    if len(fit) == 1:
        return fit
    listed = ", ".join(repr(str(each)) for each in fit or found) or "none"
    raise UserError(
        f"{path}: --verdict {verdict}: " + (f"is more than one: {listed}" if fit else f"is not there; it has {listed}")
    )


def _answers(where: object, row: _Row) -> list[str]:
    if len(row.resps) > 1:
        raise UserError(
            f"{where}: resps: has {len(row.resps):,} requests for one problem; a sample is an answer to one"
        )
    answers = [answer for request in row.resps for answer in request]
    if not answers or not all(isinstance(answer, str) for answer in answers):
        raise UserError(f"{where}: resps: holds no generated text; a task of log-likelihoods has no samples to import")
    return answers


def _task(path: Path) -> str | None:
    found = _NAME.fullmatch(path.name)
    return found["task"] if found else None


def _problem(task: str | None, row: _Row) -> tuple[str, int | None]:
    """The id that the dataset gives its problem, or that follows from its row, and its row in the whole dataset."""
    at: int | None = None
    subject = _SUBJECT.fullmatch(task or "")
    if subject is not None:
        # Other tasks take some of a subject's problems, such as the hard ones.
        whole = row_of_subject(_SUBJECT_NAMES[subject["subject"]], row.doc_id) if task in _WHOLE_SUBJECTS else None
        at = NO_ROW if whole is None else whole
    own = next((row.doc[name] for name in _IDS if isinstance(row.doc.get(name), str)), None)
    if isinstance(own, str):
        return own, at
    if isinstance(row.doc.get("task_id"), int):
        return by_row("mbpp" if task is not None and task.startswith("mbpp") else None, row.doc["task_id"]), at
    if at is not None:
        return (by_row("math", at) if at != NO_ROW else str(row.doc_id)), at
    return by_row("gsm8k" if task in _GSM8K else None, row.doc_id), at


def _question(row: _Row) -> str | None:
    """What was asked, without the examples before it where the dataset's row says so."""
    questions = (row.doc.get(name) for name in _QUESTIONS if isinstance(row.doc.get(name), str))
    return asked(*questions, _argument(row.arguments, 0))


def _sampling(arguments: Any) -> dict[str, Any]:
    """The sampling parameters of the first request: its second argument."""
    given = _argument(arguments, 1)
    if not isinstance(given, dict):
        return {}
    names = (("temperature", "temperature"), ("top_p", "top_p"), ("max_gen_toks", "max_tokens"), ("until", "stop"))
    found = {to: given[name] for name, to in names if given.get(name) is not None}
    return found | ({"temperature": 0.0} if given.get("do_sample") is False else {})


def _argument(arguments: Any, position: int) -> Any:
    """An argument of the first request, in the old or the new format; None if there is none."""
    if isinstance(arguments, dict):
        first = arguments.get("gen_args_0")
        return first.get(f"arg_{position}") if isinstance(first, dict) else None
    first = arguments[0] if isinstance(arguments, list) and arguments else None
    return first[position] if isinstance(first, list) and len(first) > position else None


def _results(path: Path) -> dict[str, Any]:
    """The results file of the same run; empty if there is none."""
    found = _NAME.fullmatch(path.name)
    file = path.with_name(f"results_{found['date']}.json") if found else None
    if file is None or not file.is_file():
        return {}
    with opened(file) as stream:
        document = parse_json(str(file), stream.read())
    return document if isinstance(document, dict) else {}
