"""A language model that rates samples. `tasks.scorers.openai` opens this, and says what its scores are."""

import math
import re
from collections.abc import Sequence
from functools import partial

from tasks.scorers import Candidate, Unscored
from tasks.scorers.openai import OpenAIScorerConfig
from tasks.scorers.remote.chat_model import TRIES, ChatModel
from tasks.scorers.remote.chat_scorer import ChatScorer
from tasks.scorers.remote.labelled_answers import Labels
from tasks.scorers.remote.templates import filled
from tasks.scorers.replies import Replies

_DIGIT = re.compile(r"(?<![\w.])([0-9])(?![\w]|\.[0-9])")


class RatingScorer(ChatScorer):
    """A client of one or several servers with the same model."""

    def __init__(self, config: OpenAIScorerConfig) -> None:
        digits = {str(value): float(value) for value in range(config.lowest, config.highest + 1)}
        labels = Labels(digits, _DIGIT, f"digit from {config.lowest} to {config.highest}")
        super().__init__(ChatModel(config, labels))
        self._config = config
        self.max_candidates = max(1, 4 * config.concurrency // config.repeats)

    def score_with(self, candidates: Sequence[Candidate], replies: Replies) -> list[float | Unscored]:
        """See `Resuming`. A score is the mean of all ratings; without one of them, there is no score."""
        repeats = self._config.repeats
        asked = [(candidate, repeat) for candidate in candidates for repeat in range(repeats)]
        ratings = self._model.map(partial(self._rate, replies=replies), *zip(*asked, strict=True)) if asked else []
        return [_mean(ratings[at : at + repeats]) for at in range(0, len(ratings), repeats)]

    def _rate(self, candidate: Candidate, repeat: int, *, replies: Replies) -> float | Unscored:
        config = self._config
        message = filled(
            config.rubric,
            prompt=candidate.read(config.reads),
            text=candidate.text,
            lowest=str(config.lowest),
            highest=str(config.highest),
        )
        first = config.seed + repeat
        return self._model.number(message, range(first, first + TRIES * config.repeats, config.repeats), replies)


def _mean(ratings: Sequence[float | Unscored]) -> float | Unscored:
    failed = next((each for each in ratings if isinstance(each, Unscored)), None)
    return failed or math.fsum(each for each in ratings if not isinstance(each, Unscored)) / len(ratings)
