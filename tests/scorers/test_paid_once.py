"""Scoring that is killed with -9 while a server holds back its replies: what was answered is never asked again."""

import json
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tasks.scorers import ScorerConfig
from tasks.scorers.http import HttpScorerConfig
from tasks.scorers.openai import OpenAIScorerConfig
from tasks.scorers.tournament import TournamentConfig
from tasks.store.fsspec_store import FsspecStore
from tasks.sweep.scoring import Scoring
from tests.scorers.scoring_server import ScoringServer, said
from tests.store.stored import draw, sweep_of
from tests.sweep.toy_scorer import ToyScorer

PROBLEMS, K, CONCURRENCY = 2, 12, 4
SCORERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "tournament": (TournamentConfig, {"pivots": 3}),
    "openai": (OpenAIScorerConfig, {"repeats": 3, "temperature": 0.5, "logprobs": False}),
    "http": (HttpScorerConfig, {"api": "scores", "batch_size": 1}),
}


def config_of(kind: str, url: str) -> Any:
    cls, fields = SCORERS[kind]
    settings = {"base_urls": f"{url}/v1", "model": "owner/model", "concurrency": CONCURRENCY, "timeout_s": 120}
    return cls.model_validate(settings | fields)


def scoring(folder: Path, scorer: ScorerConfig) -> Scoring:
    sweep = sweep_of(FsspecStore(str(folder)), problems=PROBLEMS, k=K)
    return Scoring(grading=sweep.grading, scorer=scorer, prompt_of=sweep.prompt_of)


def score_everything(folder: Path, kind: str, url: str) -> None:
    job = scoring(folder, config_of(kind, url))
    with job.claims, job.open() as opened:
        for block in job.pending_scores():
            job.score(block, opened)


class HoldingBack:
    """Answers the first requests, `answered` of them, and holds back the replies to all others until it is released."""

    def __init__(self, answered: int) -> None:
        self._left = answered
        self._lock = threading.Lock()
        self._released = threading.Event()
        self.answered: list[dict[str, Any]] = []
        self.held: list[dict[str, Any]] = []

    def release(self) -> None:
        self._released.set()

    def __call__(self, path: str, body: dict[str, Any]) -> Any:
        with self._lock:
            self._left -= 1
            holds = self._left < 0 and not self._released.is_set()
            (self.held if holds else self.answered).append(body)
        if holds:
            self._released.wait(120)
            return 500, {}
        if path.endswith("scores"):
            return {"scores": [float(len(each["text"])) for each in body["items"]], "usage": {"prompt_tokens": 100}}
        if "top_logprobs" in body:
            return said("A", [("A", {"A": 0.75, "B": 0.25})])
        return said("7")


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def asked(body: dict[str, Any]) -> list[str]:
    """What a request asks, with the seed, where there is one."""
    if "items" in body:
        return [json.dumps(each, sort_keys=True) for each in body["items"]]
    return [json.dumps([body["messages"], body["seed"]])]


@pytest.mark.parametrize(
    "kind", ["tournament", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("openai", "http"))]
)
def test_no_reply_is_paid_twice_after_kill_9(tmp_path: Path, kind: str) -> None:
    draw(sweep_of(FsspecStore(str(tmp_path)), problems=PROBLEMS, k=K), padding=1)
    requests = 10
    server = HoldingBack(requests)
    with ScoringServer(server).serving() as serving:
        process = multiprocessing.get_context("spawn").Process(
            target=score_everything, args=(tmp_path, kind, serving.url)
        )
        process.start()
        assert process.pid is not None
        job = scoring(tmp_path, config_of(kind, serving.url))
        (block,) = job.pending_scores()

        def all_are_stored() -> bool:
            kept = job.scores.read_replies(block)
            return kept is not None and len(kept[0]) == sum(len(asked(body)) for body in server.answered)

        wait_until(lambda: len(server.answered) == requests and len(server.held) == CONCURRENCY and all_are_stored())
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert job.scores.stored_footer(block) is None, "no score of the block is stored yet"
        server.release()
        score_everything(tmp_path, kind, serving.url)

    times = Counter(each for body in server.answered for each in asked(body))
    assert set(times.values()) == {1}
    assert {each for body in server.held for each in asked(body)} <= times.keys()
    assert not job.pending_scores()
    assert job.scores.read_replies(block) is None, "they are needed no longer"
    footer = job.scores.stored()[block]
    assert footer.prompt_tokens == 100 * len(server.answered), "what the killed run paid counts"
    assert len(footer.runs) == 2


def test_a_scorer_that_cannot_resume_stores_no_replies(tmp_path: Path) -> None:
    draw(sweep_of(FsspecStore(str(tmp_path)), problems=PROBLEMS, k=K))
    job = scoring(tmp_path, ToyScorer())
    seen: list[str] = []
    store = job.scores.store

    class Writing(FsspecStore):
        def write(self, key: str, data: bytes) -> None:
            seen.append(key)
            super().write(key, data)

    job.scores.store = Writing(store.url(""))
    with job.claims, job.open() as opened:
        for block in job.pending_scores():
            job.score(block, opened)
    assert [key for key in seen if key.endswith(".parquet")] == [
        f"scores/{job.samples.identity.name}/{job.scores.identity.name}/{block.key}"
    ]
