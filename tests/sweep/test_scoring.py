"""Scoring stored samples, with scorers that count what they are asked, that fail, and that answer nonsense."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.errors import ScorerFailedError
from tasks.progress import NullProgress, progress
from tasks.scorers import Candidate, Unscored
from tasks.store.fsspec_store import FsspecStore
from tasks.sweep import scoring
from tasks.sweep.sweep import Sweep
from tests.store.stored import draw, fill, sweep_of
from tests.sweep.toy_scorer import ToyScorer, run, scoring_of, stored_scores, texts


def test_each_sample_gets_the_score_for_its_text(sweep: Sweep) -> None:
    scorer = ToyScorer(max_candidates=7)
    job = run(sweep, scorer)
    samples = texts(sweep)
    scored = stored_scores(sweep, job)
    assert len(scored) == len(samples) == 600
    assert all(each.score == len(samples[each.problem_id, each.index].text) for each in scored)
    assert job.pending_scores() == []
    assert job.notes() == []


def test_equal_samples_of_a_problem_are_scored_once(sweep: Sweep) -> None:
    scorer = ToyScorer()
    run(sweep, scorer)
    distinct = {(each.problem_id, each.text) for each in texts(sweep).values()}
    assert sorted((each.problem_id, each.text) for each in scorer.asked) == sorted(distinct)


def test_a_scorer_sees_question_and_prompt_but_no_expected_answer(sweep: Sweep) -> None:
    scorer = ToyScorer()
    run(sweep, scorer)
    problems = {problem.id: problem for problem in sweep.selection.problems}
    for each in scorer.asked:
        problem = problems[each.problem_id]
        assert (each.question, each.prompt) == (problem.question, sweep.prompt_of(problem))
    assert Candidate._fields == ("problem_id", "question", "prompt", "text", "pivots")


def test_what_is_scored_is_never_scored_again(sweep: Sweep) -> None:
    run(sweep, ToyScorer())
    again = ToyScorer()
    run(sweep, again)
    assert again.asked == []


def test_a_larger_k_scores_only_the_new_samples(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path))
    small = fill(store, problems=20, k=30)
    run(small, ToyScorer())
    large = sweep_of(store, problems=20, k=130)
    draw(large)
    scorer = ToyScorer()
    job = run(large, scorer)
    new = {(each.problem_id, each.text) for each in texts(large).values() if each.index >= 30}
    assert {(each.problem_id, each.text) for each in scorer.asked} <= new
    assert len(stored_scores(large, job)) == 20 * 130


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0.7", "the scorer returned str, not a number"),
        (None, "the scorer returned NoneType, not a number"),
        (True, "the scorer returned bool, not a number"),
        (float("nan"), "the scorer returned nan"),
        (float("inf"), "the scorer returned inf"),
        (Unscored("longer than 4,096 tokens"), "longer than 4,096 tokens"),
    ],
)
def test_a_sample_with_a_useless_score_is_left_out_and_told_and_tried_again(
    sweep: Sweep, value: object, said: str
) -> None:
    bad = next(iter(texts(sweep).values()))
    same = [each for each in texts(sweep).values() if (each.problem_id, each.text) == (bad.problem_id, bad.text)]

    def answer(candidates: Sequence[Candidate]) -> list[Any]:
        return [value if (each.problem_id, each.text) == (bad.problem_id, bad.text) else 1.0 for each in candidates]

    job = run(sweep, ToyScorer(answer))
    scored = {(each.problem_id, each.index): each for each in stored_scores(sweep, job)}
    left_out = [each for each in scored.values() if each.score is None]
    assert {(each.problem_id, each.index) for each in left_out} == {(each.problem_id, each.index) for each in same}
    assert {each.detail for each in left_out} == {said}
    assert job.notes()[0] == (
        f"scorer: toy gave {len(same)} of 600 samples no score ({said});"
        " they are left out, and the next run tries again"
    )

    again = ToyScorer()
    job = run(sweep, again)
    assert [(each.problem_id, each.text) for each in again.asked] == [(bad.problem_id, bad.text)]
    assert all(each.score is not None for each in stored_scores(sweep, job))


def test_a_useless_score_is_asked_for_again(sweep: Sweep) -> None:
    times = 0

    def answer(candidates: Sequence[Candidate]) -> list[float]:
        nonlocal times
        times += 1
        return [float("nan") if times == 1 else float(len(each.text)) for each in candidates]

    job = run(sweep, ToyScorer(answer))
    assert all(each.score is not None for each in stored_scores(sweep, job))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda candidates: [1.0] * (len(candidates) - 1), "scores for"),
        (lambda candidates: [1.0] * (len(candidates) + 1), "scores for"),
        (lambda candidates: "0.5", "the scorer returned str, not a list of scores"),
        (lambda candidates: 0.5, "the scorer returned float, not a list of scores"),
        (lambda candidates: [float("nan")] * len(candidates), "the scorer returned nan"),
    ],
)
def test_a_scorer_that_answers_nonsense_fails_in_one_line_and_stores_nothing(
    sweep: Sweep, answer: Callable[[Sequence[Candidate]], Any], said: str
) -> None:
    with pytest.raises(ScorerFailedError, match=said) as failed:
        run(sweep, ToyScorer(answer))
    assert str(failed.value).startswith("scorer: toy gave none of 480 samples a score: ")
    assert len(str(failed.value).splitlines()) == 1
    assert scoring_of(sweep, ToyScorer()).scores.stored() == {}


def test_no_score_of_a_call_with_a_wrong_number_of_scores_is_used(sweep: Sweep) -> None:
    """One is dropped in the middle: those after it would belong to other samples."""

    def answer(candidates: Sequence[Candidate]) -> list[float]:
        lengths = [float(len(each.text)) for each in candidates]
        return lengths if len(candidates) == 1 else lengths[:1] + lengths[2:]

    job = run(sweep, ToyScorer(answer, max_candidates=1))
    samples = texts(sweep)
    assert all(each.score == len(samples[each.problem_id, each.index].text) for each in stored_scores(sweep, job))
    with pytest.raises(ScorerFailedError):
        run(fill(FsspecStore(f"{sweep.samples.store.url('')}/other")), ToyScorer(answer, max_candidates=4))


def test_numpy_scores_count_as_numbers(sweep: Sweep) -> None:
    job = run(sweep, ToyScorer(lambda candidates: np.arange(len(candidates), dtype=np.float32)))
    assert all(isinstance(each.score, float) for each in stored_scores(sweep, job))


def test_a_constant_score_is_told(sweep: Sweep) -> None:
    job = run(sweep, ToyScorer(lambda candidates: [0.5] * len(candidates)))
    (note,) = job.notes()
    assert note.startswith("scorer: toy gave all ")
    assert note.endswith(" distinct samples the same score, 0.5: it cannot tell them apart")


def test_scores_given_before_a_failure_are_kept(sweep: Sweep) -> None:
    calls = 0

    def answer(candidates: Sequence[Candidate]) -> list[float]:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise ScorerFailedError("the server is gone")
        return [float(len(each.text)) for each in candidates]

    first = ToyScorer(answer, max_candidates=5)
    with pytest.raises(ScorerFailedError, match="the server is gone"):
        run(sweep, first)
    second = ToyScorer()
    job = run(sweep, second)
    given = {(each.problem_id, each.text) for each in first.asked[:15]}
    assert given.isdisjoint((each.problem_id, each.text) for each in second.asked)
    assert all(each.score is not None for each in stored_scores(sweep, job))


def test_scores_of_an_unfinished_block_are_stored_now_and_then(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is killed with -9 has to score little again."""
    monkeypatch.setattr(scoring, "STORE_EVERY_S", 0.0)

    class Killed(BaseException):
        pass

    def answer(candidates: Sequence[Candidate]) -> list[float]:
        if len(first.asked) > 15:
            raise Killed
        return [float(len(each.text)) for each in candidates]

    first = ToyScorer(answer, max_candidates=5)
    with pytest.raises(Killed):
        run(sweep, first)
    second = ToyScorer()
    run(sweep, second)
    given = {(each.problem_id, each.text) for each in first.asked[:15]}
    assert given.isdisjoint((each.problem_id, each.text) for each in second.asked)


