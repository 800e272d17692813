"""A running program as the fork server sees it: its process, the time that it uses, and how it ended.

A part of `executor.py`: standard library only, Python 3.8+; never imported.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # as in `executor.py`
import _socket
import os
import struct
import time

TYPE_CHECKING = False  # `typing` would be a third of the time to start.
if TYPE_CHECKING:
    from sandboxes.inside.program import libc
    from sandboxes.inside.usage import clock, stat_of

# Wait status, one of the reasons below, processes of the request that were killed for want of memory, cpu_s, wall_s.
ENDING = struct.Struct("<iiIdd")
BY_ITSELF, CPU_TIME, WALL_TIME, WITH_FIRST, NO_CORE = range(5)
SYS_PIDFD_OPEN = 434
EXITING = 4  # a flag in /proc/PID/stat (PF_EXITING)


class Child:
    """A running program and, later, how it ended: `status` is None while it runs. It may stay if it has a `number`."""

    def __init__(self, pid: int, uid: int, cpu_limit_s: float, number: int, control: _socket.socket | None):
        self.pid = pid
        self.uid = uid
        self.number = number
        self.control = control
        # gVisor has no pidfd, so the server polls there.
        self.pidfd = libc.syscall(SYS_PIDFD_OPEN, pid, 0)
        self.cpu_limit_s = cpu_limit_s
        self.spent_s = 0.0
        self.started = time.monotonic()
        self.reason = BY_ITSELF
        self.status: int | None = None
        self.used_s = self.lived_s = 0.0

    def cpu_s(self) -> float:
        """CPU seconds that its process has used for this run. Once it has ended, these include the children that it
        waited for."""
        return clock(self.pid) - self.spent_s if self.status is None else self.used_s

    def ending(self, kills: int, hidden_s: float) -> bytes:
        """Its part of the reply, once it has ended. `hidden_s` are CPU seconds of processes that nobody waited for."""
        return ENDING.pack(self.status, self.reason, kills, self.used_s + hidden_s, self.lived_s)

    def has_finished_run(self) -> bool:
        """Whether it has reported the end of this run and waits for the next one; otherwise, it is about to end."""
        try:
            if self.control is None or not self.control.recv(1):
                return False
        except ConnectionResetError:
            return False  # It was killed before it had read the request for this run.
        self.used_s, self.lived_s = self.cpu_s(), time.monotonic() - self.started
        self.status = 0
        return True

    def run_again(self, descriptors: list[int], control: _socket.socket) -> None:
        """Let an idle child run its program again."""
        self.spent_s = clock(self.pid)
        self.started = time.monotonic()
        self.status = None
        rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack(f"{len(descriptors)}i", *descriptors))
        control.sendmsg([b"\0"], [rights])

    def ready(self, ready: dict[int, int]) -> bool:
        """Whether it has ended or sent a message, given the descriptors that are ready."""
        if self.pidfd < 0:
            return self.has_ended()
        return self.pidfd in ready or (self.control is not None and self.control.fileno() in ready)

    def has_ended(self) -> bool:
        """Whether it can be reaped."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def is_ending(self) -> bool:
        """Whether it has ended or is about to, because its channel is closed before it can be reaped."""
        fields = stat_of(f"/proc/{self.pid}")
        return self.has_ended() or (bool(fields) and bool(int(fields[6]) & EXITING))

    def kill(self, reason: int) -> None:
        """Kill it and, if it is the first process of its PID namespace, everything that it started. If it is ending
        already, the reason does not change."""
        if self.reason == BY_ITSELF and not self.is_ending():
            self.reason = reason
        os.kill(self.pid, _signal.SIGKILL)

    def reap(self) -> int:
        """Wait for it; returns its wait status."""
        _, self.status, usage = os.wait4(self.pid, 0)
        if self.pidfd >= 0:
            os.close(self.pidfd)
        if self.control is not None:
            self.control.close()
        self.used_s = max(0.0, usage.ru_utime + usage.ru_stime - self.spent_s)
        self.lived_s = time.monotonic() - self.started
        return self.status
