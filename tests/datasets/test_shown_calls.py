"""Examples that a prompt shows: which calls, and what they return."""

from dataclasses import replace

import pytest

from tasks.datasets.humaneval import HumanEvalDataset
from tasks.datasets.mbpp import MbppDataset
from tasks.datasets.shown_calls import ShownCall, as_function_test, shown_calls
from tasks.records import FunctionCheck, Problem
from tasks.store.identity import problems_digest, public_tests_digest
from tests.datasets.files import written
from tests.datasets.test_mbpp import row

PROMPT = '''\
def helper(x):
    return x


def f(x, y=0):
    """Example f(other) is not one, nor is my_f(1).
    >>> f([1, 2])
    3
    >>> f("a)", y=2)
    'b'
    >>> print(f(7))
    7
    >>> f(4)
    For f(5) == 25, f(6) ➞ 36.
    f(8) should return [8, (9)]
    f(9) => True  # because
    f(10) returns the square of 10
    """
'''


def test_calls_with_literals_are_found_with_the_results_that_are_shown() -> None:
    assert shown_calls(PROMPT, "f") == (
        ShownCall("f([1, 2])", "3"),
        ShownCall("f('a)', y=2)", "'b'"),
        ShownCall("f(7)", "7"),
        ShownCall("f(4)", None),
        ShownCall("f(5)", None),
        ShownCall("f(6)", "36"),
        ShownCall("f(8)", "[8, (9)]"),
        ShownCall("f(9)", "True"),
        ShownCall("f(10)", None),
    )


def test_a_test_of_the_shown_results_passes_where_they_are_returned() -> None:
    space: dict[str, object] = {}
    exec(as_function_test(shown_calls(PROMPT, "f"), "f"), space)
    check = space["check"]
    assert callable(check)
    returns = {"[1, 2]": 3, "'a)'": "b", "7": 7, "6": 36, "8": [8, 9], "9": True}
    check(lambda x, y=0: returns[repr(x)])
    with pytest.raises(AssertionError):
        check(lambda x, y=0: None)
    exec(as_function_test((), "f"), space)
    assert callable(space["check"])
    space["check"](None)


def test_humaneval_states_the_examples_of_its_prompt_as_public(tmp_path) -> None:
    rows = [
        {"task_id": name, "prompt": PROMPT, "entry_point": "f", "test": "def check(candidate): pass"}
        for name in ("HumanEval/0", "HumanEval/47")
    ]
    first, contradicted = HumanEvalDataset(path=written(tmp_path / "h.jsonl", rows)).load()
    assert isinstance(first.check, FunctionCheck)
    assert isinstance(contradicted.check, FunctionCheck)
    assert first.check.calls == contradicted.check.calls == tuple(each.call for each in shown_calls(PROMPT, "f"))
    assert "candidate([1, 2]) == 3" in (first.check.public or "")
    assert "==" not in (contradicted.check.public or ""), "its example contradicts its test"


def test_mbpps_question_shows_all_assertions(tmp_path) -> None:
    rows = [row(2), row(3), row(4), row(11)]
    (problem,) = MbppDataset(path=written(tmp_path / "mbpp.jsonl", rows)).load()
    assert isinstance(problem.check, FunctionCheck)
    assert problem.check.public == problem.check.code
    assert problem.check.calls
    assert all(each in problem.question for each in problem.check.calls)


def test_sets_keep_their_names_when_examples_are_known() -> None:
    plain = Problem("p", "", FunctionCheck("f", "test"))
    shown = replace(plain, check=FunctionCheck("f", "test", "public", ("f(1)",)))
    assert problems_digest([plain]) == problems_digest([shown])
    assert public_tests_digest([shown]) is None
