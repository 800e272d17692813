"""Samples of a dataset in a file: equal ones are graded once, and what failed is graded again."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandboxes import Sandbox
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.batch_grading.run import GradeResult, grade_dataset
from tasks.errors import UserError
from tasks.graders.final_answer import FinalAnswerGrader
from tasks.records import AnswerCheck, GradedSample, Problem, Sample, Verdict

PROBLEMS = [Problem("p", "1 + 1?", AnswerCheck("2")), Problem("q", "1 + 2?", AnswerCheck("3"))]


@dataclass
class Counting:
    """A grader of final answers that counts what it grades, and fails on texts with one of the words."""

    lost: tuple[str, ...] = ()
    graded: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    inner: FinalAnswerGrader = field(default_factory=FinalAnswerGrader)
    name: str = "counting"
    version: int = 1
    runs_code: bool = False

    def check(self, problems: Sequence[Problem]) -> None:
        self.checked += [problem.id for problem in problems]

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:
        self.graded += [sample.text for _, sample in pairs]
        # In another order than they came, as a prover gives them.
        for graded in reversed(list(self.inner.grade(pairs, sandbox))):
            if any(word in pairs[0][1].text for word in self.lost):
                yield GradedSample(graded.problem_id, graded.index, Verdict.INFRASTRUCTURE, "it went away")
            else:
                yield graded


def grade(folder: Path, grader: Counting, rows: Sequence[tuple[str, str]]) -> tuple[GradeResult, list[str]]:
    path = folder / "samples.jsonl"
    path.write_text("".join(json.dumps({"problem_id": problem, "text": text}) + "\n" for problem, text in rows))
    result = grade_dataset(
        problems=PROBLEMS,
        samples=path,
        output=folder / "verdicts.jsonl",
        grader=grader,
        sandbox=BubblewrapConfig(),
        how={},
    )
    lines = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    assert [line["problem_id"] for line in lines] == [problem for problem, _ in rows]
    return result, [line["verdict"] for line in lines]


def test_equal_texts_of_a_problem_are_graded_once_also_when_they_are_far_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.batch_grading.dataset_samples._AT_ONCE", 3)
    grader = Counting()
    rows = [("p", "#### 2"), ("p", "#### 2"), ("q", "#### 2"), ("p", "#### 5"), ("p", "#### 2"), ("q", "#### 3")]
    result, verdicts = grade(tmp_path, grader, rows)
    assert verdicts == ["correct", "correct", "wrong", "wrong", "correct", "correct"]
    assert sorted(grader.graded) == ["#### 2", "#### 2", "#### 3", "#### 5"]
    assert (result.deduplicated, result.complete) == (2, True)


def test_a_reason_that_quotes_text_that_is_not_unicode_is_written(tmp_path: Path) -> None:
    result, verdicts = grade(tmp_path, Counting(), [("p", "#### \ud800"), ("p", "#### 2")])
    assert (verdicts, result.complete) == (["wrong", "correct"], True)


def test_only_problems_that_have_samples_are_checked(tmp_path: Path) -> None:
    grader = Counting()
    grade(tmp_path, grader, [("q", "#### 3")])
    assert grader.checked == ["q"]


def test_a_failure_is_not_remembered_and_is_graded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.batch_grading.dataset_samples._AT_ONCE", 1)
    rows = [("p", "#### 2"), ("p", "A #### 2"), ("p", "A #### 2"), ("q", "#### 3")]
    failing = Counting(lost=("A",))
    result, verdicts = grade(tmp_path, failing, rows)
    assert verdicts == ["correct", "infrastructure", "infrastructure", "correct"]
    assert (failing.graded.count("A #### 2"), result.complete, result.failures) == (2, False, {"it went away": 2})
    again = Counting()
    result, verdicts = grade(tmp_path, again, rows)
    assert (verdicts, again.graded, result.earlier) == (["correct"] * 4, ["A #### 2"], 2)


def test_a_sample_of_an_unknown_problem_is_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="problem_id: 'z' is not one of the 2 problems; the first is 'p'"):
        grade(tmp_path, Counting(), [("p", "#### 2"), ("z", "#### 2")])
    assert [path.name for path in tmp_path.iterdir()] == ["samples.jsonl"]
