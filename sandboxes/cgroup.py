"""A control group for each server, where one can be made: it bounds the memory of a program and all that it starts.

Address-space limits bound every process alone. A control group bounds them together, with their /tmp, and counts the
processes that the kernel killed for it. Version 1 groups are made below this process's own; version 2 groups beside
it, as a group there may hold processes or other groups, not both.
"""

import contextlib
import itertools
import os
import time
from dataclasses import dataclass
from pathlib import Path

# Beyond the program's own memory: the server and bubblewrap.
_SERVER_BYTES = 64 * 1024 * 1024
_LIMIT_V2 = "memory.max"
_numbers = itertools.count()


@dataclass
class KillCounter:
    """Counts the processes of a group that the kernel killed for want of memory, in its file of `events`."""

    events: Path
    _kills: int = 0

    @classmethod
    def of_process(cls, pid: int) -> "KillCounter | None":
        """That of the group in which a process is, if it can be read from here."""
        for folder, _, events_file in _places(pid, own=True):
            if (folder / events_file).is_file():
                return cls(folder / events_file)
        return None

    def killed(self) -> bool | None:
        """Whether there was one since this was last asked; None if the group is gone."""
        try:
            lines = [line.split() for line in self.events.read_text().splitlines()]
        except OSError:
            return None
        before = self._kills
        self._kills = next((int(words[1]) for words in lines if words[0] == "oom_kill"), 0)
        return self._kills > before


@dataclass
class ControlGroup:
    """One group, empty at first.

    Args:
        folder: where it lies.
        limit_file: names the file that holds its memory limit.
        events_file: names the file that counts the kernel's kills.
    """

    folder: Path
    limit_file: str
    events_file: str
    _limit: int = 0

    def __post_init__(self) -> None:
        self._kills = KillCounter(self.folder / self.events_file)

    def command(self) -> tuple[str, ...]:
        """What a command must begin with to run in this group."""
        return ("/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', str(self.folder / "cgroup.procs"))

    def allow(self, memory_bytes: int) -> None:
        """Let the next program use so much memory in all."""
        if memory_bytes != self._limit:
            (self.folder / self.limit_file).write_text(str(memory_bytes + _SERVER_BYTES))
            self._limit = memory_bytes

    def killed(self) -> bool:
        """Whether the kernel has killed a process for want of memory since this was last asked."""
        return bool(self._kills.killed())

    def close(self) -> None:
        """Remove it; its processes must have ended."""
        for _ in range(50):
            # A process leaves its group a moment after it was waited for.
            with contextlib.suppress(OSError):
                self.folder.rmdir()
            if not self.folder.exists():
                return
            time.sleep(0.02)


def new_group() -> ControlGroup | None:
    """A new group, or None where this process may make none."""
    for folder, limit_file, events_file in _places():
        group = ControlGroup(folder / f"monkeys-{os.getpid()}-{next(_numbers)}", limit_file, events_file)
        try:
            _remove_abandoned(folder)
            group.folder.mkdir()
        except OSError:
            continue
        try:
            group.allow(1 << 40)
            group.killed()
        except (OSError, ValueError):
            group.close()
            continue
        return group
    return None


def memory_bound() -> str:
    """What bounds memory here: `cgroup v1` or `cgroup v2`, where a group can be made, or else `rlimits`."""
    group = new_group()
    if group is None:
        return "rlimits"
    group.close()
    return "cgroup v2" if group.limit_file == _LIMIT_V2 else "cgroup v1"


def _remove_abandoned(folder: Path) -> None:
    """Remove the groups of controllers that were killed."""
    for path in folder.glob("monkeys-*-*"):
        if not Path("/proc", path.name.split("-")[1]).exists():
            with contextlib.suppress(OSError):
                path.rmdir()


def _places(pid: int | None = None, *, own: bool = False) -> list[tuple[Path, str, str]]:
    """Where groups might be made: the folder, and the names of a group's files there; or, with `own`, the groups in
    which a process (None: this one) is itself."""
    places = []
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for line in Path(f"/proc/{pid or 'self'}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for fields in mounts:
            kind, options = fields[fields.index("-") + 1], fields[-1].split(",")
            # A mount may show a part of the hierarchy only, from `root` on.
            root, shown = fields[3], Path(fields[4])
            group = shown / os.path.relpath(path, root) if path.startswith(root.rstrip("/")) else shown
            if kind == "cgroup" and "memory" in controllers.split(",") and "memory" in options:
                places.append((group, "memory.limit_in_bytes", "memory.oom_control"))
            elif kind == "cgroup2" and controllers == "" and (own or group != shown):
                places.append((group if own else group.parent, _LIMIT_V2, "memory.events"))
    return places
