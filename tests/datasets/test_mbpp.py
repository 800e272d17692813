from pathlib import Path
from typing import Any

import pytest

from tasks.datasets.mbpp import MbppDataset
from tasks.errors import UserError
from tasks.graders.base.requirements import require_check
from tasks.prompts import prompt
from tasks.records import FunctionCheck
from tests.datasets.files import Rows, on_the_hub, written


def row(task_id: int, **more: Any) -> dict[str, Any]:
    return {
        "task_id": task_id,
        "text": f"Write a function to add {task_id}.",
        "code": f"def add(x):\n    return x + {task_id}",
        "test_list": [f"assert add(1) == {task_id + 1}", f"assert set([add(0)]) == {{{task_id}}}"],
        "test_setup_code": "",
        "challenge_test_list": [],
        **more,
    }


ROWS: Rows = [row(task_id) for task_id in (1, 2, 3, 4, 11, 12, 511, 601)]


def test_tasks_11_to_510_are_the_problems(tmp_path: Path) -> None:
    problems = MbppDataset(path=written(tmp_path / "mbpp.jsonl", ROWS)).load()
    assert [problem.id for problem in problems] == ["MBPP/11", "MBPP/12"]
    assert require_check(problems[0], FunctionCheck).entry_point == "add"


def test_the_prompt_is_exactly_that_of_austin_et_al(tmp_path: Path) -> None:
    dataset = MbppDataset(path=written(tmp_path / "mbpp.jsonl", ROWS), shots=1)
    ask = (
        "You are an expert Python programmer, and here is your task: Write a function to add {0}. Your code should pass"
        " these tests:\n\n"
    )
    assert prompt(dataset.template, dataset.load()[0]) == (
        ask.format(2)
        + "assert add(1) == 3\nassert set([add(0)]) == {2}\n[BEGIN]\ndef add(x):\n    return x + 2\n[DONE]\n\n"
        + ask.format(11)
        + "assert add(1) == 12\nassert set([add(0)]) == {11}\n[BEGIN]\n"
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[4:], "dataset.shots: .* lacks task 2, an example of the prompt"),
        (ROWS[:4], "has none of the test tasks, 11 to 510"),
        ([*ROWS[:4], row(11, code="x = 1")], "line 5: test_list: calls no function that `code` defines"),
        ([*ROWS[:4], row(11, test_list=["assert ("])], "line 5: test_list: is not valid Python"),
    ],
)
def test_a_malformed_row_is_named_by_line_and_field(tmp_path: Path, rows: Rows, message: str) -> None:
    with pytest.raises(UserError, match=message):
        MbppDataset(path=written(tmp_path / "mbpp.jsonl", rows)).load()


def test_without_a_network_the_error_asks_for_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets", reason="the hub extra is not installed")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"set dataset.path to all of mbpp.jsonl"):
        MbppDataset().load()


def test_the_copy_on_the_hub_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets", reason="the hub extra is not installed")
    # An empty list has no specific type in Parquet.
    rows = [{**each, "challenge_test_list": ["assert True"]} for each in ROWS]
    splits = {"prompt": rows[:4], "test": rows[4:6], "train": rows[6:]}
    on_the_hub(tmp_path, "google-research-datasets/mbpp", splits, ("full", "sanitized"))
    monkeypatch.chdir(tmp_path)
    assert MbppDataset().load() == MbppDataset(path=written(tmp_path / "f" / "mbpp.jsonl", ROWS)).load()
