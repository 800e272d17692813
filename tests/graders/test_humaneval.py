"""HumanEval's rule: right where upstream's is, and beyond the reach of the sample."""

import gzip
import json
import re
from pathlib import Path

import pytest

from sandboxes import Limits, Sandbox, Status
from tasks.datasets.humaneval import HumanEvalDataset
from tasks.graders import Grader
from tasks.graders.base.requirements import require_check
from tasks.graders.humaneval import HumanEvalGrader
from tasks.records import FunctionCheck, GradedSample, Problem, Sample, Verdict

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "humaneval"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is absent")

PROMPT = 'def double(x: int) -> int:\n    """ Twice x. """\n'
CHECK = """
def check(candidate):
    assert candidate(1) == 2
    assert candidate(21) == 42, "second"
    assert candidate(10**30) == 2 * 10**30
"""
DOUBLE = Problem("double", PROMPT, FunctionCheck("double", CHECK))


def grade(sandbox: Sandbox, *completions: str, problem: Problem = DOUBLE) -> list[GradedSample]:
    pairs = [(problem, Sample(problem.id, index, text)) for index, text in enumerate(completions)]
    return sorted(HumanEvalGrader().grade(pairs, sandbox), key=lambda graded: graded.index)


def test_it_is_a_grader() -> None:
    grader: Grader = HumanEvalGrader()
    assert (grader.name, grader.version, grader.runs_code) == ("humaneval", 3, True)


def test_each_verdict(sandbox: Sandbox) -> None:
    completions = {
        "    return 2 * x\n": (Verdict.CORRECT, ""),
        "    return x + 1\n": (Verdict.WRONG, "line 4 AssertionError: second"),
        "    return 1 // 0\n": (Verdict.ERROR, "line 3 ZeroDivisionError: integer division or modulo by zero"),
        "    return undefined\n": (Verdict.ERROR, "line 3 NameError: name 'undefined' is not defined"),
        "    return (\n": (Verdict.ERROR, "SyntaxError: '(' was never closed"),
        "    while True: pass\n": (Verdict.TIME_LIMIT, None),
        "    return bytearray(1 << 30)\n": (Verdict.MEMORY_LIMIT, "more than 256 MB of memory"),
        "    while True: print('x' * 100000)\n": (Verdict.OUTPUT_LIMIT, "more than 4194304 bytes on stdout"),
        "    pass\n\nx = bytearray(1 << 30)\n": (Verdict.MEMORY_LIMIT, "more than 256 MB of memory"),
        "": (Verdict.WRONG, "line 3 AssertionError: "),
    }
    for graded, (verdict, detail) in zip(grade(sandbox, *completions), completions.values(), strict=True):
        assert graded.verdict is verdict, graded
        assert detail is None or graded.detail == detail


@pytest.mark.parametrize("head", ["def double(x):\n    ", "def double(x):\n", "import math\n\ndef double(x):"])
def test_a_prompt_without_a_docstring_does_not_count_against_the_sample(sandbox: Sandbox, head: str) -> None:
    problem = Problem("double", head, FunctionCheck("double", CHECK))
    body = " return 2 * x" if head.endswith(":") else "return 2 * x" if head.endswith(" ") else "    return 2 * x"
    right, wrong = grade(sandbox, body, body.replace("2", "3"), problem=problem)
    assert (right.verdict, wrong.verdict) == (Verdict.CORRECT, Verdict.WRONG)


