"""A language model that is asked for a label, on one or several servers."""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from tasks.engines.http.protocol import MalformedError
from tasks.errors import UserError
from tasks.scorers import NOTHING, Spent, Unscored
from tasks.scorers.remote.chat_settings import ChatSettings
from tasks.scorers.remote.labelled_answers import Labels
from tasks.scorers.remote.requester import RejectedError, Requester, token_count, unscored
from tasks.scorers.replies import Replies, key_of

TOP_LOGPROBS = 20
"""The most alternatives that servers give for a token."""
TRIES = 3
"""How often a label is asked for until the answer has one."""

Result = TypeVar("Result")


class ChatModel:
    """A client of servers with the same model. It counts what its answers cost."""

    def __init__(self, settings: ChatSettings, labels: Labels) -> None:
        self._settings = settings
        self._labels = labels
        self._requester = Requester(settings)
        self._spent = NOTHING
        self._length_field = "max_tokens"
        self._lock = threading.Lock()
        self.version = self._requester.version() or f"OpenAI API, {settings.model}"

    @property
    def spent(self) -> Spent:
        """Tokens so far, and dollars where there is a price, of the replies that report their tokens."""
        with self._lock:
            return self._spent

    def map(self, ask: Callable[..., Result], *arguments: Iterable[Any]) -> list[Result]:
        """Call something for each argument, in the threads that send requests; the results in order."""
        return self._requester.map(ask, *arguments)

    def number(self, message: str, seeds: Sequence[int], replies: Replies) -> float | Unscored:
        """That of the label with which the model answers a message, or answered it before. Where the answer has none,
        it is asked for again with the next seed.

        Raises:
            UserError: log-probabilities were asked for, and there are none; and as `Requester.post` does.
            ScorerFailedError, ScoringCancelledError: as `Requester.post` does.
        """
        key = key_of(message, seeds[0])
        known = replies.get(key)
        if known is not None:
            return known
        found: float | Unscored = Unscored("no answer")
        for seed in seeds:
            try:
                found = self._ask(self._body(message, seed))
            except (MalformedError, RejectedError) as error:
                return unscored(error)
            if not isinstance(found, Unscored):
                replies.add(key, found)
                break
        return found

    def _ask(self, body: dict[str, Any]) -> float | Unscored:
        try:
            return self._requester.post("chat/completions", body, self._read_answer)
        except RejectedError as error:
            # OpenAI's reasoning models want the limit under this name.
            if "max_completion_tokens" not in str(error) or "max_tokens" not in body:
                raise
            self._length_field = "max_completion_tokens"
            renamed = {self._length_field if name == "max_tokens" else name: value for name, value in body.items()}
            return self._requester.post("chat/completions", renamed, self._read_answer)

    def _body(self, message: str, seed: int) -> dict[str, Any]:
        settings = self._settings
        body = {
            "model": settings.model,
            "messages": [{"role": "user", "content": message}],
            "temperature": settings.temperature,
            self._length_field: settings.max_tokens,
            "seed": seed,
        }
        return body | ({"logprobs": True, "top_logprobs": TOP_LOGPROBS} if settings.logprobs else {})

    def _read_answer(self, reply: Any) -> float | Unscored:
        """The number in a reply.

        Raises:
            MalformedError: it is not a reply of the chat API.
            UserError: log-probabilities were asked for, and there are none.
        """
        if isinstance(reply, dict):
            self._count(reply.get("usage"))  # first, as a malformed reply has to be paid for, too
        choices = reply.get("choices") if isinstance(reply, dict) else None
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, dict) else None
        text = message.get("content") if isinstance(message, dict) else None
        if not isinstance(choice, dict) or not isinstance(text, str | None) or not isinstance(message, dict):
            raise MalformedError("its reply has no message")
        if not self._settings.logprobs:
            return self._labels.number(text or "")
        logprobs = choice.get("logprobs")
        tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
        if not isinstance(tokens, list):
            raise UserError(
                f"scorers.logprobs: the server gives no log-probabilities for {self._settings.model!r}; set it to false"
            )
        return self._labels.expectation(tokens)

    def _count(self, usage: Any) -> None:
        prompt, completion = (token_count(usage, name) for name in ("prompt_tokens", "completion_tokens"))
        used = Spent(0, self._settings.dollars(0, 0), 0, 0, unreported=1)
        if prompt is not None and completion is not None:
            context = (prompt + completion) * (prompt + completion + 1) // 2
            used = Spent(completion, self._settings.dollars(prompt, completion), prompt, context)
        with self._lock:
            self._spent = self._spent.plus(used)

    def cancel(self) -> None:
        """End all calls after the requests in flight."""
        self._requester.cancel()

    def close(self) -> None:
        """Drop what has not been sent, and all connections."""
        self._requester.close()
