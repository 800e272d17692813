"""What scoring stored samples used: tokens, dollars and seconds, all of them stored, and the cap that counts them."""

import errno
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tasks.engines.spend_limit import CapConfig
from tasks.errors import CapReachedError, ScorerFailedError
from tasks.scorers import Candidate, Spent, Unscored
from tasks.store import sets
from tasks.store.annotations import ScoreFooter
from tasks.store.blocks import Block
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import find, scored_samples
from tasks.store.inspect.scoring_usage import scoring_usage
from tasks.sweep import kept_replies
from tasks.sweep.scoring import Scoring
from tasks.sweep.sweep import Sweep
from tasks.sweep.throughput import annotating_throughput
from tests.store.stored import draw, sweep_of
from tests.sweep.toy_scorer import Opened, ToyScorer, run, scoring_of


def score_up_to_the_cap(job: Scoring) -> None:
    """Score the first block under a cap of 25 tokens, in calls of 10 candidates that cost one each."""
    with (
        job.claims,
        job.open(CapConfig(tokens=25).start(None)) as opened,
        pytest.raises(CapReachedError, match="30 of 25"),
    ):
        job.score(job.pending_scores()[0], opened)


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

    monkeypatch.setattr(kept_replies, "time", SimpleNamespace(monotonic=monotonic))
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
