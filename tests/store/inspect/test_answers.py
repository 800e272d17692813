"""The answers and scores of stored sets, as selectors take them."""

from pathlib import Path

import pytest

from flows.setup.picking import from_store
from tasks.errors import UserError
from tasks.records import ScoredSample
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import score_identity
from tasks.store.inspect.answers import stored_answers
from tasks.store.inspect.catalog import find
from tasks.store.sets import ScoreSet
from tasks.sweep.sweep import Sweep
from tests.store.stored import LastLineGrader, answers, draw, fill, sweep_of


def url(tmp_path: Path) -> str:
    return str(tmp_path / "runs")


def scored(store: FsspecStore, sweep: Sweep, *, without: int | None = None) -> None:
    """A score of each sample: minus its index."""
    samples = sweep.grading.samples
    scores = ScoreSet(store, samples.identity, score_identity(samples.identity, "reward", 1, model="m"))
    for block, footer in samples.stored().items():
        records = [
            ScoredSample(each.problem_id, each.index, None if each.index == without else -float(each.index))
            for each in samples.read(block)[0]
        ]
        scores.write(block, records, samples_checksum=footer.checksum, made_by="test", seconds=0.0)


def test_every_graded_sample_has_its_answer_verdict_and_log_probability(tmp_path: Path) -> None:
    store = FsspecStore(url(tmp_path))
    fill(store, problems=3, k=6)
    found = find(store, "arith")
    (verdicts,) = found.verdicts
    read = stored_answers(store, found, verdicts)
    expected = answers(3, 6)
    assert read.notes == []
    for problem in read.problems:
        drawn = expected[problem.problem_id]
        assert problem.samples == list(range(6))
        assert problem.scores["logprob_sum"] == [drawn[index].logprob for index in range(6)]
        for index, answer in enumerate(problem.answers):
            assert (answer is None) == (drawn[index].text.strip() == "I do not know")
            assert problem.correct[index] == (answer not in {None, "-1"})


def test_scores_are_read_by_their_scorers_name_unless_some_are_missing(tmp_path: Path) -> None:
    store = FsspecStore(url(tmp_path))
    scored(store, fill(store, problems=3, k=6))
    read = from_store(url(tmp_path), "arith", None, None)
    assert [each.scores["reward"].tolist() for each in read.problems] == [[0.0, -1.0, -2.0, -3.0, -4.0, -5.0]] * 3

    scored(store, fill(store, problems=3, k=6, seed=1), without=2)
    second = next(each for each in store.sizes("samples") if "arith" in each).split("/")[1]
    names = {each.split("/")[1] for each in store.sizes("samples")}
    (other,) = names - {second}
    notes = [note for name in (second, other) for note in from_store(url(tmp_path), name, None, None).notes]
    assert notes == ["The score reward is left out: 3 of 18 samples lack it."]


def test_samples_without_a_verdict_are_left_out_and_counted(tmp_path: Path) -> None:
    fill(FsspecStore(url(tmp_path)), problems=3, k=6, grader=LastLineGrader(broken=4))
    read = from_store(url(tmp_path), "arith", None, "final_answer")
    assert [each.n for each in read.problems] == [5, 5, 5]
    assert read.notes == ("3 samples were lost to failures of the infrastructure: they are left out.",)


def test_where_the_grader_is_not_installed_answers_are_equal_as_text(tmp_path: Path) -> None:
    fill(FsspecStore(url(tmp_path)), problems=2, k=4, grader=LastLineGrader())
    read = from_store(url(tmp_path), "arith", None, None)
    assert read.notes == ("The grader last_line is not available here: answers are the same if their texts are.",)


def test_a_grader_that_keeps_no_answers_leaves_votes_without_what_they_need(tmp_path: Path) -> None:
    fill(FsspecStore(url(tmp_path)), problems=2, k=4, grader=LastLineGrader())
    assert all(each.answers is None for each in from_store(url(tmp_path), "arith", None, "final_answer").problems)


def test_a_set_that_is_not_graded_is_one_line(tmp_path: Path) -> None:
    draw(sweep_of(FsspecStore(url(tmp_path)), problems=2, k=4))
    with pytest.raises(UserError, match=r"is not graded yet; run its sweep, or `monkeys regrade`"):
        from_store(url(tmp_path), "arith", None, None)
