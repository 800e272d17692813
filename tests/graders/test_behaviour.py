"""Programs that behave alike have one answer: agreement on inputs without an expected output."""

import random
import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes import Limits, Outcome, Sandbox, Status
from tasks.graders.base.mutated_inputs import mutated_inputs
from tasks.graders.base.programs import ProgramGrader
from tasks.graders.code_contests import CodeContestsGrader, tokens_in_lower_case
from tasks.graders.stdio import StdioGrader, lines_of_tokens, same_output
from tasks.graders.stdio_exact import StdioExactGrader
from tasks.records import GradedSample, Problem, Sample, StdioCheck, StdioTest, Verdict
from tests.sandboxes.wrapped import WrappedSandbox

TESTS = tuple(StdioTest(f"{a} {b}\n", f"{a + b}\n") for a, b in ((1, 2), (13, 4), (5, 29)))
SUM = Problem("sum", "Print the sum.", StdioCheck(TESTS, public=1), time_limit_s=0.3)
READ = "a, b = map(int, input().split())\n"
RIGHT = f"{READ}print(a + b)"


@dataclass
class Recording(WrappedSandbox):
    """Keeps every input that enters it; fails on programs that contain `lost`."""

    entered: list[bytes] = field(default_factory=list)

    def run(self, program: str, stdin: bytes, limits: Limits) -> Outcome:
        self.entered.append(stdin)
        if "lost" in program and stdin not in {test.stdin.encode() for test in TESTS}:
            return Outcome(Status.INFRASTRUCTURE, detail="the sandbox was lost")
        return self.inner.run(program, stdin, limits)


def graded_by(grader: ProgramGrader, sandbox: Sandbox, *programs: str, problem: Problem = SUM) -> list[GradedSample]:
    pairs = [(problem, Sample(problem.id, index, text)) for index, text in enumerate(programs)]
    return sorted(grader.grade(pairs, sandbox), key=lambda graded: graded.index)


def test_programs_that_behave_alike_have_one_answer_and_the_verdicts_of_their_tests(sandbox: Sandbox) -> None:
    other = f"{READ}total = b\ntotal += a\nprint(str(total) + ' ')"
    wrong = f"{READ}print(a - b)"
    same_wrong = f"{READ}print(-(b - a))\n"
    graded = graded_by(StdioGrader(behaviour_inputs=6), sandbox, RIGHT, other, wrong, same_wrong, f"{RIGHT}\n")
    plain = graded_by(StdioGrader(), sandbox, RIGHT, other, wrong, same_wrong, f"{RIGHT}\n")
    assert [each.verdict for each in graded] == [each.verdict for each in plain]
    assert [each.passed for each in graded] == [each.passed for each in plain] == [True, True, False, False, True]
    right, wrongs = {graded[at].answer for at in (0, 1, 4)}, {graded[at].answer for at in (2, 3)}
    assert len(right) == len(wrongs) == 1
    assert right != wrongs
    assert {each.answer for each in plain} == {None}
    assert graded[0].cpu_s > 0
    assert graded[4].cpu_s == 0, "the first of equal programs has their cost"


def test_programs_that_fail_or_print_nothing_on_every_input_have_no_answer(sandbox: Sandbox) -> None:
    failing = ("1/0", "while True: pass", "pass", " ", "print('x'); 1/0")
    assert [each.answer for each in graded_by(StdioGrader(behaviour_inputs=3), sandbox, *failing)] == [None] * 5
    ended = graded_by(CodeContestsGrader(behaviour_inputs=3), sandbox, "1/0", "```\nprint('x'); 1/0\n```")
    assert ended[0].answer is None
    assert ended[1].answer is not None, "how a program ends plays no part there"


def test_a_program_that_fails_on_some_inputs_differs_from_one_that_does_not(sandbox: Sandbox) -> None:
    some = f"{READ}assert (a, b) == (1, 2)\nprint(a + b)"
    slow = f"{READ}\nwhile (a, b) != (1, 2): pass\nprint(a + b)"
    answers = [each.answer for each in graded_by(StdioGrader(behaviour_inputs=4), sandbox, RIGHT, some, slow)]
    assert None not in answers
    assert len(set(answers)) == 3


def test_a_sandbox_that_is_lost_on_inputs_of_the_vote_takes_the_answer_but_not_the_verdict(sandbox: Sandbox) -> None:
    graded = graded_by(
        StdioGrader(behaviour_inputs=4), Recording(sandbox), RIGHT, f"{RIGHT} # lost", f"{READ}print(a - b) # lost"
    )
    assert [each.verdict for each in graded] == [Verdict.CORRECT, Verdict.CORRECT, Verdict.WRONG]
    assert [each.answer is None for each in graded] == [False, True, True]
    assert graded[1].detail == "no answer: on an input without an expected output: the sandbox was lost"
    assert graded[2].detail.startswith("test 1 of 3: expected '3', got '-1'; no answer: on an input")


@pytest.mark.parametrize("public", [None, 0, 1, 3])
def test_no_expected_output_and_only_public_inputs_enter_the_sandbox_for_a_vote(
    sandbox: Sandbox, public: int | None
) -> None:
    recording = Recording(sandbox)
    problem = Problem("sum", "", StdioCheck(TESTS, public=public))
    graded_by(StdioGrader(behaviour_inputs=8), recording, "print(0)", problem=problem)
    # The program fails the first test, so that it is run on that one and on the inputs of the vote.
    inputs = [each.decode() for each in recording.entered]
    assert len(inputs) == 9
    votes, hidden = inputs[:-1], {test.stdin for test in TESTS[public or 0 :]}
    assert len(set(votes)) == 8
    assert not hidden & set(votes)
    assert {test.stdin for test in TESTS[: public or 0]} <= set(votes)
    assert all(re.fullmatch(r"\d+ \d+\n", each) for each in votes), "they keep the format"


