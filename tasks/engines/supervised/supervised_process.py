"""A command of which nothing outlives the process that started it, however that one ends.

A small process stands between: it starts the command in its own session, adopts what the command leaves behind,
and ends all of it when the command ends, when it is told to, or when its own parent is gone. (The kernel's signal on a
parent's death is sent when the *thread* that started the child ends, so it would not do in a program of many threads;
nor does it reach grandchildren.)
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO

POLL_S = 0.1
GRACE_S = 3.0
"""How long a command that is told to end may take before it is killed."""
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SIGNALLED = 128
"""What a shell adds to the number of the signal that ended a command, to make an exit status."""


class SupervisedProcess:
    """A running command, seen from the process that started it."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: BinaryIO, descriptors: Sequence[int] = ()
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", __file__, str(os.getpid()), *command],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=tuple(descriptors),
        )

    def status(self) -> int | None:
        """The command's exit status, below 0 where a signal ended it; None while it runs."""
        status = self._process.poll()
        return status if status is None or status <= _SIGNALLED else _SIGNALLED - status

    def wait(self) -> None:
        """Wait until the command has ended; one that takes longer than the usual time for that is ended."""
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.stop()

    def stop(self) -> None:
        """End the command and all that it started; returns when nothing is left of it."""
        self._process.terminate()
        self._process.wait()


def main() -> None:
    """Run the command that follows the parent's process id."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    told: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature is signal's
        told.append(number)

    signal.signal(signal.SIGTERM, note)
    # Ctrl-C and a closed terminal are the parent's affair: it may want to finish something first.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        child = subprocess.Popen(command, start_new_session=True, close_fds=False, preexec_fn=_as_usual)  # noqa: PLW1509 - one thread
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")
    os.closerange(3, 1024)  # the command's pipes must end with the command
    while child.poll() is None and not told and os.getppid() == parent:
        time.sleep(POLL_S)
    if child.poll() is None:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
    _kill_all(child.pid)
    child.wait()
    sys.exit(child.returncode if child.returncode >= 0 else _SIGNALLED - child.returncode)


def _as_usual() -> None:
    """In the command, before it starts: signals act as in any process, and it is killed if this process is."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_all(leader: int) -> None:
    """Kill the command's group, and then whatever is handed to this process, until there is nothing left."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
    while orphans := _children():
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in orphans:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> list[int]:
    """This process's children that have not been waited for (Linux; elsewhere none are known)."""
    with suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    return []


def _prctl(option: int, value: int) -> None:
    # Not `sandboxes.linux.prctl`: this file runs as a script, with -I, and imports nothing but the standard library.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


if __name__ == "__main__":
    main()
