"""Scores stored samples, with one scorer after the other: a model is opened once the one before it is closed."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.engines.spend_limit import Spending
from tasks.errors import CapReachedError, MonkeysError, ScoringCancelledError
from tasks.progress import progress
from tasks.scorers.checked import CheckedScorer
from tasks.steps.concurrency import concurrency_slot
from tasks.steps.scoring import plan_scores, score_block
from tasks.store.blocks import Block
from tasks.sweep.scoring import Scoring


def score_samples(
    scorings: Sequence[Scoring], concurrency_limit: str | None, spending: Spending | None
) -> MonkeysError | None:
    """Score what is pending, and tell the user what a scorer left out. `spending` has the cap, if there is one.

    Returns:
        Why a scorer failed, for the caller to raise once it has reported on the rest; None if none did. One that fails
        does not keep the others from scoring, unless it reached the cap.
    """
    failed: MonkeysError | None = None
    for scoring in scorings:
        pending = plan_scores(scoring)
        if not pending:
            continue
        try:
            with scoring.claims, concurrency_slot(concurrency_limit), scoring.open(spending) as scorer:
                _score_concurrently(scoring, pending, scorer)
        except ScoringCancelledError:
            raise
        except MonkeysError as error:
            failed = failed or error
        for note in scoring.notes():
            progress.get().say(note)
        if isinstance(failed, CapReachedError):
            break
    return failed


def _score_concurrently(scoring: Scoring, pending: Sequence[Block], scorer: CheckedScorer) -> None:
    """Score every block, `max_concurrent_calls` of the scorer at a time; blocks that another sweep is scoring come
    last."""
    waiting, elsewhere = iter(pending), list[Block]()
    running: dict[PrefectFuture[Any], Block] = {}
    runner: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=scorer.max_concurrent_calls)
    with runner as lanes:
        try:
            while True:
                for block in islice(waiting, scorer.max_concurrent_calls - len(running)):
                    parameters = {"scoring": scoring, "block": block, "scorer": scorer}
                    running[lanes.submit(score_block, parameters)] = block
                if not running:
                    break
                done = next(as_completed(list(running)))
                block = running.pop(done)
                if not done.result():
                    elsewhere.append(block)
        except BaseException:
            # Or else leaving the task runner would wait for the calls in progress.
            scorer.cancel()
            raise
    for block in elsewhere:
        score_block(scoring, block, scorer, wait=True)