def test_the_inputs_of_a_problem_are_the_same_everywhere() -> None:
    made = mutated_inputs("sum", ["3\n1 5 9\nabc -2.5\n"], 4, known=False)
    assert made == mutated_inputs("sum", ["3\n1 5 9\nabc -2.5\n"], 4, known=False)
    assert made != mutated_inputs("other", ["3\n1 5 9\nabc -2.5\n"], 4, known=False)
    expected = ("3\n1 5 7\nabc -2.5\n", "3\n6 5 7\nabc -2.5\n", "3\n1 8 9\nabc -2.5\n", "3\n3 5 7\nabc -2.5\n")
    assert made == expected, "stored answers depend on them: other inputs are another RULE in behaviour.py"


def test_numbers_that_say_how_much_follows_stay_as_they_are() -> None:
    made = mutated_inputs("lists", ["2\n3\n7 8 9\n2\n5 6\n"], 30, known=False)
    assert len(made) == 30
    for each in made:
        lines = each.split("\n")
        assert (lines[0], lines[1], lines[3]) == ("2", "3", "2")
    assert all(re.fullmatch(r"4 \w{4}\n", each) for each in mutated_inputs("word", ["4 abcd\n"], 30, known=False))
    assert {each.split()[0] for each in mutated_inputs("text", ["4\nabcd\n"], 30, known=False)} == {"4"}


def test_an_input_that_cannot_be_changed_is_used_as_it_is() -> None:
    assert mutated_inputs("p", ["\n"], 5, known=False) == ("\n",)
    assert mutated_inputs("p", ["a\n", "a\n"], 5, known=True) == ("a\n",)
    assert mutated_inputs("p", [], 5, known=True) == ()
    assert mutated_inputs("p", ["1\n", "2\n", "3\n"], 2, known=True) == ("1\n", "2\n")


@given(st.lists(st.text(alphabet="ab 01-9\n.", max_size=30), max_size=4), st.integers(1, 9), st.booleans())
def test_inputs_are_different_keep_their_whitespace_and_are_as_many_as_can_be(
    templates: list[str], count: int, known: bool
) -> None:
    made = mutated_inputs("p", templates, count, known=known)
    assert len(set(made)) == len(made) <= count
    assert bool(made) == bool(templates)
    shapes = {re.sub(r"\S+", "x", each) for each in templates}
    assert {re.sub(r"\S+", "x", each) for each in made} <= shapes


@given(st.lists(st.text(alphabet="aA 1\n\t", max_size=12), min_size=2, max_size=2))
def test_outputs_have_one_normal_form_just_if_the_grader_calls_them_the_same(outputs: list[str]) -> None:
    one, other = outputs
    assert (lines_of_tokens(one) == lines_of_tokens(other)) == same_output(one, other)
    exact = StdioExactGrader.rule
    assert (exact.normal(one) == exact.normal(other)) == exact.same(one, other)
    contest = CodeContestsGrader.rule
    assert (tokens_in_lower_case(one) == tokens_in_lower_case(other)) == contest.same(one, other)


def test_hostile_output_is_counted_as_it_is(sandbox: Sandbox) -> None:
    raw = "import sys\nsys.stdout.buffer.write(bytes([255, 0, 128]))"
    (graded,) = graded_by(StdioGrader(behaviour_inputs=2), sandbox, raw)
    assert graded.answer is not None
    assert re.fullmatch(r"[0-9a-f]{16}", graded.answer)


def test_behaviour_does_not_depend_on_what_is_graded_together(sandbox: Sandbox) -> None:
    programs = [f"{READ}print(a {sign} b)" for sign in "+-*"]
    together = graded_by(StdioGrader(behaviour_inputs=5), sandbox, *programs)
    random.Random(0).shuffle(programs)
    alone = {text: graded_by(StdioGrader(behaviour_inputs=5), sandbox, text)[0].answer for text in programs}
    assert {each.answer for each in together} == set(alone.values())
    assert len(set(alone.values())) == 3


def says_how_much(tokens: list[list[str]], line: int, at: int) -> bool:
    """The rule of `mutated_inputs`, for one token at a time."""
    if not tokens[line][at].isdigit():
        return False
    value, following = int(tokens[line][at]), [each for each in tokens[line + 1 :] if each]
    if line == 0 and len(tokens[0]) == 1 and value > 0 and following and len(following) % value == 0:
        return True
    counted = [len(following), len(tokens[line]) - at - 1]
    if value in counted and value > 1:
        return True
    if following and value in {len(following[0]), *map(len, following[0])} and value > 1:
        return True
    return any(len(word) == value and not word.isdigit() for word in tokens[line][at + 1 : at + 2])


@given(st.lists(st.lists(st.sampled_from(["1", "2", "3", "4", "ab", "x", "abcd"]), max_size=5), min_size=1, max_size=7))
def test_numbers_that_say_how_much_follows_are_never_changed(tokens: list[list[str]]) -> None:
    text = "\n".join(" ".join(line) for line in tokens)
    fixed = [(at, i) for at, line in enumerate(tokens) for i in range(len(line)) if says_how_much(tokens, at, i)]
    for changed in mutated_inputs("p", [text], 1, known=False):
        made = [line.split() for line in changed.split("\n")]
        assert all(made[at][i] == tokens[at][i] for at, i in fixed)
