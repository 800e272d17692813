"""Graders of texts alone give the same verdicts through columns as they give of samples one by one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sandboxes import Sandbox
from tasks.engines.recorded import RecordedEngine
from tasks.graders import Decided, Grader, as_grader_of_texts
from tasks.graders.final_answer import FinalAnswerGrader
from tasks.graders.gsm8k import Gsm8kGrader
from tasks.graders.gsm8k_tolerant import Gsm8kTolerantGrader
from tasks.graders.math_tolerant import MathTolerantGrader
from tasks.graders.stdio import StdioGrader
from tasks.plugins import PluginError
from tasks.records import GradedSample, Problem, Sample, Verdict
from tests.in_memory import InMemory
from tests.sweep.test_sweep import sweep_of

TEXTS = [
    "#### 0",
    "#### 12",
    "no answer",
    "",
    "<think>#### 0</think> #### 1",
    "####  $1,0.\n#### 3",
    "#### " + "7" * 2_000,
]


def drawn(folder: Path, grader: Grader) -> Any:
    sweep = sweep_of(folder, len(TEXTS), grader)
    rows = {
        problem.id: {index: Sample(problem.id, index, text) for index, text in enumerate(TEXTS)}
        for problem in sweep.selection.problems
    }
    for block in sweep.missing_samples():
        sweep.draw(block, RecordedEngine(InMemory(rows), "recorded"))
    return sweep


@pytest.mark.parametrize("grader", [FinalAnswerGrader(), Gsm8kGrader(), Gsm8kTolerantGrader()])
def test_verdicts_are_those_of_grading_one_by_one(tmp_path: Path, grader: Grader) -> None:
    assert as_grader_of_texts(grader) is not None
    sweep = drawn(tmp_path, grader)
    found: list[GradedSample] = []
    expected: list[GradedSample] = []
    for block, footer in sweep.samples.stored().items():
        sweep.grading.grade(block, None)
        found += sweep.grading.read_verdicts(block, footer)
        problems = {problem.id: problem for problem in sweep.selection.problems_in(block)}
        for sample in sweep.samples.read(block)[0]:
            expected += grader.grade([(problems[sample.problem_id], sample)], None)
    assert found == expected
    assert {each.verdict for each in found} == {Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER}
    assert len({each.answer for each in found}) > 3
    assert sweep.grading.pending_verdicts() == []


class Lenient(FinalAnswerGrader):
    """A plug-in that inherits and changes `grade` only."""

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:
        for _, sample in pairs:
            yield GradedSample(sample.problem_id, sample.index, Verdict.CORRECT)


def test_a_grader_that_changes_what_grade_does_is_asked_to_grade(tmp_path: Path) -> None:
    assert as_grader_of_texts(Lenient()) is None
    sweep = drawn(tmp_path, Lenient())
    for block in sweep.grading.pending_verdicts():
        sweep.grading.grade(block, None)
    assert sweep.results().tally.verdicts == {"correct": 20 * len(TEXTS)}


@pytest.mark.parametrize("grader", [StdioGrader(), MathTolerantGrader()])
def test_graders_that_need_more_than_a_text_are_not_graders_of_texts(grader: Grader) -> None:
    assert as_grader_of_texts(grader) is None


class Miscounting(FinalAnswerGrader):
    more: int

    def grade_texts(self, problem: Problem, texts: Sequence[str]) -> Iterator[Decided]:
        number = len(texts) + (self.more if problem.id == "p03" else 0)
        yield from [(Verdict.WRONG, "", None)] * number


@pytest.mark.parametrize("more", [-1, 1])
def test_a_verdict_too_few_or_too_many_stores_nothing(tmp_path: Path, more: int) -> None:
    sweep = drawn(tmp_path, Miscounting(more=more))
    block = sweep.grading.pending_verdicts()[0]
    count = len(TEXTS)
    with pytest.raises(PluginError, match=rf"graded {count + more} of {count} samples of problem 'p03'"):
        sweep.grading.grade(block, None)
    assert sweep.grading.verdicts.stored() == {}
