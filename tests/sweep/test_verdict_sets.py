"""What the name of a verdict set depends on: public tests of functions, where the grader runs them."""

from dataclasses import replace

import pytest

from flows.setup.grading import build_grading
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.graders import Grader
from tasks.graders.functions import FunctionsGrader
from tasks.graders.humaneval import HumanEvalGrader
from tasks.records import FunctionCheck, Problem
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import sample_identity
from tasks.store.sets import SampleSet
from tasks.sweep.selection import Selection

PLAIN = Problem("p", "", FunctionCheck("f", "test"))
SHOWN = replace(PLAIN, check=FunctionCheck("f", "test", "public", ("f(1)",)))


def verdict_set(problem: Problem, grader: Grader) -> str:
    samples = SampleSet(FsspecStore("memory://verdict-sets"), sample_identity("toy"))
    return build_grading(Selection.of([problem], k=1), samples, grader, BubblewrapConfig()).verdicts.identity.name


def test_verdicts_do_not_depend_on_public_tests_that_nothing_runs() -> None:
    assert verdict_set(PLAIN, FunctionsGrader()) == verdict_set(SHOWN, FunctionsGrader())


@pytest.mark.parametrize("grader", [FunctionsGrader(behaviour_inputs=4), HumanEvalGrader(behaviour_inputs=4)])
def test_verdicts_with_passed_and_answers_depend_on_public_tests_and_their_calls(grader: Grader) -> None:
    checks = [
        FunctionCheck("f", "test", "another", ("f(1)",)),
        FunctionCheck("f", "test", "public", ("f(2)",)),
        FunctionCheck("f", "test", None, ("f(1)",)),
    ]
    others = [replace(PLAIN, check=check) for check in checks]
    assert len({verdict_set(each, grader) for each in (PLAIN, SHOWN, *others)}) == 5
    assert verdict_set(SHOWN, grader) == verdict_set(replace(SHOWN), grader)
