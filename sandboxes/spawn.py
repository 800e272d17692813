"""One bubblewrap and one interpreter for each execution: slower than the fork server, and needing less of the kernel.

Everything about an execution is new and private to it, so that nothing can be left for the next.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sandboxes import Limits, Outcome, SandboxUnavailableError, Status
from sandboxes.ending import file_size_limit, memory_file, outcome_of, wall_bound
from sandboxes.interpreter import Interpreter
from sandboxes.isolation import NAMESPACES, SETTING, UserIds, identity, view
from sandboxes.seccomp import filter_program

_EXECUTOR = Path(__file__).with_name("executor.py").read_text()
# What the interpreter and its libraries map before the program begins counts to RLIMIT_AS as well.
_BASE_MEMORY = 64 * 1024 * 1024
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Ending:
    """How one bubblewrap ended: its status report, the resources it used, and why it was stopped, if it was."""

    exit_code: int | None
    ready: bool
    cpu_s: float
    wall_s: float
    timed_out: str


class SpawnSandbox:
    """The sandbox named `bubblewrap-spawn`."""

    name = "bubblewrap-spawn"

    def __init__(self, interpreter: Interpreter, workers: int):
        self.workers = workers
        self._python = interpreter.command
        self._command = (shutil.which("bwrap") or "bwrap", *NAMESPACES, *identity(), *SETTING, *view(interpreter))
        self._filter = filter_program()
        self._slots = threading.Semaphore(self.workers)
        self._uids = UserIds() if os.geteuid() == 0 else None
        first = self.run("print(6 * 7)", b"", Limits())
        if first.status is not Status.OK or first.stdout != b"42\n":
            raise SandboxUnavailableError(
                f"a first program did not run under bubblewrap: {first.status.value}, {first.detail} "
                f"{first.stderr.decode(errors='replace').strip()}"
            )

    def run(self, program: str, stdin: bytes, limits: Limits) -> Outcome:
        """See `sandboxes.Sandbox.run`."""
        files: list[int] = []
        try:
            # In the order of the descriptors that the program finds: stdin, stdout, stderr, its text.
            for data in (stdin, b"", b"", program.encode("utf-8", "surrogatepass"), self._filter):
                files.append(memory_file(data))  # noqa: PERF401 (what was opened must be closed if the next fails)
            with self._slots:
                ending = self._execute(files, limits)
            if not ending.ready or ending.exit_code is None:
                message = os.pread(files[2], 500, 0).decode(errors="replace").strip()
                return Outcome(Status.INFRASTRUCTURE, detail=f"bubblewrap did not start the program: {message}")
            return outcome_of(
                limits,
                stdout=files[1],
                stderr=files[2],
                exit_code=ending.exit_code,
                timed_out=ending.timed_out,
                cpu_s=ending.cpu_s,
                wall_s=ending.wall_s,
            )
        except OSError as error:
            return Outcome(Status.INFRASTRUCTURE, detail=f"{type(error).__name__}: {error}")
        finally:
            for fd in files:
                os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is held between executions."""

    def _execute(self, files: list[int], limits: Limits) -> _Ending:
        stdin, stdout, stderr, code, filter_fd = files
        report, report_end = os.pipe()
        ready, ready_end = os.pipe()
        ends = [report_end, ready_end]
        # In the order of `executor.once`.
        settings = (
            *(code, ready_end, self._uids.take() if self._uids else 0),
            *(limits.memory_mb * _MEGABYTE + _BASE_MEMORY, int(limits.cpu_s) + 2),
            *(limits.processes + 1, file_size_limit(limits)),
        )
        filters = ("--seccomp", str(filter_fd)) if self._filter else ()
        program = ("--", *self._python, "-c", _EXECUTOR, "once", *map(str, settings))
        try:
            started = time.monotonic()
            process = subprocess.Popen(
                [*self._command, *filters, "--json-status-fd", str(report_end), *program],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(code, ready_end, filter_fd, report_end),
            )
            while ends:
                os.close(ends.pop())
            exit_code, timed_out = _watch(process, report, limits, started)
            usage = os.wait4(process.pid, 0)[2]
            process.returncode = 0  # It was reaped just above: subprocess must not wait for it again.
            return _Ending(
                exit_code,
                os.read(ready, 1) == b"1",
                usage.ru_utime + usage.ru_stime,
                time.monotonic() - started,
                timed_out,
            )
        finally:
            for fd in (report, ready, *ends):
                os.close(fd)


def _watch(process: subprocess.Popen[bytes], report: int, limits: Limits, started: float) -> tuple[int | None, str]:
    """Follow bubblewrap's status reports to their end; kill the program when its time is over.

    Returns its exit code (128 + n for signal n; None if bubblewrap reports none), and why it was killed or "".
    """
    poll = select.poll()
    poll.register(report, select.POLLIN)
    text, pid, timed_out, wait_s = b"", None, "", min(limits.cpu_s, wall_bound(limits))
    while True:
        if poll.poll(1000 * wait_s):
            news = os.read(report, 4096)
            if not news:
                break
            text += news
            pid = _reported(text).get("child-pid")
            continue
        wall_s, cpu_s = time.monotonic() - started, 0.0 if pid is None else cpu_seconds(pid)
        if cpu_s > limits.cpu_s:
            timed_out = f"{cpu_s:.2f} s of CPU time, limit {limits.cpu_s:g} s"
        elif wall_s > wall_bound(limits):
            timed_out = f"{wall_s:.1f} s on the clock, limit {wall_bound(limits):g} s"
        if timed_out:
            # The first process of its name space takes all the others with it.
            _kill(pid or process.pid)
            wait_s = 60.0
        else:
            wait_s = max(0.01, min(limits.cpu_s - cpu_s, wall_bound(limits) - wall_s))
    return _reported(text).get("exit-code"), timed_out


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _reported(text: bytes) -> dict[str, int]:
    """Everything in bubblewrap's status reports so far (a JSON object a line)."""
    merged: dict[str, int] = {}
    for line in text.splitlines(keepends=True):
        if line.endswith(b"\n"):
            merged |= json.loads(line)
    return merged


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used so far; 0 once it is gone. (The clock's number: clock_getcpuclockid(3).)"""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0
