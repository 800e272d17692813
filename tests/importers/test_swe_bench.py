"""Predictions for SWE-bench and the reports on them, as agents and the harness write them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import UserError
from tasks.importers.convert import convert
from tasks.importers.formats import importer
from tasks.importers.swe_bench import SweBench

IDS = ("a__a-1", "a__a-2", "b__b-1", "b__b-2", "c__c-1")


def run(folder: Path, name: str = "preds.json", model: str = "m") -> Path:
    """A folder with predictions: patches for four issues, of which one is empty, and none for the fifth."""
    folder.mkdir()
    patches = dict(zip(IDS, ("diff 1", "diff 2", "", None), strict=False))
    listed = [
        {"instance_id": each, "model_patch": patch, "model_name_or_path": model} for each, patch in patches.items()
    ]
    if name.endswith(".jsonl"):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in listed))
    else:
        (folder / name).write_text(json.dumps({row["instance_id"]: row for row in listed}))
    return folder


def read(*paths: Path) -> list[tuple[str, str | None, bool | None]]:
    chosen = importer("auto", paths)
    assert chosen.name == "swe_bench"
    return [(each.problem_id, each.text, each.correct) for each in chosen.samples(paths, None)]


@pytest.mark.parametrize("name", ["preds.json", "all_preds.jsonl"])
def test_predictions_without_a_report_have_no_verdicts(tmp_path: Path, name: str) -> None:
    expected = list(zip(IDS, ("diff 1", "diff 2", "", ""), (None,) * 4, strict=False))
    folder = run(tmp_path / "run", name)
    assert read(folder) == expected
    assert read(folder / name) == expected


def test_a_report_of_the_run_gives_verdicts_and_an_error_gives_none(tmp_path: Path) -> None:
    folder = run(tmp_path / "run")
    report = {"resolved_ids": ["a__a-1"], "unresolved_ids": [], "error_ids": ["a__a-2"], "empty_patch_ids": ["b__b-1"]}
    (folder / "m.first.json").write_text(json.dumps(report))
    (folder / "config.json").write_text('{"temperature": 1}')
    assert [correct for _, _, correct in read(folder)] == [True, None, False, None]


def test_reports_of_issues_give_verdicts_except_where_the_harness_failed(tmp_path: Path) -> None:
    folder = run(tmp_path / "run", "all_preds.jsonl")
    said: dict[str, dict[str, Any]] = {
        "a__a-1": {"resolved": True},
        "a__a-2": {"resolved": False, "infra_failure": True},
        "b__b-1": {"resolved": False, "infra_failure": False},
    }
    for issue, report in said.items():
        place = folder / "logs/first/m" / issue
        place.mkdir(parents=True)
        (place / "report.json").write_text(json.dumps({issue: report}))
    assert [correct for _, _, correct in read(folder)] == [True, None, False, None]


def test_two_runs_in_one_folder_do_not_share_their_verdicts(tmp_path: Path) -> None:
    """A report does not say which file of predictions it is on."""
    folder = run(tmp_path / "run", "first.jsonl")
    (folder / "second.jsonl").write_text((folder / "first.jsonl").read_text())
    files = (folder / "first.jsonl", folder / "second.jsonl")
    assert [correct for _, _, correct in read(*files)] == [None] * 2 * len(IDS[:4])
    (folder / "m.first.json").write_text(json.dumps({"resolved_ids": ["a__a-1"]}))
    with pytest.raises(UserError, match=r"m\.first\.json: could be on .*first\.jsonl or on .*second\.jsonl"):
        read(*files)
    assert read(files[0])[0][2] is True


def test_a_run_in_the_folder_of_another_does_not_give_it_verdicts(tmp_path: Path) -> None:
    outer = run(tmp_path / "run")
    inner = run(outer / "again")
    (inner / "report.json").write_text(json.dumps({"resolved_ids": ["a__a-1"]}))
    with pytest.raises(UserError, match="could be on"):
        read(outer, inner)


@pytest.mark.parametrize(
    "names", [("m.first.json", "m.second.json"), ("report.json", "logs/again/m/a__a-1/report.json")]
)
def test_reports_that_contradict_each_other_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    """Which of them counted depended on their names."""
    folder = run(tmp_path / "run")
    for name, resolved in zip(names, (True, False), strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps({"a__a-1": {"resolved": resolved}}))
    with pytest.raises(UserError, match=r"says that a__a-1 is (not )?resolved, and .* says the opposite"):
        read(folder)


def test_repeated_runs_become_counts_for_a_curve(tmp_path: Path) -> None:
    folders = [run(tmp_path / f"run{number}") for number in range(3)]
    for number, folder in enumerate(folders):
        report = {"resolved_ids": ["a__a-1"][:number], "unresolved_ids": ["a__a-2", *["a__a-1"][number:]]}
        (folder / "report.json").write_text(json.dumps(report))
    output, counts = tmp_path / "out.jsonl", tmp_path / "counts.csv"
    convert(SweBench(), folders, output=output, counts=counts)
    assert counts.read_text() == "problem,samples,correct\na__a-1,3,2\na__a-2,3,0\nb__b-1,0,0\nb__b-2,0,0\n"
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["index"] for row in rows if row["problem_id"] == "a__a-1"] == [0, 1, 2]


def test_runs_of_two_models_are_refused(tmp_path: Path) -> None:
    folders = [run(tmp_path / model, model=model) for model in ("one", "two")]
    with pytest.raises(UserError, match="samples of one model"):
        convert(SweBench(), folders, output=tmp_path / "out.jsonl", counts=None)
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a__a-1": ', "is not valid JSON"),
        ('{"a__a-1": 3}', "member 1"),
        ('{"a__a-1": {"model_patch": 3}}', "model_patch: "),
        ('{"a__a-1": {"instance_id": "b", "model_patch": "x"}}', "is b, and the member's name is a__a-1"),
        ('[{"instance_id": "a", "model_patch": "x"}, {"instance_id": "a", "model_patch": "y"}]', "a is there twice"),
        ('{"a__a-1": {"model_patch": "\\ud800"}}', "not valid Unicode"),
    ],
    ids=["cut off", "number", "patch", "names", "twice", "surrogate"],
)
def test_malformed_predictions_are_one_line(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "preds.json").write_text(text)
    with pytest.raises(UserError, match=expected) as caught:
        list(SweBench().samples([tmp_path / "preds.json"], None))
    assert "preds.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_predictions_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no predictions"):
        list(SweBench().samples([tmp_path], None))
