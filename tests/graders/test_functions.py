"""Functions that a sample defines alone: MBPP's, and any other function test."""

import pytest

from sandboxes import Sandbox
from tasks.datasets.mbpp import MbppDataset
from tasks.errors import UserError
from tasks.graders.functions import FunctionsGrader, code_in
from tasks.records import FunctionCheck, GradedSample, Problem, Sample, Verdict
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
        "class Any:\n    __eq__ = lambda *a: True\ndef add(x):\n    return Any()": Verdict.ERROR,
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


def grade(sandbox: Sandbox, source: str, test: str, entry_point: str = "f") -> GradedSample:
    problem = Problem("p", "", FunctionCheck(entry_point, test), time_limit_s=1.0)
    (graded,) = GRADER.grade([(problem, Sample("p", 0, source))], sandbox)
    return graded


CATCHING = """
def check(candidate):
    for _ in range(2):
        try:
            candidate(-1)
        except {}:
            {}
        {}
"""
CATCHES = {
    "any exception": CATCHING.format("Exception", "return", "assert False"),
    "everything": CATCHING.format("BaseException", "return", "assert False"),
    "everything, by leaving a block": CATCHING.format("ValueError", "pass", "finally:\n            return"),
}
DEATHS = {
    "an endless loop": ("while True: pass", Verdict.TIME_LIMIT),
    "leaving with 1": ("import os; os._exit(1)", Verdict.ERROR),
    "leaving with 0": ("import os; os._exit(0)", Verdict.ERROR),
    "sys.exit": ("import sys; sys.exit(0)", Verdict.ERROR),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", Verdict.ERROR),
    "GeneratorExit": ("raise GeneratorExit", Verdict.ERROR),
    "an exception of no known kind": ("raise type('Mine', (BaseException,), {})", Verdict.ERROR),
    "a crash": ("import ctypes; ctypes.string_at(0)", Verdict.ERROR),
    "a signal": ("import os; os.abort()", Verdict.ERROR),
    "closing the connection": ("import os; os.close(3); import time; time.sleep(0.1)", Verdict.ERROR),
    "nonsense for an answer": ("import os; os.write(3, b'x' * 100)", Verdict.ERROR),
    "an output flood": ("while True: print('x' * 100_000)", Verdict.OUTPUT_LIMIT),
    "an output flood that it catches": (
        "\n    try:\n        while True: print('x' * 100_000)\n    except OSError: raise ValueError",
        Verdict.OUTPUT_LIMIT,
    ),
    "more memory than there is": ("return bytearray(1 << 40)", Verdict.MEMORY_LIMIT),
    "an answer that does not fit": ("return [0] * 10**8", Verdict.MEMORY_LIMIT),
    "an answer that is too large": ("return bytes(100 << 20)", Verdict.ERROR),
    "an answer too deep": ("y = []\n    for _ in range(500_000): y = [y]\n    return y", Verdict.ERROR),
}


@pytest.mark.parametrize(
    ("name", "caught"),
    [
        *((name, "everything, by leaving a block") for name in DEATHS),
        *(("leaving with 1", caught) for caught in CATCHES),
        ("an endless loop", "any exception"),
    ],
)
def test_no_test_can_catch_the_end_of_the_sample(sandbox: Sandbox, name: str, caught: str) -> None:
    statements, verdict = DEATHS[name]
    graded = grade(sandbox, f"def f(x):\n    {statements}\n", CATCHES[caught])
    assert graded.verdict is verdict, graded


@pytest.mark.parametrize("caught", CATCHES)
def test_a_test_can_catch_what_the_function_raises(sandbox: Sandbox, caught: str) -> None:
    assert grade(sandbox, "def f(x): raise ValueError", CATCHES[caught]).verdict is Verdict.CORRECT


@pytest.mark.parametrize("source", ["1 / 0", "def f(x): return", "import os; os._exit(0)"])
def test_a_sample_that_cannot_be_loaded_fails_a_test_that_calls_nothing(sandbox: Sandbox, source: str) -> None:
    verdict = Verdict.CORRECT if source.startswith("def") else Verdict.ERROR
    assert grade(sandbox, source, "def check(candidate): pass").verdict is verdict


AT_EXIT = "import atexit, sys\natexit.register(lambda: 1 / 0)\nsys.stdout.close()\ndef f(x): return x\n"


def test_how_a_sample_ends_after_the_test_does_not_count(sandbox: Sandbox) -> None:
    assert grade(sandbox, AT_EXIT, "def check(f): assert f(1) == 1").verdict is Verdict.CORRECT
    assert grade(sandbox, AT_EXIT, "def check(f): assert f(1) == 2").verdict is Verdict.WRONG


