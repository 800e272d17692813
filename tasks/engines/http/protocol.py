"""The OpenAI API on the wire: the body of a request, and how a reply is read and checked.

Two endpoints are supported, `completions` and `chat` (one user message). A reply is checked before anything of it is
used: one that lacks a text, or whose log-probabilities are not numbers, is rejected as a whole.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from tasks.engines.confidence import MIN_TOP, ConfidenceSettings, sample_confidence, token_confidences
from tasks.records import Confidence, Sampling

Api = Literal["completions", "chat"]
PATHS: dict[Api, str] = {"completions": "completions", "chat": "chat/completions"}
RESERVED_FIELDS = frozenset(
    [
        "model",
        "prompt",
        "messages",
        "n",
        "seed",
        "stream",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "logprobs",
        "top_logprobs",
        "best_of",
        "echo",
        "return_token_ids",
    ]
)
"""Fields that the sweep's own settings determine, or that would change what a reply means."""


_MAX_ABS_LOGPROB = 1e100
"""Larger values are rejected, so that sums stay finite."""

_MAX_TOKENS = 2**31
_IMPOSSIBLE = -9_999.0
"""What vLLM writes for the log-probability of a token that cannot be drawn: JSON has no infinity."""
_TAG = re.compile(r"</?[a-zA-Z!][^<>]{0,200}>")
"""HTML tags: proxies answer with pages."""


class MalformedError(ValueError):
    """A reply does not follow the API; the message is one line."""


class Choice(NamedTuple):
    """One completion of a reply; counts in tokens, log-probability in nats, None if the server does not report it.
    `confidence` is None, too, where it was not asked for."""

    text: str
    tokens: int | None
    logprob: float | None
    finish_reason: str | None
    confidence: Confidence | None = None


class Reply(NamedTuple):
    """The completions of a reply, by position among those requested, from 0.

    `cached_prompt_tokens` is how many of the prompt's tokens the server had cached. Counts are None if the server does
    not report them.
    """

    choices: dict[int, Choice]
    prompt_tokens: int | None
    cached_prompt_tokens: int | None = None


@dataclass(slots=True)
class Wire:
    """How requests to one model are written and its replies read. `length_field` is learnt from a server's refusals."""

    model: str
    api: Api
    logprobs: bool
    extra: Mapping[str, Any]
    vllm: bool
    """Whether the server is known to be vLLM, which counts tokens per choice and can return the log-probabilities of
    the sampled tokens only."""
    confidence: ConfidenceSettings | None = None
    length_field: str = field(default="max_tokens", init=False)
    """Every server knows `max_tokens`, except that OpenAI's reasoning models require `max_completion_tokens`."""

    @property
    def path(self) -> str:
        """The path that requests go to, below a base URL."""
        return PATHS[self.api]

    def body(self, prompt: str, n: int, seed: int | None, sampling: Sampling) -> dict[str, Any]:
        """The body of a request for `n` completions of a prompt; `seed` is that of the first."""
        body: dict[str, Any] = {"model": self.model}
        if self.api == "chat":
            body["messages"] = [{"role": "user", "content": prompt}]
        else:
            body["prompt"] = prompt
        body |= {"n": n, "temperature": sampling.temperature, "top_p": sampling.top_p}
        body[self.length_field] = sampling.max_tokens
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if seed is not None:
            body["seed"] = seed
        if self.logprobs:
            # For completions, this is the number of alternatives; some servers read 0 as "no log-probabilities".
            body["logprobs"] = True if self.api == "chat" else 0 if self.vllm else 1
            if self.confidence is not None:
                body["top_logprobs" if self.api == "chat" else "logprobs"] = self.confidence.top
                if self.vllm and self.api == "completions":
                    # Otherwise the likeliest tokens come by their text, and of two with one text only one.
                    body["return_tokens_as_token_ids"] = True
        elif self.vllm and n > 1:
            body["return_token_ids"] = True
        return body | dict(self.extra)

    def use_rest_of_context(self, body: dict[str, Any]) -> bool:
        """Change a refused request to ask for as many tokens as the context has left. vLLM refuses a prompt that leaves
        less than `max_tokens`.

        Returns:
            False if the request asks for that already, or the server is not known to support it.
        """
        if not self.vllm or body[self.length_field] is None:
            return False
        body[self.length_field] = None
        return True

    def learn(self, refusal: str, body: Mapping[str, Any]) -> bool:
        """Learn from a refusal how this server wants requests to be written; False if it says nothing about that."""
        if "max_tokens" in body and "max_completion_tokens" in refusal:
            self.length_field = "max_completion_tokens"
            return True
        return False

    def read(self, content: bytes, n: int) -> Reply:
        """The completions in a reply to a request for `n`; fewer than `n` if the server returned fewer.

        Raises:
            MalformedError: it is not JSON, or lacks what the API requires.
        """
        try:
            reply = json.loads(content, object_pairs_hook=None if self.confidence is None else _with_repeated)
        except (ValueError, RecursionError) as error:
            raise MalformedError("its reply is not JSON, or is truncated") from error
        choices = reply.get("choices") if isinstance(reply, dict) else None
        if not isinstance(choices, list) or not choices or not all(isinstance(each, dict) for each in choices):
            raise MalformedError("its reply has no choices")
        usage = reply.get("usage")
        counts = usage if isinstance(usage, dict) else {}
        # The total covers all choices: it is a choice's count only if there is just one.
        total = _count(counts.get("completion_tokens")) if len(choices) == 1 else None
        indices = [each.get("index") for each in choices]
        if not all(isinstance(index, int) and 0 <= index < n for index in indices) or len(set(indices)) < len(indices):
            indices = list(range(len(choices)))
        read = {index: self._choice(each, total) for index, each in zip(indices, choices, strict=True) if index < n}
        details = counts.get("prompt_tokens_details")
        cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
        return Reply(read, _count(counts.get("prompt_tokens")), cached)

    def _choice(self, choice: Mapping[str, Any], total: int | None) -> Choice:
        if self.api == "chat":
            message = choice.get("message")
            if not isinstance(message, dict):
                raise MalformedError("a choice of its reply has no message")
            # Null if the model said nothing.
            text = message.get("content", "" if "refusal" in message else None) or ""
            missing = "content" not in message
        else:
            text = choice.get("text") or ""
            missing = "text" not in choice
        if missing or not isinstance(text, str):
            raise MalformedError("a choice of its reply has no text")
        logprobs = _logprobs(choice.get("logprobs")) if self.logprobs else None
        ids = choice.get("token_ids")
        tokens = len(ids) if isinstance(ids, list) else total
        if tokens is None and logprobs is not None:
            tokens = len(logprobs)
        reason = choice.get("finish_reason")
        return Choice(
            text=_valid_unicode(text),
            tokens=tokens,
            logprob=None if logprobs is None else math.fsum(logprobs),
            finish_reason=reason if isinstance(reason, str) else None,
            confidence=None if self.confidence is None else _confidence(choice.get("logprobs"), self.confidence),
        )


