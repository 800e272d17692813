"""Scores stored samples, with one scorer after the other: a model is opened once the one before it is closed."""

from collections.abc import Sequence

from flows.runtime.concurrent_blocks import concurrently
from tasks.engines.spend_limit import Spending
from tasks.errors import CapReachedError, MonkeysError, ScoringCancelledError
from tasks.progress import progress
from tasks.steps.concurrency import concurrency_slot
from tasks.steps.scoring import plan_scores, score_block
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
        capped = False
        try:
            with scoring.claims, concurrency_slot(concurrency_limit), scoring.open(spending) as scorer:
                for _ in concurrently(score_block, pending, scorer, scoring=scoring, scorer=scorer):
                    pass
        except ScoringCancelledError:
            raise
        except MonkeysError as error:
            failed = failed or error
            capped = isinstance(error, CapReachedError)
        for note in scoring.notes():
            progress.get().say(note)
        if capped:
            break
    return failed
