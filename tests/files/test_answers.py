"""Tables of answers and scores: what is read, and one line for each fault."""

from pathlib import Path
from typing import Any

import pytest

from flows.setup.picking import from_files
from tasks.errors import UserError
from tasks.files.answers import AnsweredProblem, read_answers
from tests.datasets.files import written

ROWS: list[dict[str, Any]] = [
    {"problem": "a", "sample": 0, "answer": "42", "correct": True, "score": 0.5},
    {"problem": "a", "sample": 1, "answer": " 41 ", "correct": False, "score": 0.25},
    {"problem": "b", "sample": 0, "answer": None, "correct": False, "score": -1.0},
]


def read(tmp_path: Path, rows: list[Any], **options: Any) -> list[AnsweredProblem]:
    return read_answers([Path(written(tmp_path / "answers.jsonl", rows))], **options)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.json"])
def test_every_format_gives_the_same_answers(tmp_path: Path, name: str) -> None:
    rows = ROWS
    if name.endswith(".csv"):
        rows = [{column: "" if value is None else value for column, value in row.items()} for row in ROWS]
    first, second = read_answers([Path(written(tmp_path / name, rows))])
    assert (first.problem_id, first.answers, first.correct) == ("a", ["42", "41"], [True, False])
    assert (second.problem_id, second.answers) == ("b", [None])
    assert first.scores == {"score": [0.5, 0.25]}
    assert second.scores == {"score": [-1.0]}


def test_numbers_are_ids_and_answers_too_and_the_names_of_exported_samples_are_known(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, [{"problem_id": 7, "index": 3, "answer": 42, "correct": True}])
    assert (problem.problem_id, problem.samples, problem.answers) == ("7", [3], ["42"])
    assert problem.scores == {}


def test_scores_are_in_the_order_in_which_they_are_named(tmp_path: Path) -> None:
    names = list("hgfedcba")
    (problem,) = read(tmp_path, [{**ROWS[0], **dict.fromkeys(names, 1.0)}], score_names=names)
    assert list(problem.scores) == names


def test_log_probabilities_are_scores_by_their_sum_and_mean(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, [{"problem": 1, "answer": "x", "correct": True, "tokens": 4, "logprob": -2.0}])
    assert problem.scores == {"logprob_sum": [-2.0], "logprob_mean": [-0.5]}


def test_log_probabilities_that_some_samples_lack_are_left_out_unless_they_are_named(tmp_path: Path) -> None:
    rows = [
        {"problem": 1, "answer": "x", "correct": True, "tokens": 4, "logprob": -2.0},
        {"problem": 1, "answer": "x", "correct": True},
    ]
    assert read(tmp_path, rows)[0].scores == {}
    with pytest.raises(UserError, match=r"line 2: sample 1 of problem '1' has no logprob_sum; 1 of 2 samples lack it"):
        read(tmp_path, rows, score_names=["logprob_sum"])


def test_a_sample_without_tokens_has_the_lowest_mean_and_leaves_those_of_the_others(tmp_path: Path) -> None:
    rows = [
        {"problem": 1, "sample": 0, "answer": "x", "correct": True, "tokens": 4, "logprob": -2.0},
        {"problem": 1, "sample": 1, "answer": "x", "correct": True, "tokens": 0, "logprob": 0.0},
        {"problem": 2, "sample": 0, "answer": "y", "correct": False, "tokens": 2, "logprob": -3.0},
    ]
    one, two = read(tmp_path, rows)
    assert one.scores == {"logprob_sum": [-2.0, 0.0], "logprob_mean": [-0.5, -1.5]}
    assert two.scores == {"logprob_sum": [-3.0], "logprob_mean": [-1.5]}
    picked = from_files([tmp_path / "answers.jsonl"], None, None)
    assert [note for note in picked.notes if "without tokens (1)" in note]


def test_scores_in_another_file_are_paired_by_problem_and_sample(tmp_path: Path) -> None:
    answers = [{key: value for key, value in row.items() if key != "score"} for row in ROWS]
    scores = [{"problem": row["problem"], "sample": row["sample"], "rm": row["score"]} for row in reversed(ROWS)]
    file = Path(written(tmp_path / "scores.parquet", scores))
    first, second = read(tmp_path, answers, score_files=[file], score_names=["rm"])
    assert (first.scores, second.scores) == ({"rm": [0.5, 0.25]}, {"rm": [-1.0]})