def test_two_runs_never_score_the_same_block(sweep: Sweep) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow(candidates: Sequence[Candidate]) -> list[float]:
        entered.set()
        go_on.wait(60)
        return [float(len(each.text)) for each in candidates]

    mine, theirs = ToyScorer(slow), ToyScorer()
    runs = threading.Thread(target=run, args=(sweep, mine))
    runs.start()
    entered.wait(60)
    other = scoring_of(sweep, theirs)
    with other.claims, other.open() as opened:
        busy, free = other.pending_scores()
        assert other.score(busy, opened) is None
        assert other.score(free, opened)
        go_on.set()
        assert other.score(busy, opened, wait=True)
    runs.join()
    asked = [(each.problem_id, each.text) for each in (*mine.asked, *theirs.asked)]
    assert len(asked) == len(set(asked))


def test_damaged_scores_are_set_aside_and_given_again(sweep: Sweep) -> None:
    job = run(sweep, ToyScorer())
    block = sweep.samples.blocks()[0]
    path = Path(job.scores.url(block))
    path.write_bytes(path.read_bytes()[:-20])
    scorer = ToyScorer()
    job = run(sweep, scorer)
    assert {each.problem_id for each in scorer.asked} == {each.id for each in sweep.selection.problems_in(block)}
    assert len(stored_scores(sweep, job)) == 600


def test_scores_depend_on_scorer_version_and_settings(sweep: Sweep) -> None:
    names = {scoring_of(sweep, ToyScorer()).scores.identity.name}
    other = ToyScorer()
    other.version = 2
    names.add(scoring_of(sweep, other).scores.identity.name)
    other.ingredients = lambda: {"by": "words"}  # type: ignore[method-assign]
    names.add(scoring_of(sweep, other).scores.identity.name)
    assert len(names) == 3


def test_progress_counts_every_sample_once(sweep: Sweep) -> None:
    class Counting(NullProgress):
        planned = done = 0

        def plan(self, stage: str, total: int) -> None:
            self.planned += total

        def advance(self, stage: str, done: int) -> None:
            self.done += done

    counting = Counting()
    token = progress.set(counting)
    try:
        run(sweep, ToyScorer(max_candidates=7))
    finally:
        progress.reset(token)
    assert (counting.planned, counting.done) == (600, 600)


def test_scoring_needs_no_verdicts(tmp_path: Path) -> None:
    sweep = sweep_of(FsspecStore(str(tmp_path)), problems=3, k=4)
    draw(sweep)
    assert len(stored_scores(sweep, run(sweep, ToyScorer()))) == 12
