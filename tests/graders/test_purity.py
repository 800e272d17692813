"""Tests that one process may run for many samples: which they are, and that no sample's verdict is another's."""

import gzip
import json
import random
from pathlib import Path

import pytest

from sandboxes import Sandbox
from tasks.graders.base.purity import is_pure
from tasks.graders.humaneval import HumanEvalGrader
from tasks.records import FunctionCheck, Problem, Sample, Verdict

HUMANEVAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "humaneval" / "HumanEval.jsonl.gz"


@pytest.mark.parametrize(
    "text",
    [
        "def check(candidate):\n    assert candidate(1) == 2",
        "METADATA = {'author': 'x'}\ndef check(c):\n    for x in range(9):\n        assert abs(c(x) - x) < 1e-6, 'no'",
        "import math\nfrom typing import List as L\ndef check(c):\n    assert math.isclose(c([1]), math.pi)",
        "from collections import Counter\ndef check(c):\n    assert Counter(c()) == {}",
        "def check(c):\n    try:\n        f(1)\n    except ValueError as error:\n        assert str(error).strip()",
        "class A:\n    def b(self): return 1\ndef check(c):\n    global seen\n    seen = [n for n in map(c, 'ab')]",
        "",
    ],
)
def test_harmless(text: str) -> None:
    assert is_pure(text, "f")


@pytest.mark.parametrize(
    "text",
    [
        "import random\ndef check(c): assert c(random.random())",
        "from random import randint",
        "import os",
        "import sys\nsys.setrecursionlimit(99)",
        "import numpy as np",
        "from . import math",
        "from math import *",
        "from copy import _deepcopy_dispatch as d",
        "import decimal\ndecimal.getcontext().prec = 3",
        "import math\nmath.pi = 3",
        "import math\ndel math.pi",
        "import math\nmath.__dict__['pi'] = 3",
        "import math\nvars(math)['pi'] = 3",
        "import math\nsetattr(math, 'pi', 3)",
        "import math\nfor math.pi in [3]: pass",
        "import math\nwith c() as math.pi: pass",
        "import math\n(math.pi, x) = 3, 4",
        "math.pi = 3",
        "(lambda: 0).__globals__['x'] = 1",
        "__builtins__['x'] = 1",
        "x = __import__('os')",
        "exec('import os')",
        "x = eval('1')",
        "x = open('/tmp/x')",
        "x = input()",
        "x = id(3)",
        "x = hash(object())",
        "x = getattr(f, 'a')",
        "open = 3",
        "def g(exec): pass\nexec('1')",
        "import math as vars",
        "unknown(1)",
        "async def check(c): pass",
        "def check(c):",
        "x = '\0",
        "-" * 100_000 + "1",
    ],
)
def test_not_known_to_be_harmless(text: str) -> None:
    assert not is_pure(text, "f")


@pytest.mark.skipif(not HUMANEVAL.exists(), reason=f"{HUMANEVAL} is absent")
def test_humanevals() -> None:
    """All but the four that draw random numbers."""
    with gzip.open(HUMANEVAL, "rt") as file:
        rows = [json.loads(line) for line in file]
    others = {row["task_id"] for row in rows if not is_pure(row["prompt"] + "\n" + row["test"], row["entry_point"])}
    assert others == {f"HumanEval/{number}" for number in (32, 38, 50, 53)}


PROMPT = 'def double(x):\n    """ Twice x. """\n'
CHECK = """
seen = []
def check(candidate):
    assert candidate(1) == 2
    seen.append(1)
    assert len(seen) == 1, "a run before"
    assert candidate([[]] * 3) == [[]] * 6, "a list"
"""
FORGING = "    import os\n    os.write(3, {})\n    return 0\n"
COMPLETIONS = {
    "    return 2 * x\n": (Verdict.CORRECT, ""),
    "    return x + x\n": (Verdict.CORRECT, ""),
    "    return 2\n": (Verdict.WRONG, "line 7 AssertionError: a list"),
    "    return x\n": (Verdict.WRONG, "line 4 AssertionError: "),
    "    return 1 // 0\n": (Verdict.ERROR, "line 4 ZeroDivisionError: integer division or modulo by zero"),
    "    raise KeyboardInterrupt\n": (Verdict.ERROR, "KeyboardInterrupt"),
    "    return double(x)\n": (Verdict.ERROR, "line 4 RecursionError: maximum recursion depth exceeded"),
    "    import os\n    os._exit(0)\n": (Verdict.ERROR, None),
    "    while True: pass\n": (Verdict.TIME_LIMIT, None),
    "    return bytes(1 << 30)\n": (Verdict.MEMORY_LIMIT, None),
    "    return bytes(30 << 20)\n": (Verdict.WRONG, "line 4 AssertionError: "),
    "    return [[]] * 100_000\n": (Verdict.WRONG, "line 4 AssertionError: "),
    FORGING.format("b'forged'"): (Verdict.ERROR, None),
    FORGING.format("bytes(8)"): (Verdict.ERROR, None),
    "    return (\n": (Verdict.ERROR, "SyntaxError: '(' was never closed"),
}


@pytest.mark.parametrize("seed", range(2))
def test_no_verdict_depends_on_the_samples_before(sandbox: Sandbox, seed: int) -> None:
    if sandbox.name != "bubblewrap":
        pytest.skip("it keeps no process")
    assert is_pure(PROMPT + CHECK, "double")
    problem = Problem("double", PROMPT, FunctionCheck("double", CHECK), time_limit_s=1.0)
    chance = random.Random(seed)
    # Each is another text, or it would be run once; those that take long come once.
    texts = [*COMPLETIONS, *chance.choices([text for text in COMPLETIONS if "while" not in text], k=60)]
    chance.shuffle(texts)
    pairs = [(problem, Sample("double", index, f"{text}\n# {index}")) for index, text in enumerate(texts)]
    graded_samples = {graded.index: graded for graded in HumanEvalGrader().grade(pairs, sandbox)}
    for index, text in enumerate(texts):
        verdict, detail = COMPLETIONS[text]
        assert graded_samples[index].verdict is verdict, (text, graded_samples[index])
        assert detail is None or graded_samples[index].detail.startswith(detail), (text, graded_samples[index])
