"""The paper's rule for contest programs, compared with the other two."""

import pytest

from sandboxes import Sandbox
from tasks.errors import UserError
from tasks.graders import Grader
from tasks.graders.code_contests import CodeContestsGrader, extract_program, same_tokens
from tasks.graders.stdio import StdioGrader
from tasks.graders.stdio_exact import StdioExactGrader, same_text
from tasks.records import Problem, Sample, StdioCheck, StdioTest, Verdict

PAPER, LINES, EXACT = CodeContestsGrader(), StdioGrader(), StdioExactGrader()


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        ("YES\n", "yes", True),
        ("1 2\n3", "1\n2 3\n", True),
        ("1.0", "1", True),
        ("0.333333", "0.33333", True),
        ("0.333333", "0.3332", False),
        ("1.00001", "1.0", False),
        ("1e-3", "0.001", True),
        ("1000000", "1000000.000001", True),
        ("100000", "100001", False),
        ("007", "7", True),
        ("7", "seven", False),
        ("1 2", "1", False),
        ("nan", "1.0", False),
        ("inf", "Infinity", False),
        ("1_0", "10.0", False),
        ("9" * 5000, "9" * 4999 + "8", False),
        ("", "\n", True),
        ("x", "", False),
    ],
)
def test_tokens_are_compared_as_in_the_paper(expected: str, got: str, same: bool) -> None:
    assert same_tokens(expected, got) is same


def test_exact_is_exact_but_for_the_ends() -> None:
    assert same_text("1 2\n3\n", "1 2\n3")
    assert not same_text("1 2\n3", "1  2\n3")
    assert not same_text("1", " 1")


@pytest.mark.parametrize(
    ("text", "program"),
    [
        (" ```\nprint(1)\n``` more ```\nprint(2)\n```", "print(1)"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("```python3\nprint(1)\n```", "3\nprint(1)"),
        ("print(1)\n", "print(1)"),
        ("```\nprint(1)", "```\nprint(1)"),
        ("", ""),
    ],
)
def test_the_program_in_a_text(text: str, program: str) -> None:
    assert extract_program(text) == program


def test_the_three_rules_differ_as_they_say(sandbox: Sandbox) -> None:
    problem = Problem("p", "", StdioCheck((StdioTest("", "YES\n0.5\n"),)))
    programs = {
        "print('YES'); print(0.5)": (True, True, True),
        "print('YES '); print(0.5)": (True, True, False),
        "print('yes', 0.500001)": (True, False, False),
        "print('YES'); print(0.5); raise SystemExit(1)": (True, False, False),
        "print('NO'); print(0.5)": (False, False, False),
    }
    pairs = [(problem, Sample("p", index, f"```\n{text}\n```")) for index, text in enumerate(programs)]
    for number, grader in enumerate((PAPER, LINES, EXACT)):
        passed = {each.index: each.verdict is Verdict.CORRECT for each in grader.grade(pairs, sandbox)}
        assert [passed[index] for index in range(len(programs))] == [rules[number] for rules in programs.values()]


@pytest.mark.parametrize("grader", [PAPER, LINES, EXACT], ids=lambda grader: grader.name)
def test_a_problem_without_tests_is_named_before_any_work(grader: Grader) -> None:
    with pytest.raises(UserError, match=r"cannot grade problem 'bare' \(and 1 more\): it has no tests on stdin"):
        grader.check([Problem("bare", ""), Problem("other", "")])


def test_a_hundred_megabytes_of_tests(sandbox: Sandbox) -> None:
    if sandbox.name != "bubblewrap":
        pytest.skip("once is enough")
    big = "1 " * (50 << 20)
    problem = Problem("big", "", StdioCheck((StdioTest(big, f"{50 << 20}\n"),)), time_limit_s=20, memory_limit_mb=2048)
    count = "import sys\nprint(sum(chunk.count('1') for chunk in iter(lambda: sys.stdin.read(1 << 20), '')))"
    pairs = [(problem, Sample("big", index, text)) for index, text in enumerate((count, "print(1)", "print(input())"))]
    verdicts = {each.index: each.verdict for each in PAPER.grade(pairs, sandbox)}
    assert verdicts == {0: Verdict.CORRECT, 1: Verdict.WRONG, 2: Verdict.OUTPUT_LIMIT}
