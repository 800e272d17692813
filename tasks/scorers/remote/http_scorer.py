"""Reward models on servers. `tasks.scorers.http` opens this, and says what is asked and returned."""

import math
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

from tasks.engines.http.protocol import MalformedError
from tasks.scorers import NOTHING, Candidate, Spent, Unscored
from tasks.scorers.http import HttpScorerConfig
from tasks.scorers.remote.requester import RejectedError, Requester, token_count, unscored
from tasks.scorers.remote.templates import filled
from tasks.scorers.replies import Replies, key_of
from tasks.scorers.steps import combined, marked

Score = float | Unscored


class HttpScorer:
    """A client of one or several servers with the same model."""

    max_concurrent_calls = 2

    def __init__(self, config: HttpScorerConfig) -> None:
        self._config = config
        self._requester = Requester(config)
        self._spent = NOTHING
        self._lock = threading.Lock()
        self._ask = {
            "classify": self._classify,
            "score": self._pairs,
            "pooling": self._pooling,
            "scores": self._items,
        }[config.api]
        # A conversation takes a separate request.
        alone = config.api in {"classify", "pooling"} and config.template is None
        self._texts = 1 if alone else config.batch_size
        self.max_candidates = min(4_096, max(1, 4 * self._texts * config.concurrency))
        self.version = self._requester.version() or f"{config.api} on an unnamed server"

    def score(self, candidates: Sequence[Candidate]) -> list[float | Unscored]:
        """See `Scorer`. A request that a server refuses is split, until it is clear which texts it refuses."""
        return self.score_with(candidates, Replies())

    def score_with(self, candidates: Sequence[Candidate], replies: Replies) -> list[float | Unscored]:
        """See `Resuming`."""
        keys = [key_of(each.read(self._config.reads), each.text) for each in candidates]
        found: dict[int, Score] = {at: known for at, key in enumerate(keys) if (known := replies.get(key)) is not None}
        asked = [at for at in range(len(candidates)) if at not in found]
        parts = [asked[at : at + self._texts] for at in range(0, len(asked), self._texts)]

        def request(part: list[int]) -> None:
            for at, score in zip(part, self._request([candidates[at] for at in part]), strict=True):
                found[at] = score
                if isinstance(score, int | float) and not isinstance(score, bool) and math.isfinite(score):
                    replies.add(keys[at], float(score))

        self._requester.map(request, parts)
        return [found[at] for at in range(len(candidates))]

    def _request(self, candidates: Sequence[Candidate]) -> list[Score]:
        try:
            return self._ask(candidates)
        except MalformedError as error:
            return [unscored(error)] * len(candidates)
        except RejectedError as error:
            if len(candidates) == 1:
                return [unscored(error)]
            half = len(candidates) // 2
            return [*self._request(candidates[:half]), *self._request(candidates[half:])]

    def _items(self, candidates: Sequence[Candidate]) -> list[Score]:
        items = [{"prompt": each.read(self._config.reads), "text": each.text} for each in candidates]
        body = {"model": self._config.model, "items": items}
        return self._requester.post("scores", body, self._counting(len(items), partial(_scores, len(items))))

    def _pairs(self, candidates: Sequence[Candidate]) -> list[Score]:
        body = self._body() | {
            "text_1": [each.read(self._config.reads) for each in candidates],
            "text_2": [each.text for each in candidates],
        }
        return self._post_data("score", body, len(candidates), lambda each: each.get("score"))

    def _classify(self, candidates: Sequence[Candidate]) -> list[Score]:
        body = self._body() | self._input(candidates)
        return self._post_data("classify", body, len(candidates), lambda each: self._label_of(each.get("probs")))

    def _pooling(self, candidates: Sequence[Candidate]) -> list[Score]:
        steps = self._config.steps
        body = self._body() | {"task": "classify" if steps is None else "token_classify"} | self._input(candidates)
        read = self._label_of if steps is None else self._combined
        return self._post_data("pooling", body, len(candidates), lambda each: read(each.get("data")))

    def _post_data(
        self, path: str, body: dict[str, Any], expected: int, read: Callable[[dict[str, Any]], Any]
    ) -> list[Score]:
        scores = self._counting(expected, lambda reply: [read(each) for each in _data(expected, reply)])
        return self._requester.post(path, body, scores)

    def _counting(self, texts: int, read: Callable[[Any], list[Score]]) -> Callable[[Any], list[Score]]:
        """What reads a reply for this number of texts, and counts the tokens that it reports."""

        def counted(reply: Any) -> list[Score]:
            used = self._used(prompt_tokens(reply), texts)
            with self._lock:
                self._spent = self._spent.plus(used)
            return read(reply)

        return counted

    def _used(self, tokens: int | None, texts: int) -> Spent:
        """What a reply used that reports this many tokens; a reward model writes none."""
        price = self._config.prompt_price
        if tokens is None:
            return Spent(0, None if price is None else 0.0, 0, 0, unreported=1)
        # How the tokens of a request are distributed over its texts is not reported.
        context = tokens * (tokens + 1) // 2 if texts == 1 else None
        return Spent(0, None if price is None else price * tokens / 1e6, tokens, context)

    @property
    def spent(self) -> Spent:
        """The tokens read, and dollars where there is a price, of the replies that report their tokens."""
        with self._lock:
            return self._spent

    def _body(self) -> dict[str, Any]:
        return {"model": self._config.model, "use_activation": self._config.output == "probability"}

    def _input(self, candidates: Sequence[Candidate]) -> dict[str, Any]:
        config = self._config
        pairs = [
            (each.read(config.reads), marked(each.text, config.step_separator, config.step_mark)) for each in candidates
        ]
        if config.template is not None:
            return {"input": [filled(config.template, prompt=prompt, text=text) for prompt, text in pairs]}
        ((prompt, text),) = pairs
        return {"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": text}]}

    def _label_of(self, values: Any) -> Any:
        """The score among those of all labels; whether it is a finite number is checked later."""
        if isinstance(values, list) and len(values) == 1 and isinstance(values[0], list):
            values = values[0]
        if not isinstance(values, list) or not values:
            raise MalformedError("its reply has no list of scores for a text")
        if any(isinstance(each, list) for each in values):
            raise MalformedError("its reply has several scores for a text; set steps to min, product or last")
        if self._config.label_index >= len(values):
            raise MalformedError(f"its reply has {len(values)} labels; label_index is {self._config.label_index}")
        return values[self._config.label_index]

    def _combined(self, rows: Any) -> Any:
        """One score for the steps of a text, [steps] or [steps, labels]."""
        if not isinstance(rows, list) or not rows:
            raise MalformedError("its reply has no scores of steps")
        steps = [self._label_of(row) if isinstance(row, list) else row for row in rows]
        if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in steps):
            raise MalformedError("a step's score in its reply is not a number")
        return combined([float(each) for each in steps], self._config.steps or "last")

    def cancel(self) -> None:
        """End all calls after the requests in flight."""
        self._requester.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._requester.close()


