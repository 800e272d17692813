"""The resources that the programs of one request use together: CPU time, memory beyond the limit, time without a core.

A part of `executor.py`: standard library only, Python 3.8+; never imported.

With a control group, its files have the figures, which include processes that nobody waits for. Everything is counted
from the start of the request, so later programs are never charged for what earlier ones used. Without a group, CPU time
is summed over the living processes, which misses a part of the time of a process that ends between two looks without
being waited for.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False  # `typing` would be a third of the time to start.
if TYPE_CHECKING:
    from sandboxes.inside.child import Child

# CPU seconds of a control group that are not charged: those of bubblewrap, and of starting and ending processes.
UNCHARGED_S = 0.05
CORES = os.cpu_count() or 1
# The files of its control group in a container, for version 1 and version 2, in the order of `Usage`.
OWN_GROUP = (
    (
        "memory/memory.oom_control",
        "memory/memory.max_usage_in_bytes",
        "memory/memory.limit_in_bytes",
        "cpuacct/cpuacct.usage",
    ),
    ("memory.events", "memory.peak", "memory.max", "cpu.stat"),
)
# The share of its limit that a group has used when the kernel kills because of that limit. If a process is killed at
# less, the machine is short of memory.
REACHED = 0.9


def own_group() -> list[int]:
    """The opened files of this container's control group, as `Usage` takes them."""
    for names in OWN_GROUP:
        paths = ["/sys/fs/cgroup/" + name for name in names]
        if os.path.exists(paths[0]):  # Not in the first group of a machine (version 2), whose cpu.stat is everybody's.
            return [os.open(path if os.path.exists(path) else "/dev/null", os.O_RDONLY) for path in paths]
    return []


class Usage:
    """The accounting of one server; `begin` starts that of a request.

    `group` has four opened files of the server's control group: processes killed because of its memory limit, its peak
    memory, its memory limit, and its CPU time. A file is empty if the kernel does not have it.
    `group` is empty if there is no control group.
    """

    def __init__(self, group: list[int]) -> None:
        self.kills_file, self.peak_file, self.limit_file, self.cpu_file = group or [-1] * 4
        if group and not os.pread(self.cpu_file, 1, 0):
            self.cpu_file = -1
        self.kills_before = self.cpu_before = b""
        self.own_before_s = 0.0
        self.started = self.looked = 0.0
        self.used_before_s = 0.0
        self.waited_s = 0.0
        self.clocks: dict[int, float] = {}
        self.counted_s = 0.0

    def begin(self) -> None:
        """Start a new request, before its programs, because the kernel copies each page that is written to later."""
        # Stored without parsing, because most programs end before a difference is needed.
        self.kills_before = self.kills_now()
        self.cpu_before = os.pread(self.cpu_file, 200, 0) if self.cpu_file >= 0 else b""
        self.own_before_s = time.process_time()
        self.started = self.looked = time.monotonic()
        self.used_before_s = self.waited_s = self.counted_s = 0.0
        if self.clocks:
            self.clocks = {}

    def cpu_s(self, children: list[Child]) -> float:
        """CPU seconds of the request's programs and of all processes that they have started."""
        own = sum([child.cpu_s() for child in children])
        if self.cpu_file >= 0:
            own_s = time.process_time() - self.own_before_s
            hidden_s = self.group_cpu_s() - cpu_seconds(self.cpu_before) - own_s - own
            return own if hidden_s < UNCHARGED_S else own + hidden_s
        others = set(processes()) - {child.pid for child in children}
        self.clocks.update({pid: max(clock(pid), self.clocks.get(pid, 0.0)) for pid in others})
        counted = own + sum(self.clocks.values())
        if min([child.pidfd for child in children]) < 0:
            # gVisor counts processes that wait for a core as running; a container has one core.
            counted = min(counted, time.monotonic() - self.started)
        self.counted_s = max(self.counted_s, counted)
        return max(own, self.counted_s)

    def look(self, cpu_s: float) -> None:
        """Account for the time since the last look. `cpu_s` is the CPU time that the programs have used so far.

        If one of their threads can run now, or waits for a disk, the time in which they did not run counts as waiting
        for a core. Time in which all of them sleep does not.
        """
        now = time.monotonic()
        without_core_s = now - self.looked - (cpu_s - self.used_before_s)
        if without_core_s > 0 and any(map(can_run, processes())):
            self.waited_s += without_core_s
        self.looked, self.used_before_s = now, cpu_s

    def elapsed_s(self) -> float:
        """Seconds since the start of the request, without those spent waiting for a core."""
        return time.monotonic() - self.started - self.waited_s

    def kills(self) -> int:
        """The number of processes of the request that the kernel killed because the group reached its memory limit.

        Raises:
            MemoryError: the kernel killed some although the group never reached the limit, so the machine, or a group
                above this one, is out of memory.
        """
        now = self.kills_now()
        if now == self.kills_before:
            return 0
        killed = number_in(now, b"oom_kill ") - number_in(self.kills_before, b"oom_kill ")
        if killed > 0:
            peak, limit = (os.pread(file, 100, 0).strip() for file in (self.peak_file, self.limit_file))
            if peak and limit != b"max" and int(peak) < REACHED * int(limit):
                raise MemoryError("the machine is out of memory")
        return killed

    def kills_now(self) -> bytes:
        """The content of the group's file about killed processes."""
        return os.pread(self.kills_file, 400, 0) if self.kills_file >= 0 else b""

    def group_cpu_s(self) -> float:
        """CPU seconds of the group since its creation."""
        return cpu_seconds(os.pread(self.cpu_file, 200, 0))


def cpu_seconds(text: bytes) -> float:
    """The CPU time in a group's file: nanoseconds (version 1), or `usage_usec` and microseconds (version 2)."""
    return int(text) * 1e-9 if text[:1].isdigit() else number_in(text, b"usage_usec ") * 1e-6


def number_in(text: bytes, name: bytes) -> int:
    """The number on the line that starts with `name`, 0 if there is none."""
    for line in text.splitlines():
        if line.startswith(name):
            return int(line[len(name) :])
    return 0


def processes() -> list[int]:
    """The processes of all programs: all others in the PID namespace of this process."""
    own = str(os.getpid())
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != own]


def can_run(pid: int) -> bool:
    """Whether a thread of a process runs, waits for a core or waits for a disk (proc(5): states R and D)."""
    fields = stat_of(f"/proc/{pid}")
    if not fields or fields[0] in b"RD":
        return bool(fields)
    if int(fields[17]) < 2:
        return False
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return False  # It has just ended.
    states = [fields[0] for fields in [stat_of(f"/proc/{pid}/task/{name}") for name in threads] if fields]
    return b"R" in states or b"D" in states


def stat_of(folder: str) -> list[bytes]:
    """The fields of a process or thread that follow its name, which may contain anything; [] if it has ended."""
    try:
        fd = os.open(folder + "/stat", os.O_RDONLY)
    except OSError:
        return []
    try:
        return os.read(fd, 4096).rpartition(b")")[2].split()
    except OSError:
        return []
    finally:
        os.close(fd)


def clock(pid: int) -> float:
    """CPU seconds of a process, 0 if it does not exist. (The id of its clock: clock_getcpuclockid(3).)"""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0