MODULES = {
    "a dataclass with a string annotation": (
        "from dataclasses import dataclass\n@dataclass\nclass N:\n    v: int\n    left: 'N' = None\n"
        "def f(): return N(1, N(2)).left.v == 2"
    ),
    "postponed annotations": (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass N:\n    v: int\n"
        "    left: N | None = None\ndef f(): return N(1, N(2)).left.v == 2"
    ),
    "type hints": (
        "import typing\nclass A:\n    x: 'B'\nclass B: pass\ndef f(): return typing.get_type_hints(A) == {'x': B}"
    ),
    "pickling its own class": (
        "import pickle\nclass A:\n    def __eq__(self, other): return type(other) is A\n"
        "def f(): return pickle.loads(pickle.dumps([A(), A])) == [A(), A]"
    ),
    "copying an enumeration": (
        "import copy, enum, pickle\nclass E(enum.Enum):\n    A = 1\n"
        "def f(): return copy.deepcopy(E.A) is E.A is pickle.loads(pickle.dumps(E.A))"
    ),
    "a pool of processes": (
        "from multiprocessing import Pool\ndef g(x): return x * x\ndef f():\n"
        "    with Pool(2) as pool: return pool.map(g, [1, 2, 3]) == [1, 4, 9]"
    ),
    "a pool of futures": (
        "from concurrent.futures import ProcessPoolExecutor as P\ndef g(x): return x * x\ndef f():\n"
        "    with P(2) as pool: return list(pool.map(g, [1, 2])) == [1, 4]"
    ),
    "sys.modules": "import sys\ny = 5\ndef f(): return vars(sys.modules[__name__]) is globals()",
    "importing itself": "y = 5\ndef f(): return __import__(__name__).y == 5",
    "the module of a function": "import inspect, sys\ndef f(): return inspect.getmodule(f) is sys.modules[__name__]",
    "no script": "def f(): return True\nif __name__ == '__main__':\n    1 / 0",
}


@pytest.mark.parametrize("name", MODULES)
def test_a_sample_is_the_module_that_it_thinks_it_is(sandbox: Sandbox, name: str) -> None:
    graded = grade(sandbox, MODULES[name], "def check(f): assert f() is True")
    assert graded.verdict is Verdict.CORRECT, graded


def test_a_test_is_the_module_that_it_thinks_it_is(sandbox: Sandbox) -> None:
    test = MODULES["a dataclass with a string annotation"].replace("def f()", "def mine()")
    graded = grade(sandbox, "def f(): return True", f"{test}\ndef check(f): assert f() is mine()")
    assert graded.verdict is Verdict.CORRECT, graded


# Every name that the code around a test or a sample has ever used, and some that it might.
NAMES = (
    *(
        "check",
        "candidate",
        "remote",
        "_remote",
        "program",
        "begin",
        "finish",
        "serve",
        "Function",
        "_os",
        "_sys",
        "os",
    ),
    *("sys", "_verdict", "_candidate", "_above_test", "_said", "_error", "_line", "link", "test", "_test"),
)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_ours_collides_with_one_of_theirs(sandbox: Sandbox, name: str) -> None:
    """As the function's, as a global of the sample, and as a global of the test."""
    test = (
        f"def check(candidate):\n    exec(compile('assert {name}(2) == 4 == {name}(2)', 'test.py', 'exec'), globals())"
    )
    graded = grade(sandbox, f"def {name}(n): return 2 * n", test, name)
    assert graded.verdict is Verdict.CORRECT, graded
    assert grade(sandbox, f"def {name}(n): return 3 * n", test, name).verdict is Verdict.WRONG
    test = "" if name == "check" else f"{name} = 5\n"
    test += "def check(given):\n    assert given(2) == 7" + (f" and {name} == 5" if name != "check" else "")
    graded = grade(sandbox, f"{name} = 5\ndef f(n): return {name} + n", test)
    assert graded.verdict is Verdict.CORRECT, graded


def test_mbpps_functions_that_are_called_check_can_pass(sandbox: Sandbox, tmp_path) -> None:
    """Tasks 56 and 349."""
    code = "def check(n): return 2 * int(str(n)[::-1]) == n + 1"
    lines = [
        row(2),
        row(3),
        row(4),
        row(56, code=code, test_list=["assert check(73) == True", "assert check(70) == False"]),
    ]
    (problem,) = MbppDataset(path=written(tmp_path / "mbpp.jsonl", lines)).load()
    texts = [code, "def check(n): return True"]
    graded = GRADER.grade([(problem, Sample(problem.id, index, text)) for index, text in enumerate(texts)], sandbox)
    assert {each.index: each.verdict for each in graded} == {0: Verdict.CORRECT, 1: Verdict.WRONG}


def test_a_test_may_begin_with_postponed_annotations(sandbox: Sandbox) -> None:
    test = '"""A test."""\nfrom __future__ import annotations\ndef check(f: Unknown): assert f(1) == 1, "one"'
    assert grade(sandbox, "def f(x): return x", test).verdict is Verdict.CORRECT
    assert grade(sandbox, "def f(x): return 2", test).detail == "line 3 AssertionError: one"


def test_memory_used_up_to_the_last_byte_is_the_memory_limit(sandbox: Sandbox) -> None:
    """So that not even a small integer can be made while the exception is handled."""
    problem = Problem("p", "", FunctionCheck("f", CATCHES["everything"]), time_limit_s=30.0, memory_limit_mb=64)
    source = "def f(x):\n    xs = []\n    n = 1000\n    while True:\n        xs.append(n)\n        n += 1\n"
    (graded,) = GRADER.grade([(problem, Sample("p", 0, source))], sandbox)
    assert graded.verdict is Verdict.MEMORY_LIMIT, graded