def prompt_tokens(reply: Any) -> int | None:
    """The number of prompt tokens that a reply reports."""
    usage = reply.get("usage") if isinstance(reply, dict) else None
    return token_count(usage, "prompt_tokens")


def _scores(expected: int, reply: Any) -> list[Score]:
    """The scores in a reply of `/scores`; whether each is a finite number is checked later."""
    scores = reply.get("scores") if isinstance(reply, dict) else None
    if not isinstance(scores, list):
        raise MalformedError("its reply has no list `scores`")
    if len(scores) != expected:
        raise MalformedError(f"its reply has {len(scores):,} scores for {expected:,} samples")
    return [Unscored("the server gave no score") if each is None else each for each in scores]


def _data(expected: int, reply: Any) -> list[dict[str, Any]]:
    """The entries of a reply of vLLM, in the order of the texts."""
    data = reply.get("data") if isinstance(reply, dict) else None
    if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
        raise MalformedError("its reply has no list `data`")
    if len(data) != expected:
        raise MalformedError(f"its reply has {len(data):,} scores for {expected:,} samples")
    indices = [each.get("index") for each in data]
    if sorted(map(str, indices)) != sorted(map(str, range(expected))):
        raise MalformedError("its reply does not say which score belongs to which text")
    return sorted(data, key=lambda each: int(each["index"]))