WIDE = {"idx": 3, "pred": ["1", None], "score": [True, False], "pred_score": [[0.5], [0.25]]}


def test_rows_of_whole_problems_are_read(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, [WIDE])
    assert (problem.problem_id, problem.answers, problem.correct) == ("3", ["1", None], [True, False])
    assert problem.scores == {"pred_score": [0.5, 0.25]}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no answers; a row looks like"),
        ([{"problem": "a", "correct": True}], "line 1: answer: field required"),
        ([{"problem": "a", "answer": "1", "correct": 2}], "line 1: correct: "),
        ([ROWS[0], ROWS[0]], r"line 2: sample 0 of problem 'a' occurs twice; .*line 1 has it, too"),
        (
            [ROWS[0], {**ROWS[1], "score": None}],
            r"line 2: sample 1 of problem 'a' has no score; 1 of 2 samples lack it",
        ),
        ([{**ROWS[0], "score": float("nan")}], r"line 1: score: is nan; a score must be a finite number"),
        ([{**ROWS[0], "score": float("inf")}], r"line 1: score: is inf; a score must be a finite number"),
        ([{**ROWS[0], "score": "high"}], r"line 1: score: input should be a valid number"),
        ([{**ROWS[0], "passed": True}, ROWS[1]], r"line 2: passed: is missing for 1 of 2 samples"),
        ([{**WIDE, "score": [True]}], r"line 1: score: has 1 values for 2 answers in pred"),
        ([{**WIDE, "pred_score": []}], r"line 1: pred_score: has 0 values for 2 answers in pred"),
        ([{**WIDE, "pred_score": [[0.5]]}], r"line 1: pred_score: has 1 values for 2 answers in pred"),
        ([{**WIDE, "pred_score": [[0.5, 0.1], [0.2]]}], r"line 1: pred_score: sample 0 has 2 scores; give one"),
        ([WIDE, WIDE], r"line 2: problem '3' occurs twice"),
    ],
)
def test_bad_answers_are_one_line(tmp_path: Path, rows: list[Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path, rows)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (
            [{"problem": "a", "sample": 0, "rm": 1.0}],
            r"line 2: sample 1 of problem 'a' has no rm; 2 of 3 samples lack it",
        ),
        (
            [{"problem": "a", "sample": 0, "rm": 1.0}] * 2,
            r"line 2: a second score for sample 0 of problem 'a'; .*line 1",
        ),
        ([{"problem": "a", "sample": 9, "rm": 1.0}], r"line 1: there is no answer of problem 'a', sample 9"),
        ([{"problem": "a", "rm": 1.0}], r"line 1: sample: field required"),
        ([{"problem": "a", "sample": 0, "reward": 1.0}], r"has none of the scores rm; name its columns with --score"),
        ([{"problem": "a", "sample": 0, "rm": float("nan")}], r"line 1: rm: is nan"),
    ],
)
def test_bad_scores_are_one_line(tmp_path: Path, scores: list[Any], message: str) -> None:
    file = Path(written(tmp_path / "scores.jsonl", scores))
    with pytest.raises(UserError, match=message):
        read(tmp_path, ROWS, score_files=[file], score_names=["rm"])


def test_a_score_in_both_files_is_refused(tmp_path: Path) -> None:
    file = Path(written(tmp_path / "scores.jsonl", [{"problem": "a", "sample": 0, "score": 1.0}]))
    with pytest.raises(UserError, match=r"line 1: score: a second score for sample 0 of problem 'a'"):
        read(tmp_path, ROWS, score_files=[file])


def test_scores_are_never_paired_by_position(tmp_path: Path) -> None:
    answers = [{key: value for key, value in row.items() if key not in {"score", "sample"}} for row in ROWS]
    file = Path(written(tmp_path / "scores.jsonl", [{"problem": "a", "sample": 0, "score": 1.0}]))
    with pytest.raises(UserError, match=r"the answers have no column `sample`"):
        read(tmp_path, answers, score_files=[file])


def test_a_score_that_some_samples_lack_has_one_entry_for_each_sample_in_order() -> None:
    problem = AnsweredProblem("a")
    for scores in ({"one": 0.5}, {"other": 1.0}, {}, {"one": 0.25, "other": None}):
        problem.add("here", None, "1", True, scores)
    assert problem.scores == {"one": [0.5, None, None, 0.25], "other": [None, 1.0, None, None]}
