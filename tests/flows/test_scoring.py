"""`monkeys sweep` with scorers, against a real Prefect server and a real HTTP server that scores."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from flows.config.sweep import SweepConfig
from flows.config.yaml_file import build_config
from flows.runtime import scoring
from flows.setup.sweep import notes_on_cap
from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.errors import CapReachedError, MonkeysError, ScorerFailedError, UserError
from tests.flows.command import MONKEYS, Ended, environment, monkeys, refused
from tests.scorers.scoring_server import ScoringServer

PROBLEMS, K = 64, 20
BLOCK = 16 * K


def length(path: str, body: dict[str, Any]) -> Any:
    return {"scores": [len(each["text"]) for each in body["items"]]}


@pytest.fixture
def server() -> Iterator[ScoringServer]:
    with ScoringServer(length).serving() as serving:
        yield serving


@pytest.fixture
def folder(tmp_path: Path, server: ScoringServer) -> Path:
    """A sweep file over recorded samples, each text another one, and a scorer on the server."""
    with (tmp_path / "samples.jsonl").open("w") as file:
        for number, problem in enumerate(ArithmeticDataset().load()[:PROBLEMS]):
            for index in range(K + 10):
                text = f"sample {index} of {problem.id}{'.' * (number + index)}"
                file.write(json.dumps({"problem_id": problem.id, "index": index, "text": text}) + "\n")
    (tmp_path / "sweep.yaml").write_text(
        f"dataset: arithmetic\nlimit: {PROBLEMS}\nk: {K}\n"
        f"engine: {{name: recorded, path: {tmp_path / 'samples.jsonl'}}}\n"
        "scorers:\n"
        f"- {{name: http, api: scores, model: toy, base_urls: {server.url},"
        " batch_size: 20, concurrency: 1, retries: 0}\n"
    )
    return tmp_path


def sweep(folder: Path, *arguments: str, prefect_url: str) -> Ended:
    return monkeys("sweep", "sweep.yaml", *arguments, cwd=folder, PREFECT_API_URL=prefect_url)


def asked(server: ScoringServer) -> list[str]:
    return [each["text"] for _, body in server.asked for each in body["items"]]


def scores(folder: Path) -> pd.DataFrame:
    done = monkeys("export", "arithmetic", "-o", "all.parquet", cwd=folder)
    assert done.code == 0, done.err
    return pd.read_parquet(folder / "all.parquet")


def scored_blocks(folder: Path) -> int:
    return len(list((folder / "runs").glob("scores/*/*/p*/i*.parquet")))


@pytest.mark.timeout(900)  # five commands
def test_a_sweep_killed_while_it_scores_resumes_and_scores_nothing_twice(
    folder: Path, server: ScoringServer, prefect_url: str
) -> None:
    def slow(path: str, body: dict[str, Any]) -> Any:
        time.sleep(0.05)
        return length(path, body)

    server.answer = slow
    process = subprocess.Popen(
        [MONKEYS, "sweep", "sweep.yaml"],
        cwd=folder,
        env=environment(PREFECT_API_URL=prefect_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while scored_blocks(folder) < 1:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    done = scored_blocks(folder)
    assert done < 4

    server.answer = length
    ended = sweep(folder, prefect_url=prefect_url)
    assert (ended.code, ended.err) == (0, ""), ended
    assert "nothing to sample: all 1,280 samples up to k are already stored" in ended.out
    assert "scores: http-toy-v1-" in ended.out
    again = Counter(asked(server))
    assert sum(again.values()) - len(again) <= 2 * BLOCK, "what was in flight: two calls at a time"
    assert max(again.values()) <= 2
    assert len(again) == PROBLEMS * K

    server.asked.clear()
    assert sweep(folder, "--k", str(K + 10), prefect_url=prefect_url).code == 0
    assert len(asked(server)) == len(set(asked(server))) == PROBLEMS * 10, "a larger k scores only what it draws"

    frame = scores(folder)
    assert len(frame) == PROBLEMS * (K + 10)
    assert (frame["score"] == frame["text"].str.len()).all(), "each sample has the score for its text"
    assert not list((folder / "runs" / "claims").rglob("*.json"))


def test_a_scorer_that_is_down_delays_no_report_and_the_same_command_resumes(
    folder: Path, server: ScoringServer, prefect_url: str
) -> None:
    server.answer = lambda path, body: (503, {"error": "loading"})
    ended = sweep(folder, prefect_url=prefect_url)
    assert ended.code == 2
    assert ended.err.splitlines() == [
        f"monkeys: {server.url} answers 503 (loading) (the last of 1 failures in a row)."
        " Finished work is saved; run the same command again to resume."
    ]
    assert "report: " in ended.out
    plan = monkeys("plan", "sweep.yaml", cwd=folder)
    assert "1,280 missing of toy" in plan.out

    server.answer = length
    ended = sweep(folder, prefect_url=prefect_url)
    assert ended.code == 0
    assert "nothing to sample" in ended.out
    assert scores(folder)["score"].notna().all()
    assert "nothing missing: toy has scored every sample" in monkeys("plan", "sweep.yaml", cwd=folder).out


def test_samples_without_a_score_are_left_out_told_and_tried_again(
    folder: Path, server: ScoringServer, prefect_url: str
) -> None:
    def answer(path: str, body: dict[str, Any]) -> Any:
        return {"scores": [None if "sample 7 of" in each["text"] else len(each["text"]) for each in body["items"]]}

    server.answer = answer
    ended = sweep(folder, prefect_url=prefect_url)
    assert ended.code == 0
    assert (
        "scorer: http gave 64 of 1,280 samples no score (the server gave no score); they are left out, and the next run"
        " tries again" in ended.out
    )
    frame = scores(folder)
    assert (frame["score"].isna() == (frame["index"] == 7)).all()
    shown = monkeys("samples", "arithmetic", "--index", "7", "--limit", "1", cwd=folder)
    assert "no score: the server gave no score" in shown.out
    document = json.loads(monkeys("show", "arithmetic", "--json", cwd=folder).out)
    assert (document["scores"][0]["scored"], document["scores"][0]["pending"]) == (1_216, 1_280)

    server.answer = length
    server.asked.clear()
    assert sweep(folder, prefect_url=prefect_url).code == 0
    assert len(asked(server)) == 64, "only those without a score"
    assert scores(folder)["score"].notna().all()


def test_scorers_change_neither_samples_nor_verdicts(folder: Path, server: ScoringServer, prefect_url: str) -> None:
    assert sweep(folder, "--set", "scorers=[]", prefect_url=prefect_url).code == 0
    assert not (folder / "runs" / "scores").exists()
    before = sorted(path for path in (folder / "runs").rglob("i*.parquet"))
    assert sweep(folder, prefect_url=prefect_url).code == 0
    after = sorted(path for path in (folder / "runs").rglob("i*.parquet") if "scores" not in path.parts)
    assert after == before


@pytest.mark.parametrize(
    ("scorers", "said"),
    [
        ("[nosuch]", "sweep.yaml: scorers.0.name: 'nosuch' is unknown; one of "),
        ("[{name: onnx}]", "sweep.yaml: scorers.0.model: is required"),
        ("[{name: onnx, model: nosuch}]", "scorers.model: no folder 'nosuch'; give a folder with model.onnx"),
        ("[{name: onnx, model: programs, extra: 1}]", "sweep.yaml: scorers.0.extra: is not a field of a sweep"),
        ("[{name: onnx, model: programs}, {name: onnx, model: programs}]", "the same scorer is listed twice"),
        (
            "[{name: http, api: scores, model: m, base_urls: http://127.0.0.1:9, api_key_env: NO_SUCH_KEY}]",
            "scorers.api_key_env: NO_SUCH_KEY is not set",
        ),
    ],
)
def test_a_scorer_that_cannot_be_used_is_told_in_one_line_before_any_work(
    folder: Path, scorers: str, said: str
) -> None:
    ended = refused("sweep", "sweep.yaml", "--set", f"scorers={scorers}", cwd=folder)
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
    assert said in ended.err
    assert not (folder / "runs").exists()


def test_more_pivots_than_a_budget_draws_of_every_problem_are_told_in_one_line_before_any_work(folder: Path) -> None:
    scorer = "{name: tournament, model: m, base_urls: 'http://127.0.0.1:9'}"
    settings = ("--set", f"scorers=[{scorer}]", "--set", "budget=adaptive", "--set", "k=10")
    ended = refused("sweep", "sweep.yaml", *settings, cwd=folder)
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
    assert (
        "scorers.pivots: tournament compares with the first 4 samples of each problem, and a problem may get only 2"
        " under budget: adaptive; lower pivots to 2, or choose a budget that draws 4 in its first round"
    ) in ended.err
    assert not (folder / "runs").exists()


HTTP = "{name: http, api: scores, model: m, base_urls: 'http://127.0.0.1:9'%s}"
OPENAI = "{name: openai, model: m, base_urls: 'http://127.0.0.1:9'%s}"
TOURNAMENT = "{name: tournament, model: m, pivots: 1, base_urls: 'http://127.0.0.1:9'%s}"


def of_scorer(scorer: str, *settings: str) -> SweepConfig:
    """A sweep with a cap in dollars unless `settings` change it."""
    document = {
        "dataset": "arithmetic",
        "engine": {"name": "onnx", "model": "arithmetic"},
        "price": {"completion": 1.0},
        "cap": {"dollars": 1.0},
        "scorers": yaml.safe_load(f"[{scorer}]"),
    }
    return build_config(SweepConfig, document, settings, where="sweep.yaml")


@pytest.mark.parametrize("scorer", [HTTP, OPENAI, TOURNAMENT])
def test_a_cap_in_dollars_is_refused_where_it_would_count_nothing_for_a_scorer(scorer: str) -> None:
    with pytest.raises(UserError, match=r"cap\.dollars needs a price of scorer: \w+; give it prompt_price") as refused:
        of_scorer(scorer % "")
    assert len(str(refused.value).splitlines()) == 1
    of_scorer(scorer % ", prompt_price: 0")
    of_scorer(scorer % ", prompt_price: 2.5")
    of_scorer(scorer % "", "cap={hours: 1}")


def test_a_cap_in_dollars_says_that_it_does_not_count_the_time_of_a_scorer_in_this_process() -> None:
    local, priced = "{name: onnx, model: programs}", OPENAI % ", completion_price: 1"
    told = notes_on_cap(of_scorer(f"{local}, {priced}"))
    assert told == ["cap.dollars does not count scorer: onnx, whose time has no price here; cap.hours covers it"]
    assert notes_on_cap(of_scorer(local, "cap={tokens: 10}")) == []


class FailingScoring:
    """A scoring whose scorer cannot score; it notes that it was opened."""

    def __init__(self, error: MonkeysError, opened: list[MonkeysError]) -> None:
        self.error = error
        self.opened = opened
        self.claims = nullcontext()

    def open(self, _: Any) -> Any:
        self.opened.append(self.error)
        raise self.error

    def notes(self) -> list[str]:
        return []


def test_no_scorer_is_opened_after_the_cap_even_if_another_one_had_failed_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scoring, "plan_scores", lambda _: ["a block"])
    errors = [ScorerFailedError("no answer"), CapReachedError("cap: spent"), CapReachedError("cap: spent")]
    opened: list[MonkeysError] = []
    scorings: Any = [FailingScoring(error, opened) for error in errors]
    assert scoring.score_samples(scorings, None, None) is errors[0]
    assert opened == errors[:2]
