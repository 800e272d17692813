"""Checks what a scorer returns against what it was asked for, before anything is stored."""

import math
import threading
from collections.abc import Sequence
from numbers import Real
from typing import Self

from tasks.engines.spend_limit import Spending
from tasks.scorers import NOTHING, Candidate, Resuming, Scored, Scorer, Spent, Telling, Unscored
from tasks.scorers.replies import Replies

TRIES = 3
"""How often a candidate is scored until its score is a finite number."""


class CheckedScorer:
    """A scorer whose answers are one finite `Scored` or one `Unscored` for each candidate.

    Anything else (text, NaN, an infinite number, another number of scores) is asked for again, and in the end is an
    `Unscored` that says what was returned. If the number of scores is wrong, none of them is used: nobody knows which
    candidates they belong to. `label` names the scorer in messages. With `spending`, no call starts once the run has
    reached its cap.
    """

    def __init__(self, scorer: Scorer, label: str, spending: Spending | None = None) -> None:
        self._scorer = scorer
        self.label = label
        self._spending = spending
        self._taken = NOTHING
        self._tokens, self._dollars = 0, 0.0
        self._lock = threading.Lock()

    @property
    def version(self) -> str:
        """That of the inner scorer."""
        return self._scorer.version

    @property
    def max_concurrent_calls(self) -> int:
        """That of the inner scorer."""
        return self._scorer.max_concurrent_calls

    @property
    def max_candidates(self) -> int:
        """That of the inner scorer."""
        return self._scorer.max_candidates

    @property
    def resumes(self) -> bool:
        """Whether the inner scorer is `Resuming`."""
        return isinstance(self._scorer, Resuming)

    def score(self, candidates: Sequence[Candidate], replies: Replies | None = None) -> list[Scored | Unscored]:
        """See `Scorer`, and `Resuming` for `replies`.

        Raises:
            CapReachedError: the run has reached its cap.
        """
        kept = Replies() if replies is None else replies
        if self._spending is None:
            return self._score(candidates, kept)
        self._spending.check()
        try:
            return self._score(candidates, kept)
        finally:  # a call that fails has to be paid for, too
            self._count(self._spending)

    def _score(self, candidates: Sequence[Candidate], replies: Replies) -> list[Scored | Unscored]:
        found: list[Scored | Unscored] = [Unscored("not scored")] * len(candidates)
        faulty = list(range(len(candidates)))
        for _ in range(TRIES):
            asked, faulty = faulty, []
            returned = self._ask([candidates[at] for at in asked], replies)
            fault = _fault_of_count(returned, len(asked))
            for at, value in zip(asked, [fault] * len(asked) if fault else returned, strict=True):
                found[at], right = _checked(value)
                if fault or not right:
                    faulty.append(at)
            if not faulty:
                break
        return found

    def _ask(self, candidates: Sequence[Candidate], replies: Replies) -> Sequence[float | Scored | Unscored]:
        if isinstance(self._scorer, Resuming):
            return self._scorer.score_with(candidates, replies)
        return self._scorer.score(candidates)

    def _count(self, spending: Spending) -> None:
        with self._lock:
            spent = self._scorer.spent
            # While a sum is not known, the last one that was known counts.
            tokens = self._tokens if spent.tokens is None else spent.tokens
            dollars = self._dollars if spent.dollars is None else spent.dollars
            spending.add(tokens - self._tokens, dollars - self._dollars)
            self._tokens, self._dollars = tokens, dollars

    def take_spent(self) -> Spent:
        """What has been used since this was last called, so that nothing is counted twice. Calls of `score` that run
        at the same time share it: the sum over all is right."""
        with self._lock:
            before, self._taken = self._taken, self._scorer.spent
            return self._taken.since(before)

    def give_back(self, spent: Spent) -> None:
        """Have the next `take_spent` include what one returned that could not be stored."""
        with self._lock:
            self._taken = self._taken.since(spent)

    def notes(self) -> list[str]:
        """What the inner scorer says about its scores, one line each, and whether the cap left something out."""
        told = list(self._scorer.notes()) if isinstance(self._scorer, Telling) else []
        unreported = self._scorer.spent.unreported if self._spending is not None and self._spending.by_usage else 0
        if unreported:
            told.append(
                f"{self.label} reported no usage in {unreported:,} replies; the cap counts only what others reported"
            )
        return told

    def cancel(self) -> None:
        """Cancel the inner scorer's calls."""
        self._scorer.cancel()

    def __enter__(self) -> Self:
        self._scorer.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._scorer.__exit__(*exc)


def _fault_of_count(returned: object, expected: int) -> Unscored | None:
    if isinstance(returned, str | bytes) or not hasattr(returned, "__len__") or not hasattr(returned, "__iter__"):
        return Unscored(f"the scorer returned {type(returned).__name__}, not a list of scores")
    count = len(returned)
    return None if count == expected else Unscored(f"the scorer returned {count:,} scores for {expected:,} samples")


def _checked(value: object) -> tuple[Scored | Unscored, bool]:
    """What a value counts as, and whether it is what a scorer may return."""
    if isinstance(value, Unscored):
        return value, True
    score, detail = value if isinstance(value, Scored) else (value, "")
    if isinstance(score, bool) or not isinstance(score, Real):
        return Unscored(f"the scorer returned {type(score).__name__}, not a number"), False
    number = float(score)
    return (
        (Scored(number, detail), True) if math.isfinite(number) else (Unscored(f"the scorer returned {number}"), False)
    )
