"""Gold answers that are known to be wrong: told, put right on request, and never a reason to draw again."""

import logging
from pathlib import Path

import pytest

from tasks.answers.minerva_math import boxed
from tasks.datasets.known_faults import known_faults, with_corrections
from tasks.datasets.math import MathDataset
from tasks.datasets.paper.subsets import subset
from tasks.graders.math import MathGrader
from tasks.graders.math_tolerant import MathTolerantGrader
from tasks.records import AnswerCheck, Problem, Sample, Verdict
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import problems_digest, sample_identity, verdict_identity
from tasks.store.sets import SampleSet
from tasks.sweep.grading import Grading
from tasks.sweep.selection import Selection
from tests.datasets.files import written

# Rows 333 and 414 of MATH's test split, their solutions cut down to what the rule looks at.
TAKEN_WRONG = {
    "problem": ("The sum of a 15-term arithmetic series with first term 7  is $-210$.  What is the common difference?"),
    "solution": "we find $d=\\boxed{-3}$.\n\nNote: $\\boxed{3}$ is also accepted as an answer.",
}
TRUNCATED = {
    "problem": (
        "Find all solutions to the equation $\\sqrt{3x+6}=x+2$.  If there are multiple solutions, order them from least"
        " to greatest, separated by comma(s)."
    ),
    "solution": "Therefore, the answers are $\\boxed{-2}$ and $\\boxed{1}$.",
}
SOUND = {"problem": "What is $1+1$?", "solution": "It is $\\boxed{2}$."}
ROWS = [TAKEN_WRONG, TRUNCATED, SOUND]


def golds(problems: list[Problem]) -> list[str]:
    return [problem.check.answer for problem in problems if isinstance(problem.check, AnswerCheck)]


def test_ten_gold_answers_of_math_are_known_to_be_wrong() -> None:
    faults = known_faults("math").values()
    rows = {fault.row for fault in faults}
    assert rows == {414, 2152, 2549, 2656, 2703, 4559, 4562, 4860, 333, 4060}
    assert all(fault.answer != fault.published and fault.why for fault in faults)
    assert not rows & set(subset("math").rows), "the paper's problems have none"


def test_gold_answers_are_as_published_unless_corrections_are_asked_for(tmp_path: Path, caplog) -> None:
    path = written(tmp_path / "math.jsonl", ROWS)
    with caplog.at_level(logging.WARNING):
        published = MathDataset(path=path).load()
    assert golds(published) == [boxed(row["solution"]) for row in ROWS] == ["3", "1", "2"]
    assert [record.getMessage() for record in caplog.records] == [
        "dataset: 2 of the 3 gold answers of math are known to be wrong; `golds: corrected` uses the right ones"
    ]
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        corrected = MathDataset(path=path, golds="corrected").load()
    assert golds(corrected) == ["-3", "-2, 1", "2"]
    assert caplog.records == []


def test_a_copy_with_another_answer_is_not_corrected(tmp_path: Path) -> None:
    path = written(tmp_path / "math.jsonl", [{**TRUNCATED, "answer": "-2, 1"}, {**SOUND, "answer": "2"}])
    problems = MathDataset(path=path, golds="corrected").load()
    assert [problem.check for problem in problems] == [AnswerCheck("-2, 1"), AnswerCheck("2")]


def test_corrections_change_the_verdict_set_and_not_the_sample_set(tmp_path: Path) -> None:
    path = written(tmp_path / "math.jsonl", ROWS)
    verdict_sets = set()
    for dataset in (MathDataset(path=path), MathDataset(path=path, golds="corrected")):
        problems = dataset.load()
        samples = SampleSet(
            FsspecStore(str(tmp_path / "store")), sample_identity("math", problems=problems_digest(problems))
        )
        grading = Grading(selection=Selection.of(problems, k=1), samples=samples, grader=MathGrader())
        verdict_sets.add((samples.identity.name, grading.verdicts.identity.name))
    assert len({samples for samples, _ in verdict_sets}) == 1
    assert len({verdicts for _, verdicts in verdict_sets}) == 2


def test_a_set_without_corrections_has_the_name_that_it_always_had() -> None:
    samples = sample_identity("math", problems="0")
    assert verdict_identity(samples, "math", 1, {}, corrections=None) == verdict_identity(samples, "math", 1, {})


def test_right_samples_are_correct_by_the_corrected_answers(tmp_path: Path) -> None:
    pytest.importorskip("math_verify", reason="the math extra is not installed")
    path = written(tmp_path / "math.jsonl", ROWS)
    dataset = MathDataset(path=path, golds="corrected")
    problems = {problem.id: problem for problem in dataset.load()}
    pairs = [(problems[each.problem_id], Sample(each.problem_id, 0, each.text)) for each in dataset.solutions()]
    assert [graded.verdict for graded in MathGrader().grade(pairs, None)] == [Verdict.CORRECT] * 3
    boxes = [
        (problem, Sample(problem.id, 0, row["solution"])) for problem, row in zip(problems.values(), ROWS, strict=True)
    ]
    verdicts = {graded.problem_id: graded.verdict for graded in MathTolerantGrader().grade(boxes, None)}
    assert verdicts["math/0001"] is Verdict.CORRECT, "its own two boxes are the two parts"


def test_problems_without_a_known_fault_stay_as_they_are() -> None:
    problem = Problem("p", "no question of MATH", AnswerCheck("1"))
    assert with_corrections("math", [problem], correct=True) == [problem]
