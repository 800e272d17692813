"""A language model that compares samples. `tasks.scorers.tournament` opens this, and says what its scores are."""

import math
import re
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from tasks.scorers import Candidate, Scored, Unscored
from tasks.scorers.remote.chat_model import TRIES, ChatModel
from tasks.scorers.remote.chat_scorer import ChatScorer
from tasks.scorers.remote.labelled_answers import Labels
from tasks.scorers.remote.templates import filled
from tasks.scorers.replies import Replies
from tasks.scorers.tournament import TournamentConfig

_FIRST_WINS = Labels({"A": 1.0, "B": 0.0}, re.compile(r"(?<!\w)([AB])(?!\w)"), "letter A or B that stands alone")

_Side = int | str
"""A pivot, by its number among the problem's distinct pivots, or the text of another sample."""


class _Comparison(NamedTuple):
    """Two samples of a problem, in the order in which they are shown."""

    problem_id: str
    first: _Side
    second: _Side


class _Match(NamedTuple):
    """A comparison of a candidate with a distinct pivot; `leads`: whether the candidate is shown first."""

    comparison: _Comparison
    pivot: int
    leads: bool


class ComparingScorer(ChatScorer):
    """A client of one or several servers with the same model. Two pivots in one call of `score` are compared once, for
    the scores of both."""

    def __init__(self, config: TournamentConfig) -> None:
        super().__init__(ChatModel(config, _FIRST_WINS))
        self._config = config
        self._lock = threading.Lock()
        self._compared = 0
        self._first_won = 0.0
        comparisons = config.pivots * (2 if config.orders == "both" else 1)
        self.max_candidates = max(config.pivots, 4 * config.concurrency // comparisons)

    def score_with(self, candidates: Sequence[Candidate], replies: Replies) -> list[Scored | Unscored]:
        """See `Resuming`. Without one of its comparisons, a candidate has no score."""
        matches = [self._matches(candidate) for candidate in candidates]
        asked: dict[_Comparison, Candidate] = {}
        for candidate, of_candidate in zip(candidates, matches, strict=True):
            for comparison, _, _ in of_candidate:
                asked.setdefault(comparison, candidate)
        compare = partial(self._compare, replies=replies)
        found = dict(zip(asked, self._model.map(compare, asked, asked.values()), strict=True))
        first_won = [won for won in found.values() if not isinstance(won, Unscored)]
        with self._lock:
            self._compared += len(first_won)
            self._first_won += math.fsum(first_won)
        return [_scored(*each, found) for each in zip(candidates, matches, strict=True)]

    def notes(self) -> Iterator[str]:
        """How often the sample that was shown first has won."""
        with self._lock:
            compared, first_won = self._compared, self._first_won
        if compared:
            cancelled = {
                "both": "each pair was compared in both orders, so that this cancels",
                "alternate": "each sample was shown first in every second comparison, so that this cancels on average",
            }[self._config.orders]
            yield (
                f"tournament by {self._config.label}: the sample shown first won {100 * first_won / compared:.1f}%"
                f" of {compared:,} comparisons (50% without a position bias); {cancelled}"
            )

    def _matches(self, candidate: Candidate) -> list[_Match]:
        pivots = _distinct(candidate)
        own = pivots.index(candidate.text) if candidate.text in pivots else None
        mine: _Side = candidate.text if own is None else own
        found: list[_Match] = []
        for number in range(len(pivots)):
            if number == own:
                continue
            # Half of the samples are shown first to the even pivots, and half to the odd ones, so that how good samples
            # are does not look like a position bias. Of two pivots, the one with the lower number is shown first if
            # the sum of their numbers is odd.
            odd = (number + (_parity(candidate.text) if own is None else own)) % 2 == 1
            leads = odd if own is None else odd == (own < number)
            for first in (True, False) if self._config.orders == "both" else (leads,):
                shown = (mine, number) if first else (number, mine)
                found.append(_Match(_Comparison(candidate.problem_id, *shown), number, first))
        return found

    def _compare(self, comparison: _Comparison, candidate: Candidate, *, replies: Replies) -> float | Unscored:
        """The probability that the one shown first wins."""
        config, pivots = self._config, _distinct(candidate)
        first, second = (side if isinstance(side, str) else pivots[side] for side in comparison[1:])
        message = filled(config.rubric, prompt=candidate.read(config.reads), first=first, second=second)
        return self._model.number(message, range(config.seed, config.seed + TRIES), replies)


def _scored(
    candidate: Candidate, matches: Sequence[_Match], known: Mapping[_Comparison, float | Unscored]
) -> Scored | Unscored:
    """The candidate's mean share of wins over all pivots, of which equal ones count as often as they occur. Its detail
    has the shares by pivot and order."""
    if not candidate.pivots:
        return Unscored("there is no sample to compare it with")
    pivots = _distinct(candidate)
    won: dict[str, list[float]] = {}
    details: list[str] = []
    for comparison, pivot, leads in matches:
        first_won = known[comparison]
        if isinstance(first_won, Unscored):
            return first_won
        share = first_won if leads else 1.0 - first_won
        won.setdefault(pivots[pivot], []).append(share)
        details.append(f"pivot {pivot} {'first' if leads else 'second'}: {share:.4g}")
    shares = [math.fsum(won[text]) / len(won[text]) if text in won else 0.5 for text in candidate.pivots]
    return Scored(math.fsum(shares) / len(shares), ", ".join(details))


def _distinct(candidate: Candidate) -> list[str]:
    return list(dict.fromkeys(candidate.pivots))


def _parity(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) % 2
