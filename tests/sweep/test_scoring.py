"""Scoring stored samples, with scorers that count what they are asked, that fail, and that answer nonsense."""

import errno
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tasks.engines.spend_limit import CapConfig
from tasks.errors import CapReachedError, ScorerFailedError
from tasks.progress import NullProgress, progress
from tasks.records import Sample, ScoredSample
from tasks.scorers import Candidate, Spent, Unscored
from tasks.store import sets
from tasks.store.annotations import ScoreFooter
from tasks.store.blocks import Block
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import find, scored_samples
from tasks.store.inspect.scoring_usage import scoring_usage
from tasks.sweep import scoring
from tasks.sweep.scoring import Scoring
from tasks.sweep.sweep import Sweep
from tasks.sweep.throughput import annotating_throughput
from tests.nothing_to_close import NothingToClose
from tests.store.stored import draw, fill, sweep_of


class ToyScorer:
    """A config and scorer in one: it scores a text by its length, unless `answer` says something else."""

    name, version, label = "toy", 1, "toy"
    max_concurrent_calls = 1

    def __init__(self, answer: Callable[[Sequence[Candidate]], Any] | None = None, max_candidates: int = 1_000) -> None:
        self.answer = answer or (lambda candidates: [float(len(each.text)) for each in candidates])
        self.max_candidates = max_candidates
        self.asked: list[Candidate] = []

    def ingredients(self) -> dict[str, Any]:
        return {"by": "length"}

    def check(self) -> None:
        return None

    def open(self) -> "Opened":
        return Opened(self)


class Opened(NothingToClose):
    version, max_concurrent_calls, spent = "toy 0.1", 1, Spent()

    def __init__(self, config: ToyScorer) -> None:
        self.config = config
        self.max_candidates = config.max_candidates

    def score(self, candidates: Sequence[Candidate]) -> Sequence[float | Unscored]:
        self.config.asked += candidates
        scores: Sequence[float | Unscored] = self.config.answer(candidates)
        return scores


def scoring_of(sweep: Sweep, scorer: ToyScorer) -> Scoring:
    return Scoring(grading=sweep.grading, scorer=scorer, prompt_of=sweep.prompt_of)


def run(sweep: Sweep, scorer: ToyScorer) -> Scoring:
    """Score everything that is pending."""
    job = scoring_of(sweep, scorer)
    with job.claims, job.open() as opened:
        for block in job.pending_scores():
            assert job.score(block, opened)
    return job


def score_up_to_the_cap(job: Scoring) -> None:
    """Score the first block under a cap of 25 tokens, in calls of 10 candidates that cost one each."""
    with (
        job.claims,
        job.open(CapConfig(tokens=25).start(None)) as opened,
        pytest.raises(CapReachedError, match="30 of 25"),
    ):
        job.score(job.pending_scores()[0], opened)


def stored_scores(sweep: Sweep, job: Scoring) -> list[ScoredSample]:
    return [each for block, footer in sweep.samples.stored().items() for each in job.scores.read(block, footer)[0]]


def texts(sweep: Sweep) -> dict[tuple[str, int], Sample]:
    return {
        (each.problem_id, each.index): each for block in sweep.samples.blocks() for each in sweep.samples.read(block)[0]
    }


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return fill(FsspecStore(str(tmp_path)), problems=20, k=30)


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


def test_what_scoring_used_is_stored_and_nothing_is_lost_when_a_run_continues(tmp_path: Path) -> None:
    """Some candidates have no score at first: the block is stored twice, and was paid for twice."""
    sweep = sweep_of(FsspecStore(str(tmp_path)), problems=3, k=4)
    draw(sweep)

    class Counting(Opened):
        @property
        def spent(self) -> Spent:  # type: ignore[override]
            asked = len(self.config.asked)
            return Spent(2 * asked, 0.5 * asked, 10 * asked, 78 * asked)

    class CountingScorer(ToyScorer):
        def open(self) -> Opened:
            return Counting(self)

    first = CountingScorer(lambda candidates: [1.0, *[Unscored("busy")] * (len(candidates) - 1)])
    run(sweep, first)
    second = CountingScorer()
    job = run(sweep, second)
    assert second.asked
    asked = len(first.asked) + len(second.asked)
    footers = list(job.scores.stored().values())
    totals = [
        sum(getattr(each, name) for each in footers) for name in ("tokens", "dollars", "prompt_tokens", "context")
    ]
    assert totals == [2 * asked, 0.5 * asked, 10 * asked, 78 * asked]
    assert not job.pending_scores()


