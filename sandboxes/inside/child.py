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

ENDING = struct.Struct("<iidd")  # wait status, one of the reasons below, cpu_s, wall_s
BY_ITSELF, CPU_TIME, WALL_TIME, WITH_FIRST = range(4)
SYS_PIDFD_OPEN = 434
RECOUNT_S = 0.1


class Child:
    """A running program: its process and, later, how it ended. One that has a `number` may stay."""

    def __init__(self, pid: int, uid: int, cpu_limit_s: float, number: int, control: _socket.socket | None):
        self.pid = pid
        self.uid = uid
        self.number = number
        self.control = control
        # gVisor has no pidfd: there the server polls.
        self.pidfd = libc.syscall(SYS_PIDFD_OPEN, pid, 0)
        self.cpu_limit_s = cpu_limit_s
        self.spent_s = 0.0
        self.started = self.counted = time.monotonic()
        self.counted_s = 0.0
        self.reason = BY_ITSELF
        self.ending = b""

    def used_s(self) -> float:
        """CPU seconds that count towards its limit while it runs. gVisor loses resources with every process that it
        refuses, and a fork bomb would end the container: so there all of its user's processes count, up to the elapsed
        time, because the container has one CPU. (gVisor counts processes that wait for the CPU as running.)"""
        now = time.monotonic()
        if self.pidfd < 0 and now > self.counted + RECOUNT_S:
            self.counted = now
            self.counted_s = min(now - self.started, sum(map(clock, processes_of(self.uid))))
        return max(self.cpu_s(), self.counted_s)

    def cpu_s(self) -> float:
        """CPU seconds that it has used for this run."""
        return clock(self.pid) - self.spent_s

    def has_finished_run(self) -> bool:
        """Whether it has reported the end of this run and waits for the next; False: it is about to end."""
        try:
            if self.control is None or not self.control.recv(1):
                return False
        except ConnectionResetError:
            return False  # It was killed before it had read the request for this run.
        self.ending = ENDING.pack(0, self.reason, self.cpu_s(), time.monotonic() - self.started)
        return True

    def run_again(self, descriptors: list[int], control: _socket.socket) -> None:
        """Let an idle child run its program again."""
        self.spent_s += self.cpu_s()
        self.started = time.monotonic()
        self.ending = b""
        rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack(f"{len(descriptors)}i", *descriptors))
        control.sendmsg([b"\0"], [rights])

    def ready(self, ready: set[int]) -> bool:
        """Whether it has ended or sent a message, given the descriptors that are ready."""
        if self.pidfd < 0:
            return self.has_ended()
        return self.pidfd in ready or (self.control is not None and self.control.fileno() in ready)

    def has_ended(self) -> bool:
        """Whether it can be reaped."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def kill(self, reason: int) -> None:
        """Kill it and, if it is the first of its PID namespace, everything that it started."""
        self.reason = reason
        os.kill(self.pid, _signal.SIGKILL)

    def reap(self) -> int:
        """Wait for it; returns its wait status."""
        _, status, usage = os.wait4(self.pid, 0)
        if self.pidfd >= 0:
            os.close(self.pidfd)
        if self.control is not None:
            self.control.close()
        cpu_s = max(usage.ru_utime + usage.ru_stime - self.spent_s, self.counted_s)
        self.ending = ENDING.pack(status, self.reason, cpu_s, time.monotonic() - self.started)
        return status


def clock(pid: int) -> float:
    """CPU seconds of a process, 0 if it does not exist. (The id of its clock: clock_getcpuclockid(3).)"""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def processes_of(uid: int) -> list[int]:
    """The living processes of a user."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.stat("/proc/" + name).st_uid == uid:
                found.append(int(name))
        except OSError:
            pass  # It has just ended.
    return found
