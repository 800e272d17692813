"""Functions that a sample defines alone: MBPP's."""

import pytest

from sandboxes import Sandbox
from tasks.datasets.mbpp import MbppDataset
from tasks.errors import UserError
from tasks.graders.functions import FunctionsGrader, code_in
from tasks.records import FunctionCheck, Problem, Sample, Verdict
from tests.datasets.files import written
from tests.datasets.test_mbpp import row

GRADER = FunctionsGrader()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("def f(): pass", "def f(): pass"),
        ("def f(): pass\n[DONE]\nmore", "def f(): pass\n"),
        ("[BEGIN]\ndef f(): pass\n[DONE]", "\ndef f(): pass\n"),
        ("Sure:\n```python\ndef f(): pass\n```\n[DONE]", "def f(): pass\n"),
    ],
)
def test_the_code_is_found_between_marks_and_fences(text: str, code: str) -> None:
    assert code_in(text, "last_complete") == code


def test_mbpps_assertions_grade(sandbox: Sandbox, tmp_path) -> None:
    lines = [row(2), row(3), row(4), row(11, test_setup_code="import math")]
    lines[-1]["test_list"] += ["assert math.isclose(add(0.5), 11.5)", 'assert add(0) == len("""12345678\n90""")']
    dataset = MbppDataset(path=written(tmp_path / "mbpp.jsonl", lines))
    (problem,) = dataset.load()
    texts = {
        lines[-1]["code"]: Verdict.CORRECT,
        "```python\ndef add(x):\n    return 11 + x\n```": Verdict.CORRECT,
        "def add(x):\n    return x + 12": Verdict.WRONG,
        "def add(x):\n    return x +": Verdict.ERROR,
        "def sub(x):\n    return x": Verdict.ERROR,
        "import os\nos._exit(0)": Verdict.ERROR,
        "class Any:\n    __eq__ = lambda *a: True\ndef add(x):\n    return Any()": Verdict.WRONG,
        "  \n": Verdict.NO_ANSWER,
    }
    pairs = [(problem, Sample(problem.id, index, text)) for index, text in enumerate(texts)]
    verdicts = {each.index: each.verdict for each in GRADER.grade(pairs, sandbox)}
    assert [verdicts[index] for index in range(len(texts))] == list(texts.values())


def test_a_problem_without_a_test_is_named_before_any_work() -> None:
    good = Problem("good", "", FunctionCheck("f", "def check(candidate): pass"))
    with pytest.raises(UserError, match="cannot grade problem 'bare': it has no function test"):
        GRADER.check([good, Problem("bare", "")])
    for code, fault in (
        ("def test(f): pass", "defines no check"),
        ("def check(f:\n", "is not valid Python"),
        ("", "defines no"),
    ):
        with pytest.raises(UserError, match=f"cannot grade problem 'bad': its function test {fault}"):
            GRADER.check([good, Problem("bad", "", FunctionCheck("f", code))])
    for code in ("check = print", "from tests import *", "from tests import run as check"):
        GRADER.check([Problem("good", "", FunctionCheck("f", code))])
