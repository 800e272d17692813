"""Calls that can be killed: a function of ours, on text of anybody's, in warm processes with limits.

Symbolic algebra can take forever, or all memory, on a line of text. Here every call runs in a process of a separate
pool (`tasks.answers.isolated.process`). One that exceeds its CPU time or memory is killed, a fresh fork replaces it in
milliseconds, and no other call notices. That is a bound on resources, not a security boundary: text is parsed there,
never run.
"""

import atexit
import contextlib
import json
import os
import queue
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

# The parent's module search path is the child's, wherever that was started.
_START = "import sys; sys.path[:] = {path!r}; from tasks.answers.isolated.process import main; main(sys.argv[1:])"
_MAX_PROCESSES = 8
# The number of calls that are taken ahead.
_AT_ONCE = 1_000


class Failure(StrEnum):
    """Why a call has no value."""

    TIME = "time"
    MEMORY = "memory"
    DEPTH = "depth"
    CRASH = "crash"
    LOST = "lost"
    """The process that watches over the call died: nothing is known."""


class Answer(NamedTuple):
    """What a call returned, or why it has not, and the CPU seconds that it took."""

    value: Any = None
    failure: Failure | None = None
    cpu_s: float = 0.0


class IsolatedPool:
    """A pool of warm processes that call `target` (`module:function`, arguments and value JSON), each call with at most
    `cpu_s` seconds of CPU time and `memory_mb` beyond what the imports take. May be used from many threads at once."""

    def __init__(self, target: str, *, cpu_s: float, memory_mb: int = 1024, processes: int | None = None) -> None:
        self._command = [sys.executable, "-c", _START.format(path=sys.path), target, str(cpu_s), str(memory_mb)]
        self.processes = processes or min(len(os.sched_getaffinity(0)), _MAX_PROCESSES)
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes] | None] = queue.SimpleQueue()
        for _ in range(self.processes):
            self._idle.put(None)

    def call(self, *arguments: Any) -> Answer:
        """One call; waits for a free process."""
        process = self._idle.get()
        try:
            for _ in range(2):  # a process that was lost may have been lost to another call's doing
                if process is None or process.poll() is not None:
                    if process is not None:
                        _end(process)
                    process = self._start()
                answer = _ask(process, arguments)
                if answer.failure is not Failure.LOST:
                    break
                _end(process)
                process = None
            return answer
        finally:
            self._idle.put(process)

    def map(self, calls: Iterable[Sequence[Any]]) -> Iterator[Answer]:
        """Many calls, as many at once as there are processes; the answers come in the order of the calls."""
        with ThreadPoolExecutor(self.processes, thread_name_prefix="killable") as pool:
            waiting = iter(calls)
            while some := list(islice(waiting, _AT_ONCE)):
                yield from pool.map(lambda arguments: self.call(*arguments), some)

    def close(self) -> None:
        """End the processes that are idle; a later call starts new ones."""
        for _ in range(self.processes):
            with contextlib.suppress(queue.Empty):
                process = self._idle.get_nowait()
                if process is not None:
                    _end(process)
                self._idle.put(None)

    def _start(self) -> subprocess.Popen[bytes]:
        # One fixed hash seed: what sympy tries first must not change a verdict from run to run.
        environment = os.environ | {"PYTHONHASHSEED": "0"}
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)


def _ask(process: subprocess.Popen[bytes], arguments: Sequence[Any]) -> Answer:
    line = b""
    if process.stdin is not None and process.stdout is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(arguments).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
    if not line.endswith(b"\n"):
        return Answer(failure=Failure.LOST)
    reply = json.loads(line)
    failure = Failure(reply["failure"]) if "failure" in reply else None
    return Answer(reply.get("value"), failure, reply["cpu_s"])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    # Leaving it closes the pipes and waits; what was not flushed has nobody to go to.
    with contextlib.suppress(BrokenPipeError), process:
        pass


@cache
def shared(target: str, cpu_s: float) -> IsolatedPool:
    """The one pool of this process for a function; its processes are started when they are first needed."""
    pool = IsolatedPool(target, cpu_s=cpu_s)
    atexit.register(pool.close)
    return pool
