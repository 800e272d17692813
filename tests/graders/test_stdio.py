import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes import Limits, Outcome, Sandbox, Status
from tasks.graders import Grader
from tasks.graders.stdio import StdioGrader, first_fence, same_output
from tasks.records import GradedSample, Problem, Sample, StdioCheck, StdioTest, Verdict
from tests.sandboxes.wrapped import WrappedSandbox

TESTS = tuple(StdioTest(f"{a} {b}\n", f"{a + b}\n") for a, b in ((1, 2), (3, 4), (0, 0), (-5, 2)))
SUM = Problem("sum", "Print the sum.", StdioCheck(TESTS))
RIGHT = "a, b = map(int, input().split())\nprint(a + b)\n"


class Lost(WrappedSandbox):
    """Fails before it runs anything."""

    def run(self, program: str, stdin: bytes, limits: Limits) -> Outcome:
        return Outcome(Status.INFRASTRUCTURE, detail="the sandbox was lost")


def grade(sandbox: Sandbox, *programs: str, problem: Problem = SUM) -> list[GradedSample]:
    samples = [Sample(problem.id, index, textwrap.dedent(text)) for index, text in enumerate(programs)]
    graded_samples = list(StdioGrader().grade([(problem, sample) for sample in samples], sandbox))
    assert sorted(graded.index for graded in graded_samples) == list(range(len(programs)))
    return sorted(graded_samples, key=lambda graded: graded.index)


def test_it_is_a_grader() -> None:
    grader: Grader = StdioGrader()
    assert (grader.name, grader.version, grader.runs_code) == ("stdio", 3, True)


def test_each_verdict(sandbox: Sandbox) -> None:
    programs = {
        Verdict.CORRECT: RIGHT,
        Verdict.WRONG: "a, b = map(int, input().split())\nprint(a + b if a < 3 else 9)",
        Verdict.ERROR: "print(1 // 0)",
        Verdict.TIME_LIMIT: "while True: pass",
        Verdict.MEMORY_LIMIT: "x = bytearray(1 << 30)",
        Verdict.OUTPUT_LIMIT: "while True: print('x' * 1000)",
        Verdict.NO_ANSWER: " \n",
    }
    graded_samples = grade(sandbox, *programs.values())
    assert [graded.verdict for graded in graded_samples] == list(programs)
    details = {graded.verdict: graded.detail for graded in graded_samples}
    assert details[Verdict.CORRECT] == ""
    assert details[Verdict.WRONG] == "test 2 of 4: expected '7', got '9'"
    assert details[Verdict.ERROR].startswith("test 1 of 4: ZeroDivisionError")
    assert details[Verdict.TIME_LIMIT].endswith("limit 2 s")
    assert details[Verdict.MEMORY_LIMIT] == "test 1 of 4: more than 256 MB of memory"
    costs = {graded.verdict: graded.cpu_s for graded in graded_samples}
    assert costs[Verdict.TIME_LIMIT] >= 2 > costs[Verdict.CORRECT] > 0
    assert costs[Verdict.NO_ANSWER] == 0


def test_the_verdict_says_whether_the_public_tests_were_passed(sandbox: Sandbox) -> None:
    public = Problem("sum", "Print the sum.", StdioCheck(TESTS, public=2))
    programs = (
        RIGHT,
        "print(3)",
        "a, b = map(int, input().split())\nprint(a + b if a else 'no')",
        "1/0",
        "",
        "print(3)",
    )
    graded_samples = grade(sandbox, *programs, problem=public)
    assert [graded.passed for graded in graded_samples] == [True, False, True, False, False, False]
    assert [graded.verdict for graded in graded_samples[:3]] == [Verdict.CORRECT, Verdict.WRONG, Verdict.WRONG]
    (failed,) = StdioGrader().grade([(public, Sample("sum", 0, RIGHT))], Lost(sandbox))
    assert (failed.verdict, failed.passed) == (Verdict.INFRASTRUCTURE, None)


def test_whether_public_tests_were_passed_is_unknown_where_none_is_marked(sandbox: Sandbox) -> None:
    assert [graded.passed for graded in grade(sandbox, RIGHT, "print(3)", "")] == [None] * 3
    none = Problem("sum", "Print the sum.", StdioCheck(TESTS, public=0))
    assert [graded.passed for graded in grade(sandbox, RIGHT, "print(3)", "", problem=none)] == [True, True, False]


