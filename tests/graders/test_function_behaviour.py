"""Functions that behave alike have one answer: agreement in calls without an expected result."""

import ast
import gzip
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandboxes import CheckedOutcome, Limits, Outcome, Sandbox, Status
from tasks.datasets.humaneval import HumanEvalDataset
from tasks.graders.base.literal_calls import calls_of_test
from tasks.graders.base.mutated_arguments import mutated_calls
from tasks.graders.functions import FunctionsGrader
from tasks.graders.humaneval import HumanEvalGrader
from tasks.records import FunctionCheck, GradedSample, Problem, Sample, Verdict
from tests.sandboxes.wrapped import WrappedSandbox

DATA = Path("/work/shared/data/humaneval")
TEST = "def check(candidate):\n    assert candidate([3, 1]) == [1, 3]\n    assert candidate([9, 8, 7]) == [7, 8, 9]\n"
PUBLIC = "def check(candidate):\n    assert candidate([3, 1]) == [1, 3]\n"
SORT = Problem("sort", "", FunctionCheck("f", TEST, PUBLIC, ("f([3, 1])", "f([2, 5, 4])")), time_limit_s=1.0)


def graded_by(sandbox: Sandbox, *programs: str, problem: Problem = SORT, inputs: int = 6) -> list[GradedSample]:
    pairs = [(problem, Sample(problem.id, index, text)) for index, text in enumerate(programs)]
    return sorted(FunctionsGrader(behaviour_inputs=inputs).grade(pairs, sandbox), key=lambda graded: graded.index)


def test_functions_that_behave_alike_have_one_answer_and_the_verdicts_of_their_tests(sandbox: Sandbox) -> None:
    programs = (
        "def f(x): return sorted(x)",
        "def f(x):\n    x = list(x)\n    x.sort()\n    return x",
        "def f(x): return x[::-1]",
        "f = lambda x: list(reversed(x))",
        "def f(x): return sorted(x)",
        "def f(x): return tuple(sorted(x))",
        "def f(x): 1/0",
        "  ",
    )
    graded = graded_by(sandbox, *programs)
    plain = graded_by(sandbox, *programs, inputs=0)
    assert [(each.verdict, each.detail) for each in graded] == [(each.verdict, each.detail) for each in plain]
    assert [each.passed for each in graded] == [True, True, True, True, True, False, False, False]
    assert {(each.passed, each.answer) for each in plain} == {(None, None)}
    answers = [each.answer for each in graded]
    assert answers[0] == answers[1] == answers[4]
    assert answers[2] == answers[3]
    assert len({answers[0], answers[2], answers[5]}) == 3
    assert None not in answers[:6]
    assert answers[6:] == [None, None], "one that fails in every call has no vote"
    assert graded[4].cpu_s == 0, "the first of equal functions has their cost"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1", "1.0", True),
        ("1", "True", True),
        ("0.1 + 0.2", "0.3", False),
        ("{1, 2, 'a'}", "{'a', 2, 1}", True),
        ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1.0}", True),
        ("[1, 2]", "(1, 2)", False),
        ("float('nan')", "-float('nan')", True),
        ("10 ** 5000", "10 ** 5000 + 1", False),
        ("__import__('fractions').Fraction(1, 3)", "__import__('fractions').Fraction(2, 6)", True),
        ("__import__('collections').Counter('aab')", "{'a': 2, 'b': 1}", True),
        ("iter([1, 2])", "(each for each in [1, 2])", True),
        ("'\\ud800'", "'?'", False),
        ("frozenset([1])", "{1}", True),
        ("type('A', (), {'__eq__': lambda *_: True})()", "type('B', (), {})()", True),
    ],
)
def test_results_are_the_same_if_python_calls_them_equal(sandbox: Sandbox, one: str, other: str, same: bool) -> None:
    problem = Problem("p", "", FunctionCheck("f", TEST, None, ("f(1)",)), time_limit_s=1.0)
    answers = {
        each.answer
        for each in graded_by(sandbox, *(f"def f(x): return {each}" for each in (one, other)), problem=problem)
    }
    assert None not in answers
    assert (len(answers) == 1) == same


