"""Answers of a language model that end in a label, such as a digit, read as a number.

The last label of an answer counts. With log-probabilities, the number is the expectation over the labels that could
stand in its place.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tasks.engines.http.protocol import MalformedError
from tasks.scorers import Unscored

_MAX_LOGPROB = 0.01
"""Above 0 only by rounding."""


class Labels(NamedTuple):
    """The labels with their numbers; `pattern` finds one where it stands alone, as its first group; `what` names them
    in messages, such as `digit from 1 to 9`."""

    numbers: Mapping[str, float]
    pattern: re.Pattern[str]
    what: str

    def number(self, text: str) -> float | Unscored:
        """That of the last label in a text."""
        found = [label for label in self.pattern.findall(text) if label in self.numbers]
        return self.numbers[found[-1]] if found else self._absent()

    def expectation(self, tokens: Sequence[Any]) -> float | Unscored:
        """The mean over the labels that could stand where the answer's last one does, weighted by their probabilities.

        Args:
            tokens: `logprobs.content` of a reply of the chat API.

        Raises:
            MalformedError: a token has no text, or no log-probability.
        """
        read = [_token(each) for each in tokens]
        answer = "".join(each.text for each in read)
        stop = len(answer)
        for token in reversed(read):
            stop -= len(token.text)
            stripped = token.text.strip()
            if stripped not in self.numbers or not self.pattern.match(answer, stop + token.text.index(stripped)):
                continue
            weights: dict[float, float] = {}
            for alternative in token.alternatives or (token,):
                number = self.numbers.get(alternative.text.strip())
                if number is not None:
                    weights[number] = weights.get(number, 0.0) + math.exp(alternative.logprob)
            total = math.fsum(weights.values())
            if not total:
                break
            return math.fsum(number * weight for number, weight in weights.items()) / total
        return self._absent()

    def _absent(self) -> Unscored:
        return Unscored(f"the answer has no {self.what}")


class _Alternative(NamedTuple):
    text: str
    logprob: float


class _Token(NamedTuple):
    text: str
    logprob: float
    alternatives: tuple[_Alternative, ...]


def _token(given: Any) -> _Token:
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
