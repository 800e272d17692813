"""The process behind `tasks.answers.isolated.pool`: answers questions by a child that it can kill.

It imports what the questions need once, and forks. The child computes; this process only passes lines on, watches the
child's CPU time and the clock, and puts a fresh child in the place of one that it killed or lost. It ends, and its
child with it, when its controller does. One JSON line in is a list of arguments; one JSON line out is an answer.
"""

import gc
import importlib
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sandboxes.linux.prctl import die_with_parent

# How often the CPU clock of a child that takes long is read.
_LOOK_S = 0.05
# Caches of what was computed grow with it: a fresh child begins with none.
_ANSWERS_A_CHILD = 2_000


@dataclass
class _Child:
    """A forked process that answers questions one after another."""

    function: Callable[..., Any]
    memory_mb: int
    pid: int = 0
    answered: int = 0
    cpu_s: float = 0.0
    """What the latest question has cost so far."""
    _questions: BinaryIO = field(init=False)
    _answers: BinaryIO = field(init=False)

    def __post_init__(self) -> None:
        to_child, from_server = os.pipe()
        to_server, from_child = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(from_server)
            os.close(to_server)
            _answer(self.function, self.memory_mb, os.fdopen(to_child, "rb"), os.fdopen(from_child, "wb"))
            os._exit(0)
        os.close(to_child)
        os.close(from_child)
        self._questions, self._answers = os.fdopen(from_server, "wb"), os.fdopen(to_server, "rb")

    def ask(self, line: bytes, cpu_s: float, controller: int) -> bytes:
        """The answer's line; empty where the child has died of the question.

        Raises:
            TimeoutError: it used `cpu_s` seconds of CPU time, or slept for three times as long and 5 s. (Waiting for a
                core does not count: then only the machine is slow.)
            EOFError: the controller has hung up.
        """
        looked, used, asleep_s = time.monotonic(), self._clock(), 0.0
        self._questions.write(line)
        self._questions.flush()
        self.answered += 1
        while True:
            ready, _, _ = select.select([self._answers.fileno(), controller], [], [], _LOOK_S)
            self.cpu_s = self._clock() - used
            if self._answers.fileno() in ready:
                return self._answers.readline()
            if controller in ready:
                raise EOFError
            now = time.monotonic()
            asleep_s += 0.0 if self._can_run() else now - looked
            looked = now
            if self.cpu_s >= cpu_s or asleep_s >= 3 * cpu_s + 5:
                raise TimeoutError

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        # What was not flushed has nobody to go to.
        for stream in (self._questions, self._answers):
            try:
                stream.close()
            except BrokenPipeError:
                continue

    def _can_run(self) -> bool:
        """Whether the child runs, or waits for a core or a disk (proc(5): states R and D)."""
        with open(f"/proc/{self.pid}/stat", "rb") as file:  # noqa: PTH123 - a short-lived process, without pathlib
            return file.read().rpartition(b")")[2].split()[0] in (b"R", b"D")

    def _clock(self) -> float:
        """CPU seconds of the child so far, from its own clock (clock_getcpuclockid(3))."""
        return time.clock_gettime((~self.pid << 3) | 2)


def serve(target: str, cpu_s: float, memory_mb: int) -> None:
    """Answer questions from stdin to stdout until that ends."""
    questions, answers = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    # Parsers print what they think of their input.
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)
    module, _, name = target.partition(":")
    imported = importlib.import_module(module)
    function = getattr(imported, name)
    # What is only made at the first call is made here, once, and not in each child.
    getattr(imported, "warm_up", lambda: None)()
    gc.collect()
    gc.freeze()
    child = None
    for line in iter(lambda: _line(questions), b""):
        if child is None or child.answered >= _ANSWERS_A_CHILD:
            if child is not None:
                child.kill()
            child = _Child(function, memory_mb)
        try:
            answer = child.ask(line, cpu_s, questions.fileno())
            failure = "crash" if not answer else "memory" if answer == _MEMORY else None
        except TimeoutError:
            failure = "time"
        except EOFError:
            break
        cost = child.cpu_s
        if failure is not None:
            child.kill()
            child, answer = None, json.dumps({"failure": failure}).encode() + b"\n"
        answers.write(b'{"cpu_s": %.6f, ' % cost + answer[1:])
        answers.flush()
    if child is not None:
        child.kill()


_MEMORY = b'{"failure": "memory"}\n'


def _line(stream: Any) -> bytes:
    """The next line of an unbuffered stream: nothing of a later one may be taken, for `select` would not see it."""
    pieces = []
    while piece := stream.readline(1 << 16):
        pieces.append(piece)
        if piece.endswith(b"\n"):
            break
    return b"".join(pieces)


def _answer(function: Callable[..., Any], memory_mb: int, questions: BinaryIO, answers: BinaryIO) -> None:
    """What the child does."""
    die_with_parent(signal.SIGKILL)
    held = int(_status()["VmSize"].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (held + memory_mb * 1024 * 1024,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in questions:
        try:
            reply = json.dumps({"value": function(*json.loads(line))}).encode() + b"\n"
        except MemoryError:
            reply = _MEMORY
        except RecursionError:
            reply = b'{"failure": "depth"}\n'
        answers.write(reply)
        answers.flush()


def _status() -> dict[str, str]:
    with open("/proc/self/status") as file:  # noqa: PTH123 - as little as possible after a fork
        return {name: value.strip() for name, _, value in (line.partition(":") for line in file)}


def main(arguments: Sequence[str]) -> None:
    """`module:function cpu_s memory_mb`."""
    target, cpu_s, memory_mb = arguments
    serve(target, float(cpu_s), int(memory_mb))


if __name__ == "__main__":
    main(sys.argv[1:])