def test_a_function_that_changes_its_argument_counts_for_what_it_did(sandbox: Sandbox) -> None:
    problem = Problem("p", "", FunctionCheck("f", TEST, None, ("f([2, 1])",)), time_limit_s=1.0)
    nothing, sorts, returns = graded_by(
        sandbox, "def f(x): pass", "def f(x): x.sort()", "def f(x): return None if len(x) > 2 else x", problem=problem
    )
    assert nothing.answer is None, "it returns nothing in every call"
    assert sorts.answer is None, "so does this"
    assert returns.answer is not None


def test_a_function_that_ends_its_process_or_is_too_slow_differs_from_one_that_does_not(sandbox: Sandbox) -> None:
    right = "def f(x): return sorted(x)"
    ends = "import os\ndef f(x): return sorted(x) if x == [3, 1] else os._exit(0)"
    slow = "def f(x):\n    while x != [3, 1]: pass\n    return sorted(x)"
    catches = "def f(x): return sorted(x) if x == [3, 1] else exit()"
    answers = [each.answer for each in graded_by(sandbox, right, ends, slow, catches)]
    assert None not in answers
    assert len(set(answers)) >= 3
    assert answers[0] not in answers[1:]


def test_public_examples_that_are_the_whole_test_are_not_run_again(sandbox: Sandbox) -> None:
    problem = Problem("p", "", FunctionCheck("f", TEST, TEST, ("f([3, 1])",)), time_limit_s=1.0)
    graded = graded_by(
        sandbox, "def f(x): return sorted(x)", "def f(x): return x[::-1]", "def f(x): return 1", " ", problem=problem
    )
    assert [each.passed for each in graded] == [each.verdict is Verdict.CORRECT for each in graded]
    assert [each.passed for each in graded] == [True, True, False, False]


@dataclass
class Recording(WrappedSandbox):
    """Keeps the checkers; fails where the behaviour of a program with `lost` is looked at."""

    checkers: list[str] = field(default_factory=list)

    def run_checked(
        self, checker: str, program: str, limits: Limits, *, reusable_process: bool = False
    ) -> CheckedOutcome:
        self.checkers.append(checker)
        if "lost" in program and "def outcome" in checker:
            return CheckedOutcome(*[Outcome(Status.INFRASTRUCTURE, detail="the sandbox was lost")] * 2)
        return self.inner.run_checked(checker, program, limits, reusable_process=reusable_process)


def test_a_lost_sandbox_says_nothing_about_a_behaviour(sandbox: Sandbox) -> None:
    graded = graded_by(Recording(sandbox), "def f(x): return sorted(x)", "def f(x): return sorted(x)  # lost")
    assert [each.verdict for each in graded] == [Verdict.CORRECT] * 2
    assert graded[1].detail == "no answer: in a call without an expected result: the sandbox was lost"
    assert (graded[1].answer, graded[1].passed) == (None, None)


def test_calls_have_no_expected_result_and_hidden_calls_are_never_made(sandbox: Sandbox) -> None:
    for problem in (SORT, Problem("sort", "", FunctionCheck("f", TEST), time_limit_s=1.0)):
        recording = Recording(sandbox)
        graded_by(recording, "def f(x): return sorted(x)", problem=problem)
        (observer,) = {each for each in recording.checkers if "def outcome" in each}
        assert "[7, 8, 9]" not in observer
        assert "[9, 8, 7]" not in observer
        assert observer.count("{}") >= 6
    assert calls_of_test(TEST, "f") == ("candidate([3, 1])", "candidate([9, 8, 7])")


def test_a_problem_without_literal_calls_gives_no_answer(sandbox: Sandbox) -> None:
    test = "def check(f):\n    x = [1]\n    assert f(x) == x\n"
    (graded,) = graded_by(sandbox, "def f(x): return x", problem=Problem("p", "", FunctionCheck("f", test)))
    assert (graded.verdict, graded.answer, graded.passed) == (Verdict.CORRECT, None, None)


def test_the_calls_of_a_problem_are_the_same_everywhere() -> None:
    calls = mutated_calls("sort", ["f([3, 1], key='abc')"], 4, known=True)
    assert calls == mutated_calls("sort", ["f([3, 1], key='abc')"], 4, known=True)
    assert calls != mutated_calls("other", ["f([3, 1], key='abc')"], 4, known=True)
    assert calls[0] == "(([3, 1],), {'key': 'abc'})"
    assert mutated_calls("sort", ["f()"], 4, known=False) == ()
    assert mutated_calls("sort", ["f()"], 4, known=True) == ("((), {})",)
    assert mutated_calls("sort", ["f(1e999)", "f(2)"], 1, known=True) == ("((2,), {})",)


