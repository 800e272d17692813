"""What scorers that ask a chat model have in common: all but how they score."""

from typing import Self

from tasks.scorers import Spent
from tasks.scorers.remote.chat_model import ChatModel


class ChatScorer:
    """An open scorer that asks a chat model. Subclasses have `max_candidates` and `score` (`tasks.scorers.Scorer`)."""

    max_concurrent_calls = 2

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.version = model.version

    @property
    def spent(self) -> Spent:
        """Tokens so far, and dollars where there is a price, of the replies that report their tokens."""
        return self._model.spent

    def cancel(self) -> None:
        """End all calls after the requests in flight."""
        self._model.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._model.close()
