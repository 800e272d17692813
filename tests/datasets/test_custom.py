from pathlib import Path

import pytest

from tasks.datasets.custom import CustomDataset
from tasks.errors import UserError
from tasks.prompts import prompt, template
from tasks.records import AnswerCheck, FunctionCheck, StdioCheck, StdioTest
from tests.datasets.files import Rows, written

ANSWER = {"id": "a", "question": "1 + 1?", "answer": "2", "solutions": ["#### 2"]}
TESTS = {
    "id": "t",
    "question": "Add.",
    "tests": [{"input": "1 2", "output": "3"}],
    "time_limit_s": 2.5,
    "memory_limit_mb": 64,
}
FUNCTION = {"id": "f", "question": "Twice.", "function": {"entry_point": "f", "test": "def check(candidate): pass"}}


def own(folder: Path, rows: Rows, **fields: str) -> CustomDataset:
    return CustomDataset(path=written(folder / "own.jsonl", rows), **fields)


def test_the_fields_of_a_row_decide_the_grader(tmp_path: Path) -> None:
    (answer,) = own(tmp_path, [ANSWER]).load()
    assert answer.check == AnswerCheck("2")
    assert own(tmp_path, [ANSWER]).grader == "final_answer"
    (tests,) = own(tmp_path, [TESTS]).load()
    assert (tests.check, tests.time_limit_s, tests.memory_limit_mb) == (StdioCheck((StdioTest("1 2", "3"),)), 2.5, 64)
    assert own(tmp_path, [TESTS]).grader == "stdio"
    (function,) = own(tmp_path, [FUNCTION]).load()
    assert function.check == FunctionCheck("f", "def check(candidate): pass")
    assert own(tmp_path, [FUNCTION]).grader == "functions"


def test_public_tests_come_first_and_are_counted(tmp_path: Path) -> None:
    tests = [{"input": "1", "output": "1"}, {"input": "2", "output": "2", "public": True}]
    (problem,) = own(tmp_path, [{**TESTS, "tests": tests}]).load()
    assert problem.check == StdioCheck((StdioTest("2", "2"), StdioTest("1", "1")), public=1)


def test_a_folder_of_files_is_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b", "a"):
        written(tmp_path / f"{name}.jsonl", [{**ANSWER, "id": name}])
    (tmp_path / "notes.txt").write_text("no rows")
    assert [problem.id for problem in CustomDataset(path=str(tmp_path)).load()] == ["a", "b"]


def test_the_prompt_is_the_question_or_comes_from_a_template_file(tmp_path: Path) -> None:
    dataset = own(tmp_path, [ANSWER])
    assert prompt(dataset.template, dataset.load()[0]) == "1 + 1?"
    (tmp_path / "mine.txt").write_text("Reply to {question} {shots} with {x}:")
    mine = own(tmp_path, [ANSWER], template=str(tmp_path / "mine.txt"))
    assert prompt(mine.template, mine.load()[0]) == "Reply to 1 + 1?  with {x}:"


def test_a_template_with_a_byte_order_mark_and_crlf_is_read_as_its_text(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_bytes("Say: č\r\n{question}".encode("utf-8-sig"))
    mine = own(tmp_path, [ANSWER], template=str(tmp_path / "mine.txt"))
    assert prompt(mine.template, mine.load()[0]) == "Say: č\n1 + 1?"


@pytest.mark.parametrize("name", ["nosuch", "../own", "gsm8k.shot", ""])
def test_an_unknown_template_is_reported_in_one_line(name: str) -> None:
    with pytest.raises(
        UserError, match=r"dataset.template: .* is not one of arithmetic, .*question, .*nor a file"
    ) as caught:
        template(name)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("text", [None, "no field"])
def test_an_unusable_template_file_is_reported_in_one_line(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "t.txt").write_text(text)
    with pytest.raises(UserError, match=r"dataset.template: "):
        template(str(tmp_path / "t.txt"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [{"id": "a", "question": "?"}],
            "line 1: answer: a row has one of `answer`, `tests`, `function` and `theorem`",
        ),
        ([{**ANSWER, "tests": TESTS["tests"]}], "line 1: answer: a row has one of"),
        ([ANSWER, TESTS], "line 2: tests: the rows before have `answer`"),
        ([{**TESTS, "tests": []}], "line 1: tests: list should have at least 1 item"),
        ([{**TESTS, "tests": [{"input": "1"}]}], "line 1: tests.0.output: field required"),
        ([{**TESTS, "time_limit_s": 0.0}], "line 1: time_limit_s: input should be greater than 0"),
        ([{**FUNCTION, "function": {"entry_point": "f; import os", "test": ""}}], "line 1: function.entry_point: "),
        ([{**ANSWER, "answer": ""}], "line 1: answer: "),
        ([{"question": "?", "answer": "1"}], "line 1: id: field required"),
    ],
)
def test_a_malformed_row_is_named_by_line_and_field(tmp_path: Path, rows: Rows, message: str) -> None:
    with pytest.raises(UserError) as caught:
        own(tmp_path, rows).load()
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