@pytest.mark.parametrize(
    "argument",
    [
        "{'a', 'bb', 'ccc', 'dddd', 'e'}",
        "[{'a', 'bb', 'ccc', 'dddd', 'e'}, set()]",
        "({'a', 'bb', 'ccc', 'dddd', 'e'},)",
        "{'key': {'inner': [{'a', 'bb', 'ccc', 'dddd', 'e'}]}}",
        "{('a', 1), ('bb', 2), ('ccc',), ('dddd', None), (b'e', 0.5)}",
    ],
)
def test_calls_with_sets_do_not_depend_on_the_hash_seed(argument: str) -> None:
    calls = [f"f({argument})", f"f([1], named={argument})"]
    program = (
        "from tasks.graders.base.mutated_arguments import mutated_calls\n"
        f"print(ascii(mutated_calls('p', {calls!r}, 12, known=True)))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(printed) == 1
    made = ast.literal_eval(*printed)
    assert [ast.literal_eval(each) for each in made[:2]] == [
        ((ast.literal_eval(argument),), {}),
        (([1],), {"named": ast.literal_eval(argument)}),
    ]
    assert len(made) == 12


def test_calls_with_equal_sets_are_made_once() -> None:
    # 1 and 9 share a slot of the hash table, so that the order of these sets depends on how they were made.
    calls = mutated_calls("p", ["f({1, 9})", "f({9, 1})"], 8, known=True)
    assert calls[0] == "(({1, 9},), {})"
    values = [ast.literal_eval(each) for each in calls]
    assert all(values.count(each) == 1 for each in values)


LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers(-50, 50) | st.floats(-9, 9) | st.text(alphabet="ab'\n", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.integers(0, 3), inner),
    max_leaves=6,
)


@given(st.lists(LITERALS, min_size=1, max_size=3), st.integers(1, 9), st.booleans())
@example([(False, 0)], 1, False)
def test_calls_are_different_and_keep_the_types_of_their_arguments(
    arguments: list[object], count: int, known: bool
) -> None:
    call = f"f({', '.join(map(repr, arguments))})"
    made = [ast.literal_eval(each) for each in mutated_calls("p", [call], count, known=known)]
    assert len(set(map(repr, made))) == len(made) <= count
    for positional, named in made:
        assert not named
        assert list(map(type, positional)) == list(map(type, arguments))
    # As texts: in Python, False equals 0, so that exchanging the two would look like no change.
    assert (repr((tuple(arguments), {})) in map(repr, made)) == known


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="needs the real samples of HumanEval")
def test_real_samples_keep_their_verdicts_and_a_vote_delivers_more_than_one_sample(sandbox: Sandbox) -> None:
    if sandbox.name != "bubblewrap":
        pytest.skip("once is enough: the spawned form takes ten times as long")
    problems = {each.question: each for each in HumanEvalDataset(path=str(DATA / "HumanEval.jsonl.gz")).load()}
    by_name = {re.findall(r"def (\w+)", question)[-1]: each for question, each in problems.items()}
    with gzip.open(DATA / "codegen16b_t0.8_n100_first50.jsonl.gz", "rt") as file:
        rows = {re.findall(r"def (\w+)", row["prompt"])[-1]: row for row in map(json.loads, file)}
    pairs = [
        (by_name[name], Sample(by_name[name].id, index, text))
        for name, row in list(rows.items())[:10]
        for index, text in enumerate(row["samples"][:10])
    ]
    plain, voted = (
        {(each.problem_id, each.index): each for each in HumanEvalGrader(behaviour_inputs=inputs).grade(pairs, sandbox)}
        for inputs in (0, 8)
    )
    assert {key: each.verdict for key, each in plain.items()} == {key: each.verdict for key, each in voted.items()}
    correct = [each for each in voted.values() if each.verdict is Verdict.CORRECT]
    assert correct
    assert all(each.passed and each.answer is not None for each in correct)
