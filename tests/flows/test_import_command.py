import json
from pathlib import Path

import pytest

from flows.command_line.views.import_samples import run_import
from tasks.errors import UserError
from tests.flows.command import monkeys
from tests.importers import other_tools as tools


def test_released_outcomes_are_imported_and_fitted(tmp_path: Path) -> None:
    tools.document(tmp_path / "MATH_Pythia-12B.json", tools.MONKEY_BUSINESS)
    ended = monkeys("import", "MATH_Pythia-12B.json", "--counts", "c.csv", "-o", "s.jsonl", cwd=tmp_path)
    assert ended.code == 0
    for shown in ("6 = 2 problems × 3", "2 correct of 6", "Pythia-12B", "temperature 0.6", "monkeys curve c.csv"):
        assert shown in ended.out
    curve = json.loads(monkeys("curve", "c.csv", "--json", cwd=tmp_path).out)
    assert curve["curve"][0] == {
        "k": 1,
        "coverage": 1 / 3,
        **{side: curve["curve"][0][side] for side in ("low", "high")},
    }
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "MATH_Pythia-12B.json",
        "c.csv",
        "s.jsonl",
        "s.jsonl.provenance.json",
    ]


def test_import_prints_what_is_known_as_json(tmp_path: Path) -> None:
    tools.inspect_eval(tmp_path / "log.eval")
    ended = monkeys("import", "log.eval", "-o", "s.jsonl", "--ids", "gsm8k/{id}", "--json", cwd=tmp_path)
    document = json.loads(ended.out)
    assert (document["format"], document["samples"], document["left_out"]) == ("inspect_ai", 4, 1)
    assert document["provenance"]["model"] == "openai/gpt-4o-mini"


def test_import_reports_what_was_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, output = tools.inspect_eval(tmp_path / "log.eval"), tmp_path / "s.jsonl"
    run_import([log], output=output, counts=None, format_="auto", verdict=None, ids=None, as_json=False)
    shown = capsys.readouterr().out
    assert "1 samples skipped: the tool failed to draw them" in shown
    assert "indices had gaps in 1 of 2 problems" in shown


def test_files_that_cannot_be_imported_are_reported_in_one_line(tmp_path: Path) -> None:
    tools.lines(tmp_path / "s.jsonl", [{"task_id": "a", "completion": 1}])
    ended = monkeys("import", "s.jsonl", "-o", "o.jsonl", "--counts", "c.csv", cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("monkeys: s.jsonl, line 1: completion: input should be a valid string;")
    assert len(ended.err.splitlines()) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["s.jsonl"]


@pytest.mark.parametrize(
    ("name", "format_", "output", "message"),
    [
        ("s.jsonl", "auto", None, "import: give --output"),
        ("s.jsonl", "x", "o.jsonl", "format: 'x' is not one of auto, llmonk, monkey_business"),
        ("none.jsonl", "auto", "o.jsonl", "none.jsonl: does not exist"),
    ],
)
def test_wrong_options_are_reported_in_one_line(
    tmp_path: Path, name: str, format_: str, output: str | None, message: str
) -> None:
    tools.lines(tmp_path / "s.jsonl", tools.PLAIN)
    target = None if output is None else tmp_path / output
    with pytest.raises(UserError, match=message):
        run_import(
            [tmp_path / name], output=target, counts=None, format_=format_, verdict=None, ids=None, as_json=False
        )
