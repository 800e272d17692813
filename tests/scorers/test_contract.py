"""The built-in scorers keep what `monkeys.testing` checks of plug-ins, and the check finds those that do not."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Literal

import pytest

from monkeys.testing import ContractError, check_scorer
from tasks.errors import ScoringCancelledError
from tasks.plugins import Config
from tasks.scorers import Candidate, Spent
from tasks.scorers.http import HttpScorerConfig
from tasks.scorers.onnx import OnnxScorerConfig, bundled_scorers
from tasks.scorers.openai import OpenAIScorerConfig
from tasks.scorers.tournament import TournamentConfig
from tests.nothing_to_close import NothingToClose
from tests.scorers.scoring_server import ScoringServer

PROMPTS = [("Print 1.", "print(1)"), ("Print 23.", "print(23)"), ("Print the sum.", "print(sum(map(int, input())))")]


def answer(path: str, body: dict[str, Any]) -> Any:
    if path == "/scores":
        return {"scores": [len(each["text"]) for each in body["items"]]}
    asked = body["messages"][0]["content"]
    return {"choices": [{"message": {"content": f"{'AB'[len(asked) % 2]} {len(asked) % 9 + 1}"}}]}


@pytest.fixture
def server() -> Iterator[ScoringServer]:
    with ScoringServer(answer).serving() as serving:
        yield serving


@pytest.mark.parametrize("name", bundled_scorers())
def test_the_onnx_scorer_keeps_the_contract(name: str) -> None:
    check_scorer(OnnxScorerConfig(model=name), PROMPTS)


def test_scorers_on_servers_keep_the_contract(server: ScoringServer) -> None:
    check_scorer(HttpScorerConfig(api="scores", model="m", base_urls=(server.url,)), PROMPTS)
    check_scorer(OpenAIScorerConfig(model="m", base_urls=(server.url,), logprobs=False), PROMPTS)
    check_scorer(TournamentConfig(model="m", base_urls=(server.url,), logprobs=False), PROMPTS)


Scores = Callable[[Sequence[Candidate]], Any]


class ToyConfig(Config):
    """Scores as `scores` does."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "toy"
    scores: ClassVar[Scores]

    name: Literal["toy"] = "toy"

    def ingredients(self) -> dict[str, Any]:
        return {}

    def check(self) -> None:
        return None

    def open(self) -> "Toy":
        return Toy(type(self).scores)


class Toy(NothingToClose):
    version, max_concurrent_calls, max_candidates, spent = "toy 1", 1, 100, Spent()

    def __init__(self, scores: Scores) -> None:
        self.scores = scores
        self.cancelled = False

    def score(self, candidates: Sequence[Candidate]) -> Any:
        if self.cancelled:
            raise ScoringCancelledError("cancelled")
        return self.scores(candidates)

    def cancel(self) -> None:
        self.cancelled = True


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (lambda candidates: [1.0] * max(1, len(candidates)), r"score\(\) gave 1 scores for 0 candidates"),
        (lambda candidates: [1.0] * (len(candidates) // 2), r"score\(\) gave 1 scores for 3 candidates"),
        (lambda candidates: [math.nan] * len(candidates), "nan for .* is not a finite number"),
        (lambda candidates: ["1"] * len(candidates), "'1' for .* is not a finite number"),
        (lambda candidates: [float(i) for i in range(len(candidates))], "depends on the order"),
        (lambda candidates: [float(len(candidates))] * len(candidates), "depends on the other candidates"),
    ],
)
def test_a_scorer_that_breaks_the_contract_is_found(monkeypatch: pytest.MonkeyPatch, scores: Scores, said: str) -> None:
    monkeypatch.setattr(ToyConfig, "scores", staticmethod(scores), raising=False)
    with pytest.raises(ContractError, match=said):
        check_scorer(ToyConfig(), PROMPTS)


def test_a_sound_scorer_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    def lengths(candidates: Sequence[Candidate]) -> list[float]:
        return [float(len(each.text)) for each in candidates]

    monkeypatch.setattr(ToyConfig, "scores", staticmethod(lengths), raising=False)
    check_scorer(ToyConfig(), PROMPTS)
