import gzip
import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tasks.datasets.humaneval import HumanEvalDataset
from tasks.errors import UserError
from tasks.graders.base.requirements import require_check
from tasks.prompts import render
from tasks.records import FunctionCheck

ROWS = [
    {
        "task_id": f"HumanEval/{number}",
        "prompt": f'def f{number}(x):\n    """{{x}} plus {number}"""\n',
        "entry_point": f"f{number}",
        "canonical_solution": f"    return x + {number}\n",
        "test": f"def check(candidate):\n    assert candidate(1) == {number + 1}\n",
    }
    for number in range(3)
]


def written(path: Path, rows: list[dict[str, str]]) -> HumanEvalDataset:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return HumanEvalDataset(path=str(path))


@pytest.mark.parametrize("name", ["HumanEval.jsonl", "HumanEval.jsonl.gz"])
def test_the_upstream_file_is_read(tmp_path: Path, name: str) -> None:
    problems = written(tmp_path / name, ROWS).load()
    assert [problem.id for problem in problems] == ["HumanEval/0", "HumanEval/1", "HumanEval/2"]
    check = require_check(problems[1], FunctionCheck)
    assert check.entry_point == "f1"
    assert "candidate(1) == 2" in check.code


def test_the_prompt_is_exactly_the_start_of_the_function(tmp_path: Path) -> None:
    dataset = written(tmp_path / "h.jsonl", ROWS)
    assert render(dataset.template, dataset.load()[2].question) == ROWS[2]["prompt"]


def test_a_missing_field_names_the_line(tmp_path: Path) -> None:
    broken = [ROWS[0], {name: text for name, text in ROWS[1].items() if name != "test"}]
    with pytest.raises(UserError, match="line 2: test: field required"):
        written(tmp_path / "h.jsonl", broken).load()


def test_broken_json_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "h.jsonl").write_text(json.dumps(ROWS[0]) + "\n{\n")
    with pytest.raises(UserError, match="line 2: broken JSON"):
        HumanEvalDataset(path=str(tmp_path / "h.jsonl")).load()


@pytest.mark.parametrize("name", ["none.jsonl", "torn.jsonl.gz"])
def test_an_unreadable_file_is_reported_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "torn.jsonl.gz").write_bytes(gzip.compress(b"{}" * 1000)[:20])
    with pytest.raises(UserError, match="cannot be read") as caught:
        HumanEvalDataset(path=str(tmp_path / name)).load()
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(find_spec("datasets") is not None, reason="the hub extra is installed, and may reach the hub")
def test_without_a_file_and_the_hub_the_error_says_what_to_do() -> None:
    with pytest.raises(UserError, match=r"set dataset.path to the test split of openai/openai_humaneval"):
        HumanEvalDataset().load()


def test_the_copy_on_the_hub_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library takes a folder of the hub's name in the working directory for the hub's dataset."""
    pytest.importorskip("datasets", reason="the hub extra is not installed")
    folder = tmp_path / "openai" / "openai_humaneval"
    folder.mkdir(parents=True)
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    monkeypatch.chdir(tmp_path)
    assert HumanEvalDataset().load() == written(tmp_path / "h.jsonl", ROWS).load()