def message_of(content: bytes) -> str:
    """The message of an error reply, in one line of at most 300 characters."""
    text = content[:100_000].decode("utf-8", "replace")
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError):
        said = text
    while isinstance(said, dict):
        said = next((said[key] for key in ("error", "message", "detail", "msg") if said.get(key)), "")
    line = " ".join(_TAG.sub(" ", str(said)).split())
    return line if len(line) <= 300 else f"{line[:299]}…"


def _logprobs(given: Any) -> list[float] | None:
    """The log-probabilities of a choice's tokens; None if the server returns none."""
    if not isinstance(given, dict):
        return None
    values: list[Any]
    if isinstance(given.get("content"), list):
        values = [each.get("logprob") if isinstance(each, dict) else None for each in given["content"]]
    elif isinstance(given.get("token_logprobs"), list):
        values = given["token_logprobs"]
    else:
        return None
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MAX_ABS_LOGPROB:
            raise MalformedError(f"a log-probability of its reply is {str(value)[:100]}")
    return values


def _confidence(given: Any, settings: ConfidenceSettings) -> Confidence | None:
    """The confidence of a choice; None if the server does not return the likeliest tokens at every position.

    The sampled token may be listed after them, and vLLM writes -9999 for a token that cannot be drawn. A server that
    lists fewer than were asked for gives the confidence of as many, which says so: `Confidence.top` is how many most
    positions list (of equally frequent numbers, the smallest). The minimum would depend on a single position, and
    confidences of samples with different `top` are not compared: one short list would cost the set its confidences.
    """
    if not isinstance(given, dict):
        return None
    positions = given.get("top_logprobs")
    if isinstance(given.get("content"), list):
        positions = [each.get("top_logprobs") if isinstance(each, dict) else None for each in given["content"]]
    if not isinstance(positions, list):
        return None
    tokens: list[float] = []
    lengths: Counter[int] = Counter()
    for position in positions:
        listed = _values(position) if isinstance(position, dict) else position
        if not isinstance(listed, list):
            return None
        values: list[Any] = [each.get("logprob") if isinstance(each, dict) else each for each in listed]
        for value in values:
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MAX_ABS_LOGPROB:
                raise MalformedError(f"a log-probability of its reply is {str(value)[:100]}")
        possible = [value for value in values if value > _IMPOSSIBLE]
        if not possible or len(values) < MIN_TOP:
            return None
        lengths[min(settings.top, len(values))] += 1
        tokens.append(token_confidences(np.array([possible], np.float64), settings.top)[0])
    top = min(lengths, key=lambda length: (-lengths[length], length), default=settings.top)
    return sample_confidence(np.array(tokens), settings.model_copy(update={"top": top}))


class _Repeated(dict[str, Any]):
    """A JSON object in which a name occurs more than once, as where two tokens have one text; `listed` has every
    value."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.listed = [value for _, value in pairs]


def _with_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Repeated(pairs)


def _values(of: dict[str, Any]) -> list[Any]:
    return of.listed if isinstance(of, _Repeated) else list(of.values())


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_TOKENS else None


def _valid_unicode(text: str) -> str:
    """Replace unpaired surrogates, which JSON allows (a server may cut a character in two) but no file can store."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
