"""inspect_ai logs with several scorers, as answers to pick from."""

from pathlib import Path
from typing import Any

import pytest

from flows.setup.picking import from_files
from tasks.errors import UserError
from tasks.importers.inspect_answers import read_logged_answers
from tests.importers.other_tools import inspect_eval, inspect_json, inspect_sample


def scored(problem: int, epoch: int, value: Any, answer: str, *, reward: Any, rubric: Any = 0.5) -> dict[str, Any]:
    scores = {
        "match": {"value": value, "answer": answer},
        "reward": {"value": reward},
        "rubric": {"value": rubric},
    }
    return inspect_sample(problem, epoch, f"it is {answer}", value, scores=scores)


SAMPLES = [
    scored(1, 2, "I", "7", reward=-1.5),
    scored(1, 1, "C", "4", reward=2.5),
    scored(2, 1, "C", "x", reward=0.5, rubric={"clarity": 3, "style": "C"}),
    scored(2, 2, "I", "y", reward=1.0, rubric={"clarity": 1, "style": "P"}),
]


@pytest.mark.parametrize("write", [inspect_json, inspect_eval])
def test_one_scorer_is_the_verdict_and_the_numbers_of_the_others_are_scores_paired_by_epoch(write, tmp_path: Path):
    log = write(tmp_path / ("log.json" if write is inspect_json else "log.eval"), SAMPLES)
    logged = read_logged_answers([log], "match")
    one = logged.problems["1"]
    assert dict(zip(one.samples, zip(one.answers, one.correct, one.scores["reward"], strict=True), strict=True)) == {
        0: ("4", True, 2.5),
        1: ("7", False, -1.5),
    }
    two = logged.problems["2"]
    of = dict(zip(two.samples, zip(two.scores["rubric.clarity"], two.scores["rubric.style"], strict=True), strict=True))
    assert of == {0: (3.0, 1.0), 1: (1.0, 0.5)}
    assert logged.notes == ()


def test_the_answer_is_that_of_the_scorer_of_the_verdict_or_absent(tmp_path: Path):
    """What another scorer found may be right where the verdict is wrong."""
    by_two = {"match": {"value": "I", "answer": "7"}, "other": {"value": "C", "answer": "4"}}
    by_one = {"match": {"value": "I"}, "other": {"value": "C", "answer": "4"}}
    samples = [inspect_sample(1, at, "it is 4", "I", scores=scores) for at, scores in ((1, by_two), (2, by_one))]
    logged = read_logged_answers([inspect_json(tmp_path / "log.json", samples)], "match")
    assert (logged.problems["1"].answers, logged.problems["1"].correct) == (["7", None], [False, False])
    assert logged.notes == ("Without an answer: samples to which only scorers other than 'match' gave one (1).",)


def test_a_log_gives_what_selectors_pick_from(tmp_path: Path):
    log = inspect_eval(tmp_path / "log.eval", [scored(1, 1, "C", "4", reward=2.5), scored(1, 2, "I", "7", reward=-1.5)])
    read = from_files([log], "match", None)
    (problem,) = read.problems
    assert set(problem.scores) == {"reward", "rubric"}
    assert problem.correct[problem.scores["reward"].argmax()]


def test_scores_from_a_file_are_paired_with_the_samples_of_a_log(tmp_path: Path):
    log = inspect_eval(tmp_path / "log.eval", [scored(1, 1, "C", "4", reward=2.5), scored(1, 2, "I", "7", reward=-1.5)])
    extra = tmp_path / "extra.jsonl"
    extra.write_text('{"problem": 1, "sample": 1, "mine": 9}\n{"problem": 1, "sample": 0, "mine": 8}\n')
    (problem,) = from_files([log], "match", None, [extra], ["mine"]).problems
    assert problem.scores["mine"][problem.correct].tolist() == [8.0]


def test_failed_and_ungraded_samples_are_left_out_and_counted(tmp_path: Path):
    samples = [
        *SAMPLES,
        inspect_sample(3, 1, "", "I", error={"message": "timeout"}),
        scored(3, 2, "N/A", "?", reward=0.0),
    ]
    logged = read_logged_answers([inspect_json(tmp_path / "log.json", samples)], "match")
    assert set(logged.problems) == {"1", "2"}
    assert logged.notes == (
        "Left out: samples that inspect_ai could not finish (1).",
        "Left out: samples without a verdict (1).",
    )


@pytest.mark.parametrize(
    ("verdict", "message"),
    [
        (None, r"has scorers 'match', 'reward', 'rubric'; name the one that says what is correct with --verdict"),
        ("other", r"scores: has no 'other'; it has 'match', 'reward', 'rubric'"),
    ],
)
def test_the_scorer_that_says_what_is_correct_has_to_be_named(verdict: str | None, message: str, tmp_path: Path):
    with pytest.raises(UserError, match=message):
        read_logged_answers([inspect_json(tmp_path / "log.json", SAMPLES)], verdict)


def test_a_score_that_some_samples_lack_is_an_error(tmp_path: Path):
    samples = [scored(1, 1, "C", "4", reward=2.5), scored(1, 2, "I", "7", reward="unreadable")]
    with pytest.raises(UserError, match=r"sample 1 of problem '1' has no reward; 1 of 2 samples lack it"):
        from_files([inspect_json(tmp_path / "log.json", samples)], "match", None)


def test_logs_and_tables_are_not_mixed_and_a_table_has_no_scorer(tmp_path: Path):
    log = inspect_eval(tmp_path / "log.eval", SAMPLES)
    table = tmp_path / "answers.jsonl"
    table.write_text('{"problem": "1", "answer": "4", "correct": true}\n')
    with pytest.raises(UserError, match=r"answers.jsonl: is not an inspect_ai log"):
        from_files([log, table], "match", None)
    with pytest.raises(UserError, match=r"--verdict: names a scorer of inspect_ai logs"):
        from_files([table], "match", None)
