"""A command that never outlives the process that started it, nor do its descendants, however that process ends.

A small process stands between the two, and is also the program in this file. It starts the command in a new session,
adopts its orphans, and ends all of them when the command ends, on SIGTERM, or when its own parent is gone. (The
kernel's parent-death signal is not enough: it is sent when the *thread* that started the child ends, and does not reach
grandchildren.)
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
"""Seconds between SIGTERM and SIGKILL."""
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SIGNALLED = 128
"""As in a shell: the exit status of a command that a signal ended is this plus the signal's number."""


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
        """The command's exit status, or minus the number of the signal that ended it; None while it runs."""
        status = self._process.poll()
        return status if status is None or status <= _SIGNALLED else _SIGNALLED - status

    def wait(self) -> None:
        """Wait until the command has ended; end it if it takes longer than `GRACE_S`."""
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.stop()

    def stop(self) -> None:
        """End the command and all that it started; returns once all of these processes are gone."""
        self._process.terminate()
        self._process.wait()


def main() -> None:
    """Run a command; the arguments are the parent's process id and the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    received: list[int] = []

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature is signal's
        received.append(number)

    signal.signal(signal.SIGTERM, on_signal)
    # Ctrl-C and a closed terminal are left to the parent, which may want to finish something first.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        child = subprocess.Popen(command, start_new_session=True, close_fds=False, preexec_fn=_prepare)  # noqa: PLW1509 - one thread
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")
    os.closerange(3, 1024)  # the command's pipes must be closed when it ends
    while child.poll() is None and not received and os.getppid() == parent:
        time.sleep(POLL_S)
    if child.poll() is None:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
    _kill_all(child.pid)
    child.wait()
    sys.exit(child.returncode if child.returncode >= 0 else _SIGNALLED - child.returncode)


def _prepare() -> None:
    """Before the command starts, in its process: restore the default signals, and have it killed if this process is."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_all(leader: int) -> None:
    """Kill the command's process group, and then orphans as this process adopts them, until none are left."""
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
    """This process's children that have not been waited for (on Linux; an empty list elsewhere)."""
    with suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    return []


def _prctl(option: int, value: int) -> None:
    # Not `sandboxes.linux.prctl`: this file runs as a script with -I, and can import only the standard library.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


if __name__ == "__main__":
    main()
