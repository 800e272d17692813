"""Predictions for SWE-bench, and the reports on them: what agents and the harness leave behind.

Predictions are `preds.json` (an object by issue), or `all_preds.jsonl` or a JSON list, whose rows have `instance_id`,
`model_patch` and `model_name_or_path`. A path is such a file, or a folder with one; several are repeated runs, of
which each has one attempt at an issue. The verdicts are those of the report next to the predictions: the harness's
report of a run, which has `resolved_ids`, or its reports of issues, which say `resolved`, also in the folders below.

An issue that a report calls an error, or does not have, has no verdict: a container may have been lost. Where the
harness found no patch to apply, the attempt is not resolved. Nothing in a report names the file of predictions that it
is on, so verdicts are refused where two runs share a folder, or where two reports contradict each other.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from tasks.errors import UserError
from tasks.files.rows import opened, rows
from tasks.files.schema import RowModel, Where, parse_row
from tasks.importers import Imported

_EXAMPLE = '{"instance_id": "django__django-1", "model_patch": "diff --git ...", "model_name_or_path": "..."}'
_FILES = ("preds.json", "all_preds.jsonl", "preds.jsonl", "predictions.jsonl", "predictions.json", "all_preds.json")
_REPORT = "report.json"
_MAX_REPORT = 64 << 20


class _Prediction(RowModel):
    instance_id: str
    model_patch: str | None = None
    model_name_or_path: str | None = None


class _RunReport(RowModel):
    resolved_ids: list[str]
    unresolved_ids: list[str] = Field(default_factory=list)
    empty_patch_ids: list[str] = Field(default_factory=list)


class _IssueReport(RowModel):
    resolved: bool
    infra_failure: bool = False


class SweBench:
    """Predictions for SWE-bench, with the reports of its harness."""

    name: ClassVar[str] = "swe_bench"
    description: ClassVar[str] = "SWE-bench: preds.json or all_preds.jsonl, or folders with one and perhaps report.json"
    first_row: ClassVar[int] = 0
    verdicts: ClassVar[str | None] = None

    def recognises(self, path: Path, first: Mapping[str, Any]) -> bool:
        """By the fields of the first row, or the name of a file."""
        if path.is_dir():
            return any((path / name).is_file() for name in _FILES)
        return path.name == _FILES[0] or {"instance_id", "model_patch"} <= first.keys()

    def samples(self, paths: Sequence[Path], verdict: str | None) -> Iterator[Imported]:  # noqa: ARG002
        """Every prediction; see `tasks.importers.Importer`."""
        files = [_predictions(path) for path in paths]
        given = [_verdicts(file) for file in files]
        _require_own_reports(files, given)
        for file, resolved in zip(files, given, strict=True):
            seen: set[str] = set()
            for where, row in _rows(file):
                if row.instance_id in seen:
                    raise UserError(
                        f"{where}: instance_id: {row.instance_id} is there twice; give each run its own file"
                    )
                seen.add(row.instance_id)
                reported = resolved.get(row.instance_id)
                correct = None if reported is None else reported.resolved
                yield Imported(where, row.instance_id, row.instance_id, row.model_patch or "", correct=correct)

    def provenance(self, paths: Sequence[Path], verdict: str | None) -> dict[str, Any]:  # noqa: ARG002
        """The harness, and the model that the first prediction names."""
        known: dict[str, Any] = {"tool": "swe_bench", "task": "swe_bench"}
        file = _predictions(paths[0])
        first = next((row for _, row in _rows(file)), None)
        if first is not None and first.model_name_or_path:
            known["model"] = first.model_name_or_path
        return known | ({"graded_by": "swe_bench"} if _verdicts(file) else {})


def _predictions(path: Path) -> Path:
    """The file with the predictions."""
    if not path.is_dir():
        return path
    found = next((path / name for name in _FILES if (path / name).is_file()), None)
    if found is None:
        raise UserError(f"{path}: has no predictions; name a folder with {_FILES[0]} or {_FILES[1]}")
    return found


def _rows(file: Path) -> Iterator[tuple[Where, _Prediction]]:
    if file.name.endswith(".json"):
        document = _document(file)
        if isinstance(document, dict):
            for number, (issue, value) in enumerate(document.items(), 1):
                where = Where(str(file), "member", number)
                row = parse_row(
                    where, {"instance_id": issue, **value} if isinstance(value, dict) else value, _Prediction, _EXAMPLE
                )
                if row.instance_id != issue:
                    raise UserError(f"{where}: instance_id: is {row.instance_id}, and the member's name is {issue}")
                yield where, row
            return
    for where, data in rows(file):
        yield where, parse_row(where, data, _Prediction, _EXAMPLE)


class _Reported(NamedTuple):
    """What a report says about an issue."""

    resolved: bool
    file: Path


def _verdicts(file: Path) -> dict[str, _Reported]:
    """Which issues are resolved and which are not, by the reports next to a file of predictions.

    Raises:
        UserError: two reports contradict each other.
    """
    of_issues = sorted(file.parent.rglob(_REPORT))
    of_runs = [each for each in sorted(file.parent.glob("*.json")) if each.name != _REPORT and each != file]
    found: dict[str, _Reported] = {}
    for report in (*of_issues, *of_runs):
        for issue, resolved in _of_report(report).items():
            first = found.setdefault(issue, _Reported(resolved, report))
            if first.resolved != resolved:
                raise UserError(
                    f"{report}: says that {issue} is {'' if resolved else 'not '}resolved, and {first.file} says the"
                    " opposite; keep the reports of one evaluation next to the predictions"
                )
    return found


def _require_own_reports(files: Sequence[Path], given: Sequence[Mapping[str, _Reported]]) -> None:
    """Raise UserError where the same report would give the verdicts of two runs."""
    run_of: dict[Path, Path] = {}
    for file, verdicts in zip(files, given, strict=True):
        for report in {each.file for each in verdicts.values()}:
            other = run_of.setdefault(report, file)
            if other != file:
                raise UserError(
                    f"{report}: could be on {other} or on {file}; give each run a folder with its own reports"
                )


def _of_report(file: Path) -> dict[str, bool]:
    """The verdicts in a report of a run or of issues; none where it is another document."""
    if file.stat().st_size > _MAX_REPORT:
        return {}
    document = _document(file)
    if not isinstance(document, dict):
        return {}
    if "resolved_ids" in document:
        run = parse_row(str(file), document, _RunReport, '{"resolved_ids": [...]}', thing="report")
        wrong = dict.fromkeys((*run.unresolved_ids, *run.empty_patch_ids), False)
        return wrong | dict.fromkeys(run.resolved_ids, True)
    issues = {name: value for name, value in document.items() if isinstance(value, dict) and "resolved" in value}
    reports = {
        name: parse_row(f"{file}, {name}", value, _IssueReport, '{"resolved": true}', thing="report")
        for name, value in issues.items()
    }
    return {name: report.resolved for name, report in reports.items() if not report.infra_failure}


def _document(file: Path) -> Any:
    with opened(file) as stream:
        try:
            return json.load(stream)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{file}: is not valid JSON ({' '.join(str(error).split())[:100]})") from error
