"""The real vLLM for tests: where it is installed, its configuration, and which processes belong to it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.engines import Engine
from tasks.engines.supervised.vllm_process import installation
from tasks.engines.vllm import VllmConfig
from tasks.errors import UserError
from tasks.prompts import render
from tasks.records import Request, Sample, Sampling

TASK = ArithmeticDataset()
SUPERVISOR = "supervised_process.py"
PROBLEMS = TASK.load()


def _has_vllm() -> bool:
    if find_spec("vllm") is None:
        return False
    try:
        installation(sys.executable)
    except UserError:
        return False
    return True


PYTHON = sys.executable if _has_vllm() else None


def config(mode: str, log: Path, **changes: Any) -> VllmConfig:
    """The bundled arithmetic model in float32, whose samples are bit-identical on a CPU."""
    usual = {"model": "arithmetic", "dtype": "float32", "python": PYTHON, "log": str(log), "start_timeout_s": 250}
    return VllmConfig.model_validate(usual | {"mode": mode} | changes)


def sampling(**changes: Any) -> Sampling:
    """The dataset's sampling parameters."""
    usual: dict[str, Any] = {
        "temperature": 0.6,
        "top_p": 1.0,
        "max_tokens": TASK.max_tokens,
        "stop": TASK.stop,
        "seed": 0,
    }
    return Sampling(**usual | changes)


def request(problem: int, start: int, stop: int) -> Request:
    """A request for samples [start, stop) of one of the dataset's problems."""
    return Request(PROBLEMS[problem].id, render(TASK.template, PROBLEMS[problem].question), start, stop)


def draw(engine: Engine, requests: Sequence[Request], how: Sampling | None = None) -> dict[tuple[str, int], Sample]:
    """All samples by problem and index; each must arrive exactly once."""
    drawn: dict[tuple[str, int], Sample] = {}
    for samples in engine.sample(requests, how or sampling()):
        for sample in samples:
            assert (sample.problem_id, sample.index) not in drawn
            drawn[sample.problem_id, sample.index] = sample
    return drawn


def processes() -> dict[int, str]:
    """The processes of the engines that this process opened, by id, with their command lines."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid,ppid,args"], check=True, capture_output=True, text=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()[1:]]
    found = {int(pid): args for pid, parent, args in rows if int(parent) == os.getpid() and SUPERVISOR in args}
    size = -1
    while size != len(found):
        size = len(found)
        found |= {int(pid): args for pid, parent, args in rows if int(parent) in found}
    return found
