"""What scorers that ask a chat model have in common: all but how they score."""

from collections.abc import Sequence
from typing import Self

from tasks.scorers import Candidate, Scored, Spent, Unscored
from tasks.scorers.remote.chat_model import ChatModel
from tasks.scorers.replies import Replies


class ChatScorer:
    """An open scorer that asks a chat model. Subclasses have `max_candidates` (`tasks.scorers.Scorer`) and
    `score_with` (`tasks.scorers.Resuming`)."""

    max_concurrent_calls = 2

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.version = model.version

    @property
    def spent(self) -> Spent:
        """Tokens so far, and dollars where there is a price, of the replies that report their tokens."""
        return self._model.spent

    def score_with(self, candidates: Sequence[Candidate], replies: Replies) -> Sequence[float | Scored | Unscored]:
        """See `Resuming`."""
        raise NotImplementedError

    def score(self, candidates: Sequence[Candidate]) -> Sequence[float | Scored | Unscored]:
        """See `Scorer`."""
        return self.score_with(candidates, Replies())

    def cancel(self) -> None:
        """End all calls after the requests in flight."""
        self._model.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._model.close()