def test_the_seconds_of_all_runs_that_scored_a_block_count(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two blocks take 100 seconds each, one after the other, and 10 seconds each on the next day."""
    clock = datetime(2026, 11, 29, tzinfo=UTC)

    def monotonic() -> float:
        return clock.timestamp()

    takes = timedelta(seconds=100)

    def answer(candidates: Sequence[Candidate]) -> list[Any]:
        nonlocal clock
        clock += takes
        return [Unscored("busy"), *[1.0] * (len(candidates) - 1)]

    monkeypatch.setattr(scoring, "time", SimpleNamespace(monotonic=monotonic))
    monkeypatch.setattr(sets, "now", lambda: clock.isoformat(timespec="seconds"))
    run(sweep, ToyScorer(answer))
    clock += timedelta(days=1)
    takes = timedelta(seconds=10)
    job = run(sweep, ToyScorer(answer))
    footers = job.scores.stored()
    assert len(footers) == 2
    speed = annotating_throughput(footers)
    assert speed is not None
    assert speed.seconds == 220
    stored = find(sweep.samples.store, sweep.samples.identity.name).scores[0]
    usage, scored = scoring_usage(stored), scored_samples(stored)
    assert usage is not None
    assert usage.seconds is not None
    assert usage.seconds * scored == pytest.approx(220)


def test_blocks_that_were_scored_at_the_same_time_share_the_seconds_of_each_run() -> None:
    today, yesterday = "2026-11-30T12:00:00+00:00", "2026-11-29T12:00:00+00:00"
    footer = ScoreFooter("", "toy", today, 10.0, 0, earlier=((yesterday, 100.0),))
    speed = annotating_throughput({Block(0, 10, 0, 16): footer, Block(0, 10, 16, 20): footer})
    assert speed is not None
    assert speed.seconds == pytest.approx(110, abs=2)  # times are stored to the second


def test_what_a_scorer_does_not_report_is_stored_as_not_known(sweep: Sweep) -> None:
    job = run(sweep, ToyScorer())
    for footer in job.scores.stored().values():
        assert (footer.tokens, footer.dollars, footer.prompt_tokens, footer.context) == (0, None, None, None)


class OneTokenEach(ToyScorer):
    """A candidate costs one token."""

    def open(self) -> Opened:
        return OpenedOneTokenEach(self)


class OpenedOneTokenEach(Opened):
    @property
    def spent(self) -> Spent:  # type: ignore[override]
        return Spent(tokens=len(self.config.asked))


def test_what_a_block_without_any_score_used_is_stored_with_the_next_block(sweep: Sweep) -> None:
    failing = True

    def answer(candidates: Sequence[Candidate]) -> list[Any]:
        return [Unscored("busy") if failing else 1.0] * len(candidates)

    scorer = OneTokenEach(answer)
    job = scoring_of(sweep, scorer)
    first, second = job.pending_scores()
    with job.claims, job.open() as opened:
        with pytest.raises(ScorerFailedError):
            job.score(first, opened)
        failing = False
        assert job.score(second, opened)
    assert job.scores.stored()[second].tokens == len(scorer.asked)


def test_what_scores_that_could_not_be_stored_used_is_stored_with_the_next_block(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    scorer = OneTokenEach()
    job = scoring_of(sweep, scorer)
    first, second = job.pending_scores()
    with job.claims, job.open() as opened:
        with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
            patched.setattr(job.scores, "write", full)
            job.score(first, opened)
        assert job.score(second, opened)
    assert job.scores.stored()[second].tokens == len(scorer.asked)


class SometimesSilent(ToyScorer):
    """A candidate costs one token, but the first call's cost is not reported."""

    def open(self) -> Opened:
        return OpenedSometimesSilent(self)


class OpenedSometimesSilent(Opened):
    @property
    def spent(self) -> Spent:  # type: ignore[override]
        silent = min(len(self.config.asked), self.max_candidates)
        reported = len(self.config.asked) - silent
        return Spent(reported, 0.0, reported, reported, unreported=silent)


def test_a_cap_counts_the_replies_that_report_usage_and_tells_of_those_that_do_not(sweep: Sweep) -> None:
    scorer = SometimesSilent(max_candidates=10)
    job = scoring_of(sweep, scorer)
    score_up_to_the_cap(job)
    assert len(scorer.asked) == 40
    assert job.notes() == ["scorer: toy reported no usage in 10 replies; the cap counts only what others reported"]


def test_a_cap_counts_on_after_a_plug_in_that_did_not_know_its_usage_for_a_while(sweep: Sweep) -> None:
    class Forgetful(Opened):
        @property
        def spent(self) -> Spent:  # type: ignore[override]
            asked = len(self.config.asked)
            return Spent(tokens=None if asked == 10 else asked)

    class ForgetfulScorer(ToyScorer):
        def open(self) -> Opened:
            return Forgetful(self)

    scorer = ForgetfulScorer(max_candidates=10)
    job = scoring_of(sweep, scorer)
    score_up_to_the_cap(job)
    assert len(scorer.asked) == 30


def test_a_cap_counts_what_a_call_used_before_it_failed(sweep: Sweep) -> None:
    def fail(candidates: Sequence[Candidate]) -> list[float]:
        raise ScorerFailedError("the server is gone")

    scorer = OneTokenEach(fail, max_candidates=10)
    job = scoring_of(sweep, scorer)
    block = job.pending_scores()[0]
    with job.claims, job.open(CapConfig(tokens=10).start(None)) as opened:
        with pytest.raises(ScorerFailedError):
            job.score(block, opened)
        with pytest.raises(CapReachedError, match="10 of 10"):
            job.score(block, opened)
    assert len(scorer.asked) == 10


def test_only_blocks_with_a_reply_without_usage_are_stored_with_unknown_usage(sweep: Sweep) -> None:
    job = run(sweep, SometimesSilent(max_candidates=10))
    first, second = job.scores.stored().values()
    assert (first.tokens, first.dollars, first.prompt_tokens, first.context) == (None, None, None, None)
    assert second.tokens
    assert second.tokens == second.prompt_tokens == second.context
    (block, *others), stored = job.scores.stored(), find(sweep.samples.store, sweep.samples.identity.name).scores[0]
    usage = scoring_usage(stored)
    assert usage is not None
    assert usage.tokens == pytest.approx(2 * second.tokens / sum(each.samples for each in others)), (
        f"the usage of {block} is not known, and says nothing about the others"
    )


def test_a_cap_ends_scoring_and_keeps_what_was_scored(sweep: Sweep) -> None:
    """The next run continues from there."""
    first, second = OneTokenEach(max_candidates=10), OneTokenEach(max_candidates=10)
    job = scoring_of(sweep, first)
    score_up_to_the_cap(job)
    assert len(first.asked) == 30
    run(sweep, second)
    asked = [(each.problem_id, each.text) for each in (*first.asked, *second.asked)]
    assert len(asked) == len(set(asked))
