"""The engines that the contract is tested with, each on the same bundled model. To add one, add a line to `SUBJECTS`.

Engines whose packages are missing are skipped, with one skipped test each: transformers needs PyTorch; vLLM, and the
server for the client of the OpenAI API, need vLLM in this Python's environment.
"""

import importlib.util
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from monkeys.testing.engines import draw
from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.engines import EngineConfig
from tasks.engines.model_files import BUNDLED
from tasks.engines.onnx import OnnxConfig
from tasks.engines.openai import OpenAIConfig
from tasks.engines.recorded import RecordedConfig
from tasks.engines.supervised.supervised_process import SupervisedProcess
from tasks.engines.supervised.vllm_process import arguments, environment, installation
from tasks.engines.supervised.vllm_server import flags
from tasks.engines.transformers import TransformersConfig
from tasks.engines.vllm import VllmConfig
from tasks.prompts import render
from tasks.records import Request, Sample, Sampling

MODEL, TASK = "arithmetic", ArithmeticDataset()
PROBLEMS = {problem.id: render(TASK.template, problem.question) for problem in TASK.load()}
CONTEXT = 512
MAX_INDEX = 64
SERVER_START_S = 300


@dataclass(frozen=True)
class Subject:
    """An engine under test. `model`: whether it samples a model, rather than returning recorded samples."""

    name: str
    config: Callable[[Path], Iterator[EngineConfig]]
    modules: tuple[str, ...] = ()
    model: bool = True

    @property
    def absent(self) -> list[str]:
        """The modules that are not installed."""
        return [module for module in self.modules if importlib.util.find_spec(module) is None]

    def configured(self, folder: Path) -> AbstractContextManager[EngineConfig]:
        """Its configuration, while whatever it needs is running."""
        return contextmanager(self.config)(folder)


def sampling(**changes: Any) -> Sampling:
    """The sampling parameters of most tests, which give varied texts that end by themselves."""
    return replace(Sampling(temperature=1.0, top_p=1.0, max_tokens=60, stop=(), seed=0), **changes)


def tokens_of(sample: Sample) -> int:
    """Its number of tokens, which every engine with a model reports."""
    assert sample.tokens is not None
    return sample.tokens


def logprob_of(sample: Sample) -> float:
    """Its log-probability, which every engine with a model reports."""
    assert sample.logprob is not None
    return sample.logprob


def request(start: int, stop: int, problem: int = 3) -> Request:
    """Samples [start, stop) of one of the dataset's problems."""
    name = f"arithmetic/{problem:03}"
    return Request(name, PROBLEMS[name], start, stop)


def _onnx(_: Path) -> Iterator[EngineConfig]:
    yield OnnxConfig(model=MODEL, threads=2, batch_size=16)


def _recorded(folder: Path) -> Iterator[EngineConfig]:
    with OnnxConfig(model=MODEL).open() as engine:
        requests = [request(0, MAX_INDEX, problem) for problem in (3, 20, 70)]
        lines = [json.dumps(asdict(sample)) for sample in draw(engine, requests, sampling()).values()]
    (folder / "samples.jsonl").write_text("\n".join(lines))
    yield RecordedConfig(path=str(folder / "samples.jsonl"))


def _transformers(_: Path) -> Iterator[EngineConfig]:
    yield TransformersConfig(model=MODEL, threads=2, batch_size=24, device="cpu")


def _vllm_in_process(folder: Path) -> Iterator[EngineConfig]:
    yield VllmConfig(model=MODEL, dtype="float32", log=str(folder))


def _vllm_server(folder: Path) -> Iterator[EngineConfig]:
    yield VllmConfig(model=MODEL, dtype="float32", mode="server", log=str(folder))


def _openai(folder: Path) -> Iterator[EngineConfig]:
    """A server started as a user would, independently of the engine."""
    installed = installation(None)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"model": str(BUNDLED / MODEL), "served_model_name": MODEL, "dtype": "float32", "port": port}
    command = [installed.python, "-m", "vllm.entrypoints.openai.api_server", *flags(arguments(installed, own, {}))]
    with (folder / "server.log").open("wb") as log:
        server = SupervisedProcess(command, environment(installed, local_model=True, one_process=False), log)
        try:
            _wait(server, f"http://127.0.0.1:{port}/health", folder / "server.log")
            yield OpenAIConfig(model=MODEL, base_urls=(f"http://127.0.0.1:{port}/v1",), n_per_request=8)
        finally:
            server.stop()


def _wait(server: SupervisedProcess, url: str, log: Path) -> None:
    for _ in range(SERVER_START_S):
        assert server.status() is None, log.read_text()[-2_000:]
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(1)
    raise AssertionError(log.read_text()[-2_000:])


SUBJECTS = [
    Subject("onnx", _onnx),
    Subject("recorded", _recorded, model=False),
    Subject("transformers", _transformers, ("torch", "transformers")),
    Subject("vllm in_process", _vllm_in_process, ("vllm",)),
    Subject("vllm server", _vllm_server, ("vllm",)),
    Subject("openai", _openai, ("vllm",)),
]
