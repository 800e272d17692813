"""The client under test with a misbehaving server, its requests, and a check of what it draws."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tasks.engines import seeds
from tasks.engines.http.engine import OpenAIEngine
from tasks.records import Request, Sample, Sampling
from tests.engines.misbehaving_server import MisbehavingServer

KEY = "sk-very-secret-0123456789"


def sampling(**changes: Any) -> Sampling:
    return replace(Sampling(temperature=0.6, top_p=0.9, max_tokens=50, stop=("\n", "END"), seed=11), **changes)


def engine_on(*servers: MisbehavingServer, **settings: Any) -> OpenAIEngine:
    usual: dict[str, Any] = {"model": "m", "n_per_request": 8, "concurrency": 4, "backoff_s": 0.01, "timeout_s": 20.0}
    return OpenAIEngine(**usual | {"base_urls": [each.url for each in servers]} | settings)


REQUESTS = [Request("p/0", "What is 1 + 1?", 0, 30), Request("p/1", "Wie heißt der Affe? 🐒", 5, 18)]


def draw(engine: OpenAIEngine, requests: Sequence[Request] = REQUESTS, **changes: Any) -> dict[tuple[str, int], Sample]:
    drawn: dict[tuple[str, int], Sample] = {}
    for batch in engine.sample(requests, sampling(**changes)):
        for sample in batch:
            assert (sample.problem_id, sample.index) not in drawn, "arrived twice"
            drawn[sample.problem_id, sample.index] = sample
    return drawn


def keys(requests: Sequence[Request] = REQUESTS) -> set[tuple[str, int]]:
    return {(request.problem_id, i) for request in requests for i in range(request.start, request.stop)}


def assert_complete(drawn: dict[tuple[str, int], Sample], requests: Sequence[Request] = REQUESTS) -> None:
    """Every sample was drawn, with its own seed."""
    assert drawn.keys() == keys(requests)
    for (problem_id, index), sample in drawn.items():
        assert sample.text == f"sample {seeds.base_seed(11, problem_id) + index}"
