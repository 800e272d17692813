from pathlib import Path

import pytest

from tasks.datasets.exclusions import read_exclusions, write_exclusions
from tasks.errors import UserError
from tasks.records import Problem

PROBLEMS = [Problem(name, "?") for name in ("1_A. Sum", "b", "c")]


@pytest.mark.parametrize("excluded", [{}, {"c": "flaky", "1_A. Sum": "rejects a right program: test 3"}])
def test_exclusions_that_are_written_are_read_back(tmp_path: Path, excluded: dict[str, str]) -> None:
    write_exclusions(tmp_path / "e.jsonl", excluded, [problem.id for problem in PROBLEMS])
    assert read_exclusions(str(tmp_path / "e.jsonl"), PROBLEMS) == excluded


def test_an_excluded_problem_that_is_unknown_is_named(tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").write_text('{"problem_id": "x"}\n')
    with pytest.raises(UserError, match=r"e.jsonl names problem 'x', which the dataset does not have"):
        read_exclusions(str(tmp_path / "e.jsonl"), PROBLEMS)


def test_the_error_about_an_absent_list_says_what_writes_one() -> None:
    with pytest.raises(
        UserError, match=r"exclude: none.jsonl: cannot be read .*; give a JSONL file that `monkeys audit"
    ):
        read_exclusions("none.jsonl", PROBLEMS)
