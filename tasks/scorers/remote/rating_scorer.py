"""A language model that rates samples. `tasks.scorers.openai` opens this, and says what its scores are."""

import math
import re
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

from tasks.engines.http.protocol import MalformedError
from tasks.errors import UserError
from tasks.scorers import NOTHING, Candidate, Spent, Unscored
from tasks.scorers.openai import OpenAIScorerConfig
from tasks.scorers.remote.requester import RejectedError, Requester, token_count, unscored
from tasks.scorers.remote.templates import filled

TOP_LOGPROBS = 20
"""The most alternatives that servers give for a token."""
TRIES = 3
"""How often a rating is asked for until the answer has one."""

_DIGIT = re.compile(r"(?<![\w.])([0-9])(?![\w]|\.[0-9])")
_MAX_LOGPROB = 0.01
"""Above 0 only by rounding."""


class RatingScorer:
    """A client of one or several servers with the same model."""

    max_concurrent_calls = 2

    def __init__(self, config: OpenAIScorerConfig) -> None:
        self._config = config
        self._requester = Requester(config)
        self._digits = {str(value): value for value in range(config.lowest, config.highest + 1)}
        self._spent = NOTHING
        self._length_field = "max_tokens"
        self._lock = threading.Lock()
        self.max_candidates = max(1, 4 * config.concurrency // config.repeats)
        self.version = self._requester.version() or f"OpenAI API, {config.model}"

    @property
    def spent(self) -> Spent:
        """Tokens so far, and dollars where there is a price; unknown from the first reply on that reports no tokens."""
        with self._lock:
            return self._spent

    def score(self, candidates: Sequence[Candidate]) -> list[float | Unscored]:
        """See `Scorer`. A score is the mean of all ratings; without one of them, there is no score."""
        repeats = self._config.repeats
        asked = [(candidate, repeat) for candidate in candidates for repeat in range(repeats)]
        ratings = self._requester.map(self._rate, *zip(*asked, strict=True)) if asked else []
        return [_mean(ratings[at : at + repeats]) for at in range(0, len(ratings), repeats)]

    def _rate(self, candidate: Candidate, repeat: int) -> float | Unscored:
        rating: float | Unscored = Unscored("no rating")
        for attempt in range(TRIES):
            try:
                rating = self._ask(self._body(candidate, repeat, attempt))
            except (MalformedError, RejectedError) as error:
                return unscored(error)
            if not isinstance(rating, Unscored):
                break
        return rating

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

    def _body(self, candidate: Candidate, repeat: int, attempt: int) -> dict[str, Any]:
        config = self._config
        asked = filled(
            config.rubric,
            prompt=candidate.read(config.reads),
            text=candidate.text,
            lowest=str(config.lowest),
            highest=str(config.highest),
        )
        body = {
            "model": config.model,
            "messages": [{"role": "user", "content": asked}],
            "temperature": config.temperature,
            self._length_field: config.max_tokens,
            "seed": config.seed + repeat + config.repeats * attempt,
        }
        return body | ({"logprobs": True, "top_logprobs": TOP_LOGPROBS} if config.logprobs else {})

    def _read_answer(self, reply: Any) -> float | Unscored:
        """The rating in a reply.

        Raises:
            MalformedError: it is not a reply of the chat API.
            UserError: log-probabilities were asked for, and there are none.
        """
        choices = reply.get("choices") if isinstance(reply, dict) else None
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, dict) else None
        text = message.get("content") if isinstance(message, dict) else None
        if not isinstance(choice, dict) or not isinstance(text, str | None) or not isinstance(message, dict):
            raise MalformedError("its reply has no message")
        self._count(reply.get("usage"))
        if not self._config.logprobs:
            found = [digit for digit in _DIGIT.findall(text or "") if digit in self._digits]
            return float(found[-1]) if found else self._no_rating()
        logprobs = choice.get("logprobs")
        tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
        if not isinstance(tokens, list):
            raise UserError(
                f"scorers.logprobs: the server gives no log-probabilities for {self._config.model!r}; set it to false"
            )
        return self._expectation([_token(each) for each in tokens])

    def _expectation(self, tokens: Sequence["_Token"]) -> float | Unscored:
        """The expectation over the digits that could stand where the answer's last rating does."""
        answer = "".join(each.text for each in tokens)
        stop = len(answer)
        for token in reversed(tokens):
            stop -= len(token.text)
            stripped = token.text.strip()
            if stripped not in self._digits or not _DIGIT.match(answer, stop + token.text.index(stripped)):
                continue
            weights: dict[int, float] = {}
            for alternative in token.alternatives or (token,):
                value = self._digits.get(alternative.text.strip())
                if value is not None:
                    weights[value] = weights.get(value, 0.0) + math.exp(alternative.logprob)
            total = math.fsum(weights.values())
            return (
                math.fsum(value * weight for value, weight in weights.items()) / total if total else self._no_rating()
            )
        return self._no_rating()

    def _no_rating(self) -> Unscored:
        return Unscored(f"the answer has no digit from {self._config.lowest} to {self._config.highest}")

    def _count(self, usage: Any) -> None:
        prompt, completion = (token_count(usage, name) for name in ("prompt_tokens", "completion_tokens"))
        used = Spent(None, None)
        if prompt is not None and completion is not None:
            price = self._config.prompt_price * prompt + self._config.completion_price * completion
            context = (prompt + completion) * (prompt + completion + 1) // 2
            used = Spent(completion, price / 1e6 if self._config.has_price else None, prompt, context)
        with self._lock:
            self._spent = self._spent.plus(used)

    def cancel(self) -> None:
        """End all calls after the requests in flight."""
        self._requester.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._requester.close()


class _Alternative(NamedTuple):
    text: str
    logprob: float


class _Token(NamedTuple):
    text: str
    logprob: float
    alternatives: tuple[_Alternative, ...]


def _token(given: Any) -> _Token:
    """A token of a reply's log-probabilities, with its alternatives.

    Raises:
        MalformedError: it has no text, or no log-probability.
    """
    others = given.get("top_logprobs") if isinstance(given, dict) else None
    return _Token(*_alternative(given), tuple(map(_alternative, others if isinstance(others, list) else ())))


def _alternative(given: Any) -> _Alternative:
    text = given.get("token") if isinstance(given, dict) else None
    logprob = given.get("logprob") if isinstance(given, dict) else None
    if not isinstance(text, str) or isinstance(logprob, bool) or not isinstance(logprob, int | float):
        raise MalformedError("a token of its reply has no log-probability")
    if not logprob <= _MAX_LOGPROB:
        raise MalformedError(f"a log-probability of its reply is {logprob}")
    return _Alternative(text, float(logprob))


def _mean(ratings: Sequence[float | Unscored]) -> float | Unscored:
    failed = next((each for each in ratings if isinstance(each, Unscored)), None)
    return failed or math.fsum(each for each in ratings if not isinstance(each, Unscored)) / len(ratings)
