"""What the OpenAI API says over the wire: the body of a request, and what of a reply can be believed.

Two of its forms are spoken, `completions` and `chat` (one user message). A reply is checked before anything of it is
taken: one that lacks a text, or whose log-probabilities are not numbers, is rejected as a whole.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from tasks.records import Sampling

Api = Literal["completions", "chat"]
PATHS: dict[Api, str] = {"completions": "completions", "chat": "chat/completions"}
OWN_FIELDS = frozenset(
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
"""Fields that follow from the sweep's own settings, or that would change what a reply means."""


_LARGEST = 1e100
"""No log-probability is further from 0, and sums of these are numbers."""

_MAX_TOKENS = 2**31
_TAG = re.compile(r"</?[a-zA-Z!][^<>]{0,200}>")
"""Proxies answer with pages."""


class MalformedError(ValueError):
    """A reply is not what the API promises; one line."""


class Choice(NamedTuple):
    """One completion of a reply; counts in tokens, log-probability in nats, None where the server does not say."""

    text: str
    tokens: int | None
    logprob: float | None
    finish_reason: str | None


class Reply(NamedTuple):
    """The completions of a reply by their place among those asked for, from 0.

    `cached_prompt_tokens` is the part of the prompt's tokens that the server had cached. Counts are None where it does
    not say.
    """

    choices: dict[int, Choice]
    prompt_tokens: int | None
    cached_prompt_tokens: int | None = None


@dataclass(slots=True)
class Wire:
    """One model behind the API, and how it is spoken to. `length_field` is learnt from what a server refuses."""

    model: str
    api: Api
    logprobs: bool
    extra: Mapping[str, Any]
    vllm: bool
    """Whether the server is known to be vLLM, which counts tokens by choice and gives chosen tokens alone."""
    length_field: str = field(default="max_tokens", init=False)
    """Every server knows `max_tokens`, but OpenAI's reasoning models refuse it for `max_completion_tokens`."""

    @property
    def path(self) -> str:
        """Where requests go, below a base URL."""
        return PATHS[self.api]

    def body(self, prompt: str, n: int, seed: int | None, sampling: Sampling) -> dict[str, Any]:
        """A request for `n` completions of a prompt, the first with this seed."""
        asked: dict[str, Any] = {"model": self.model}
        if self.api == "chat":
            asked["messages"] = [{"role": "user", "content": prompt}]
        else:
            asked["prompt"] = prompt
        asked |= {"n": n, "temperature": sampling.temperature, "top_p": sampling.top_p}
        asked[self.length_field] = sampling.max_tokens
        if sampling.stop:
            asked["stop"] = list(sampling.stop)
        if seed is not None:
            asked["seed"] = seed
        if self.logprobs:
            # Of completions it is the number of alternatives, and some servers take 0 for "none at all".
            asked["logprobs"] = True if self.api == "chat" else 0 if self.vllm else 1
        elif self.vllm and n > 1:
            asked["return_token_ids"] = True
        return asked | dict(self.extra)

    def lengthen(self, asked: dict[str, Any]) -> bool:
        """Let a refused request ask for everything the context leaves; False if it already does, or if the server has
        no such request. vLLM refuses a prompt that leaves less than `max_tokens`."""
        if not self.vllm or asked[self.length_field] is None:
            return False
        asked[self.length_field] = None
        return True

    def learn(self, refusal: str, asked: Mapping[str, Any]) -> bool:
        """Take from the refusal of a request how this server wants to be asked; False where it says nothing of that."""
        if "max_tokens" in asked and "max_completion_tokens" in refusal:
            self.length_field = "max_completion_tokens"
            return True
        return False

    def read(self, content: bytes, n: int) -> Reply:
        """The completions in a reply to a request for `n`; fewer than `n` where the server gave fewer.

        Raises:
            MalformedError: it is not JSON, or lacks what the API promises.
        """
        try:
            reply = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise MalformedError("its reply is not JSON, or breaks off") from error
        choices = reply.get("choices") if isinstance(reply, dict) else None
        if not isinstance(choices, list) or not choices or not all(isinstance(each, dict) for each in choices):
            raise MalformedError("its reply has no choices")
        usage = reply.get("usage")
        counts = usage if isinstance(usage, dict) else {}
        # The total is of all choices: it says something of a choice only where there is one.
        total = _count(counts.get("completion_tokens")) if len(choices) == 1 else None
        places = [each.get("index") for each in choices]
        if not all(isinstance(place, int) and 0 <= place < n for place in places) or len(set(places)) < len(places):
            places = list(range(len(choices)))
        read = {place: self._choice(each, total) for place, each in zip(places, choices, strict=True) if place < n}
        details = counts.get("prompt_tokens_details")
        cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
        return Reply(read, _count(counts.get("prompt_tokens")), cached)

    def _choice(self, choice: Mapping[str, Any], total: int | None) -> Choice:
        if self.api == "chat":
            message = choice.get("message")
            if not isinstance(message, dict):
                raise MalformedError("a choice of its reply has no message")
            # Null where the model said nothing.
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
        )


def message_of(content: bytes) -> str:
    """What an error reply says, in one line of at most 300 characters."""
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
    """The log-probabilities of a choice's tokens; None where the server gives none."""
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
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
            raise MalformedError(f"a log-probability of its reply is {str(value)[:100]}")
    return values


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_TOKENS else None


def _valid_unicode(text: str) -> str:
    """JSON can hold half a surrogate pair, where a server cut a character; no file can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