def test_the_problems_own_limits_go_first(sandbox: Sandbox) -> None:
    problem = Problem("slow", "", StdioCheck(TESTS[:1]), time_limit_s=0.3, memory_limit_mb=64)
    slow, large = grade(sandbox, "while True: pass", "x = bytearray(100 << 20)", problem=problem)
    assert slow.verdict is Verdict.TIME_LIMIT
    assert slow.detail.endswith("limit 0.3 s")
    assert large.verdict is Verdict.MEMORY_LIMIT


def test_the_right_output_and_then_a_failure_is_an_error(sandbox: Sandbox) -> None:
    (graded,) = grade(sandbox, RIGHT + "raise SystemExit(1)")
    assert graded.verdict is Verdict.ERROR


def test_fenced_programs_are_run(sandbox: Sandbox) -> None:
    (graded,) = grade(sandbox, f"Here it is:\n```python\n{RIGHT}```\nIt adds.")
    assert graded.verdict is Verdict.CORRECT


def test_programs_that_leave_early_do_not_pass(sandbox: Sandbox) -> None:
    for program in ("import os; os._exit(0)", "exit()", "quit()", "import sys; sys.exit(0)", "print('correct')"):
        (graded,) = grade(sandbox, program)
        assert graded.verdict is Verdict.WRONG


def test_equal_programs_share_a_verdict(sandbox: Sandbox) -> None:
    graded_samples = grade(sandbox, RIGHT, RIGHT, RIGHT)
    assert {graded.verdict for graded in graded_samples} == {Verdict.CORRECT}
    assert sum(graded.cpu_s > 0 for graded in graded_samples) == 1


def test_problems_do_not_mix(sandbox: Sandbox) -> None:
    product = Problem("product", "", StdioCheck((StdioTest("3 4", "12"),)))
    pairs = [(problem, Sample(problem.id, 0, RIGHT)) for problem in (SUM, product)]
    verdicts = {graded.problem_id: graded.verdict for graded in StdioGrader().grade(pairs, sandbox)}
    assert verdicts == {"sum": Verdict.CORRECT, "product": Verdict.WRONG}


def test_a_problem_without_tests_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="no tests on stdin and stdout"):
        list(StdioGrader().grade([(Problem("p", ""), Sample("p", 0, "x"))], sandbox))


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("print(1)", "print(1)"),
        ("```python\nprint(1)\n```", "print(1)\n"),
        ("```\nprint(1)\n```", "print(1)\n"),
        ("Text\n```py\nprint(1)\n```\nmore\n```python\nprint(2)\n```", "print(1)\n"),
        ("```python\nprint(1)\n", "print(1)\n"),
        ("x = '```'", "x = '```'"),
        ("```python\nx = '''\n a ``` b\n'''\n```", "x = '''\n a ``` b\n'''\n"),
        ("", ""),
    ],
)
def test_first_fence_is_the_program_if_asked_for(text: str, program: str) -> None:
    assert first_fence(text) == program


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        ("1 2\n3\n", "1 2\n3", True),
        ("1 2\n3\n", "1  2 \r\n3\n\n\n", True),
        ("1 2\n3\n", "1 2 3\n", False),
        ("1\n\n2", "1\n2", False),
        ("1.0", "1", False),
        ("Yes", "yes", False),
        ("", "\n", True),
        ("1", "", False),
    ],
)
def test_outputs_are_lines_of_tokens(expected: str, got: str, same: bool) -> None:
    assert same_output(expected, got) is same


@given(st.lists(st.lists(st.text("ab1.-", min_size=1), min_size=1)), st.lists(st.sampled_from([" ", "\t", "  "])))
def test_whitespace_between_tokens_never_matters(lines: list[list[str]], blanks: list[str]) -> None:
    blank = "".join(blanks) or " "
    plain = "\n".join(" ".join(line) for line in lines)
    spread = "\n".join(blank + blank.join(line) + blank for line in lines) + "\n\n"
    assert same_output(plain, spread)
    assert not same_output(plain, plain + "\nx")


def test_a_byte_that_is_not_utf_8_equals_no_character(sandbox: Sandbox) -> None:
    problem = Problem("p", "", StdioCheck((StdioTest("", "\ufffd"),)))
    pairs = [
        (problem, Sample("p", 0, "import sys; sys.stdout.buffer.write(b'\\xff')")),
        (problem, Sample("p", 1, "print('\\ufffd')")),
    ]
    verdicts = {graded.index: graded.verdict for graded in StdioGrader().grade(pairs, sandbox)}
    assert verdicts == {0: Verdict.WRONG, 1: Verdict.CORRECT}