@needs_data
def test_every_canonical_solution_is_correct(sandbox: Sandbox) -> None:
    problems = {p.id: p for p in HumanEvalDataset(path=str(DATA / "HumanEval.jsonl.gz")).load()}
    with gzip.open(DATA / "HumanEval.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    # The spawned form takes ten times as long: a part is enough.
    rows = rows if sandbox.name == "bubblewrap" else rows[::8]
    pairs = [(problems[row["task_id"]], Sample(row["task_id"], 0, row["canonical_solution"])) for row in rows]
    graded_samples = list(HumanEvalGrader().grade(pairs, sandbox))
    assert [graded for graded in graded_samples if graded.verdict is not Verdict.CORRECT] == []
    assert len(graded_samples) == len(rows) > 20


_UPSTREAM = """\
import os
exec(compile({program!r}, "main.py", "exec"), {{}})
os.write(1, b"ran to its end")
"""


@needs_data
@pytest.mark.slow
def test_real_samples_are_graded_as_upstream_does(sandbox: Sandbox) -> None:
    """Upstream runs prompt, completion and test as one program; honest samples cannot tell the difference."""
    if sandbox.name != "bubblewrap":
        pytest.skip("once is enough: the spawned form takes ten times as long")
    by_name = {
        require_check(p, FunctionCheck).entry_point: p
        for p in HumanEvalDataset(path=str(DATA / "HumanEval.jsonl.gz")).load()
    }
    with gzip.open(DATA / "codegen16b_t0.8_n100_first50.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    pairs = [
        (by_name[re.findall(r"def (\w+)", row["prompt"])[-1]], index, text)
        for row in rows[::2]
        for index, text in enumerate(row["samples"][:5])
    ]
    ours = {
        (j.problem_id, j.index): j.verdict is Verdict.CORRECT
        for j in HumanEvalGrader().grade([(p, Sample(p.id, index, text)) for p, index, text in pairs], sandbox)
    }
    theirs = {}
    for problem, index, text in pairs:
        test = require_check(problem, FunctionCheck)
        program = f"{problem.question}{text}\n{test.code}\ncheck({test.entry_point})"
        outcome = sandbox.run(_UPSTREAM.format(program=program), b"", Limits())
        assert outcome.status is not Status.INFRASTRUCTURE
        theirs[problem.id, index] = b"ran to its end" in outcome.stdout
    assert ours == theirs
    assert 3 < sum(ours.values()) < len(ours) - 5


FORGERIES = {
    "leaving in the call": "    import os; os._exit(0)\n",
    "leaving before the call": "    return x\n\nimport os; os._exit(0)\n",
    "leaving politely": "    raise SystemExit(0)\n",
    "equal to everything": """
    class Equal:
        def __eq__(self, other): return True
        def __ne__(self, other): return False
        __hash__ = None
    return Equal()
""",
    "an integer equal to everything": """
    class Equal(int):
        def __eq__(self, other): return True
        def __format__(self, spec): return "2a"
        __hash__ = int.__hash__
    return Equal(5)
""",
    "another check": "    return 0\n\ndef check(candidate): pass\n",
    "printing the verdict": "    return 0\n\nprint('passed', flush=True)\n",
    "the verdict on every descriptor": """
    import os
    for fd in range(64):
        try: os.write(fd, b'passed')
        except OSError: pass
    return 0
""",
    "a patched assertion": "    return 0\n\nimport builtins\nbuiltins.AssertionError = ValueError\n",
    "a patched remote": "    return 0\n\nimport remote\nremote.Link.ask = lambda *a: 2\nremote.Test.say = None\n",
    "walking the frames": """
    import sys
    frame = sys._getframe()
    while frame:
        for name in list(frame.f_globals):
            if name in ("said", "verdict", "check"): frame.f_globals[name] = "passed"
        frame = frame.f_back
    return 0
""",
    "other processes' memory": """
    import os
    for pid in os.listdir("/proc"):
        if pid.isdigit() and pid != os.readlink("/proc/self"):
            for name in ("fd/1", "fd/0", "mem"):
                try:
                    with open(f"/proc/{pid}/{name}", "wb", buffering=0) as file: file.write(b"passed")
                except OSError: pass
    return 0
""",
    "killing its checker": """
    import os
    for pid in range(1, 500):
        if pid != os.getpid():
            try: os.kill(pid, 9)
            except OSError: pass
    return 0
""",
    "a frame for every call to come": """
    import os, remote
    reply = []
    remote.encode(2, reply, remote.Exchange(remote.Link()))
    frame = remote._FRAME.pack(sum(map(len, reply)), remote.RETURNED, 0) + b"".join(reply)
    os.write(3, frame * 3)
    os._exit(0)
""",
    "nonsense in place of an answer": "    import os\n    os.write(3, b'\\xff' * 100)\n    return 0\n",
    "an endless answer": """
    import os
    os.write(3, b"\\0\\0\\0\\1\\0\\0\\0\\0")
    while True: os.write(3, b"l" * 65536)
""",
    "an answer nested too deep": "    y = []\n    for _ in range(500000): y = [y]\n    return y\n",
    "an answer too large": "    return [0] * 10**7\n",
    "an exception that is not an Error": "    raise GeneratorExit\n",
    "an exception named like the end": """
    class PeerClosedError(Exception): pass
    raise PeerClosedError('passed')
""",
    "a child that lives on": """
    import os, time
    if os.fork(): os._exit(0)
    while True: time.sleep(1)
""",
    "hanging up": "    import os\n    os.close(3)\n    while True: pass\n",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_verdict_cannot_be_forged(sandbox: Sandbox, name: str) -> None:
    forged, honest = grade(sandbox, FORGERIES[name], "    return 2 * x\n")
    assert forged.verdict in {Verdict.WRONG, Verdict.ERROR, Verdict.TIME_LIMIT, Verdict.MEMORY_LIMIT}, forged
    assert honest.verdict is Verdict.CORRECT


def test_a_test_may_print_and_call_by_name(sandbox: Sandbox) -> None:
    code = "def check(candidate):\n    print('passed')\n    assert double(2) == 4 == candidate(2), 'x'\n"
    problem = Problem("named", PROMPT, FunctionCheck("double", code))
    right, wrong = grade(sandbox, "    print('failed'); return 2 * x\n", "    return 3 * x\n", problem=problem)
    assert (right.verdict, wrong.verdict) == (Verdict.CORRECT, Verdict.WRONG)


def test_helpers_of_the_prompt_are_the_prompts_own(sandbox: Sandbox) -> None:
    prompt = "def half(x):\n    return x / 2\n\ndef double(x):\n    ''' Twice x. '''\n"
    code = "def check(candidate):\n    assert half(candidate(8)) == 8\n"
    problem = Problem("helped", prompt, FunctionCheck("double", code))
    right, forged = grade(
        sandbox, "    return 4 * half(x)\n", "    return 0\n\ndef half(x):\n    return 8\n", problem=problem
    )
    assert (right.verdict, forged.verdict) == (Verdict.CORRECT, Verdict.WRONG)


def test_values_keep_their_types(sandbox: Sandbox) -> None:
    code = """
inf = float("inf")
def check(candidate):
    for value in (
        None, True, 0, -(10**5000), 1.5, inf, 2j, "a\\ud800ß", b"\\0", [], [1, [2]], (), (1,), {1}, {"a": (1,)},
        frozenset({2}), {None: {1: 2}}, bytearray(b"x"),
    ):
        got = candidate(value)
        assert got == value and type(got) is type(value), value
    nan = candidate(inf - inf)
    assert nan != nan
"""
    problem = Problem("same", "def same(x):\n    ''' x '''\n", FunctionCheck("same", code))
    (graded,) = grade(sandbox, "    return x\n", problem=problem)
    assert graded.verdict is Verdict.CORRECT, graded


def test_exceptions_of_python_arrive_as_themselves(sandbox: Sandbox) -> None:
    code = """
def check(candidate):
    for name in ("ValueError", "KeyError", "UnicodeDecodeError"):
        try:
            candidate(name)
        except (ValueError, KeyError) as error:
            assert name == type(error).__name__
        except Exception as error:
            assert name == "UnicodeDecodeError"
        else:
            assert False
"""
    prompt = "def fail(name):\n    ''' Raise it. '''\n"
    problem = Problem("fail", prompt, FunctionCheck("fail", code))
    completion = """
    if name == "UnicodeDecodeError":
        b"\\xff".decode()
    raise {"ValueError": ValueError, "KeyError": KeyError}[name]("x")
"""
    (graded,) = grade(sandbox, completion, problem=problem)
    assert graded.verdict is Verdict.CORRECT, graded


def test_a_problem_without_a_test_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="no function test"):
        list(HumanEvalGrader().grade([(Problem("p", ""), Sample("p", 0, "x"))], sandbox))
