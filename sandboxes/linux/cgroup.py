"""Control groups, one for each server, where they can be created.

Resource limits apply to each process separately. A group limits the memory of all processes together, including their
/tmp, and their number; it counts the processes that the kernel killed because the limit was reached, and the CPU time
of all of them, also of those that nobody waited for.

Version 1 groups are created below this process's group. In version 2, a group contains either processes or limited
groups, not both: new groups are siblings of this process's group, which a manager such as systemd allows root and a
user's services to create. Where that is not allowed (a service with `Delegate=yes`, a container), this process's group
is divided: all of its processes move to a new child group, `monkeys`.
"""

import contextlib
import errno
import itertools
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

# Added to the memory of programs for the server of a container.
SERVER_BYTES = 64 * 1024 * 1024
# Added to the memory of programs and to what the group uses before they start: copies of the server's pages, and the
# kernel's memory.
_MORE_BYTES = 16 * 1024 * 1024
_NO_LIMIT_BYTES = 1 << 40
_V1, _V2 = "cgroup v1", "cgroup v2"
_LIMIT = {_V1: "memory.limit_in_bytes", _V2: "memory.max"}
_USED = {_V1: "memory.usage_in_bytes", _V2: "memory.current"}
_KILLS = {_V1: "memory.oom_control", _V2: "memory.events"}
_PEAK = {_V1: "memory.max_usage_in_bytes", _V2: "memory.peak"}
# The share of its limit that a group has used when the kernel kills a process because of that limit.
_REACHED = 0.9
_CPU = {_V1: "cpuacct.usage", _V2: "cpu.stat"}
# Prevents a group from swapping instead of reaching its limit.
_NO_SWAP = {_V1: "memory.swappiness", _V2: "memory.swap.max"}
# The child group for the processes of a divided group.
_LEAF = "monkeys"
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class _Folders:
    """The folders of a group, one for each controller. In version 2, they are the same."""

    version: str
    memory: Path
    pids: Path | None
    cpu: Path | None

    def all(self) -> list[Path]:
        return list(dict.fromkeys(folder for folder in (self.memory, self.pids, self.cpu) if folder is not None))

    def child(self, name: str) -> "_Folders":
        pids, cpu = (None if folder is None else folder / name for folder in (self.pids, self.cpu))
        return _Folders(self.version, self.memory / name, pids, cpu)


class UsageFiles:
    """Four opened files of a group: processes killed because of its memory limit, its peak memory, its memory limit,
    and its CPU time. A file is empty if the kernel does not have it. The server reads them too
    (`sandboxes/inside/usage.py`).

    Raises:
        OSError: the group does not have them.
    """

    def __init__(self, folders: _Folders):
        self.descriptors: list[int] = []
        kills, *others = (folders.memory / name[folders.version] for name in (_KILLS, _PEAK, _LIMIT))
        others.append((folders.cpu or Path(os.devnull)) / _CPU[folders.version])
        try:
            for path in (kills, *(path if path.exists() else os.devnull for path in others)):
                self.descriptors.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            self.close()
            raise

    def oom_kills(self) -> int:
        """The number of processes that the kernel has killed because the group had reached its memory limit."""
        peak, limit = self._number(1), self._number(2)
        machine = peak is not None and limit is not None and peak < _REACHED * limit
        return 0 if machine else self._number(0, "oom_kill") or 0

    def close(self) -> None:
        """Close the files."""
        while self.descriptors:
            os.close(self.descriptors.pop())

    def _number(self, position: int, name: str = "") -> int | None:
        """The number on the line with this name, or the only number in the file, or None."""
        lines = [line.split() for line in os.pread(self.descriptors[position], 4096, 0).decode().splitlines()]
        words = next((words for words in lines if words[0] == name or len(words) == 1), ["max"])
        return None if words[-1] == "max" else int(words[-1])


class ControlGroup:
    """A control group, empty at first.

    Raises:
        OSError: it does not say what it uses.
    """

    def __init__(self, folders: _Folders):
        self.version = folders.version
        self.files = UsageFiles(folders)
        self._folders = folders
        self._limit = 0

    def command(self) -> tuple[str, ...]:
        """A prefix for a command line, which makes the command run in this group."""
        join = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit; shift; done; shift; exec "$@"'
        return ("/bin/sh", "-c", join, "sh", *(str(folder / "cgroup.procs") for folder in self._folders.all()), "--")

    def can_be_joined(self) -> bool:
        """Whether a child of this process may join the group: that it could be created does not guarantee this."""
        attempt = subprocess.run([*self.command(), "/bin/sh", "-c", ":"], stderr=subprocess.DEVNULL, check=False)
        return attempt.returncode == 0

    def set_memory_limit(self, memory_bytes: int) -> None:
        """Limit the memory that the next programs use together. Call it while no program runs, because what the group
        uses then counts as the server's."""
        if memory_bytes != self._limit:
            used = int((self._folders.memory / _USED[self.version]).read_text())
            limit = str(memory_bytes + used + _MORE_BYTES)
            (self._folders.memory / _LIMIT[self.version]).write_text(limit)
            self._limit = memory_bytes

    def close(self) -> None:
        """Remove the group, whose processes must have ended."""
        self.files.close()
        left = self._folders.all()
        for _ in range(50):
            for folder in left:
                # A process leaves its group a moment after it has been reaped.
                with contextlib.suppress(OSError):
                    folder.rmdir()
            left = [folder for folder in left if folder.exists()]
            if not left:
                return
            time.sleep(0.02)


def new_group(processes: int | None = None) -> ControlGroup | None:
    """A new group for at most `processes` processes and threads, or None if this process may not create one that limits
    memory."""
    for place in _candidates():
        if place.version == _V2:
            _enable_controllers(place.memory)
        group = place.child(f"monkeys-{os.getpid()}-{next(_numbers)}")
        for folder in place.all():
            _remove_abandoned(folder)
        made = [folder for folder in group.all() if _make(folder)]
        pids, cpu = (folder if folder in made else None for folder in (group.pids, group.cpu))
        if pids is not None and not _limit_processes(pids, processes):
            pids = None
        opened = None
        try:
            opened = ControlGroup(_Folders(group.version, group.memory, pids, cpu))
            opened.set_memory_limit(_NO_LIMIT_BYTES)
            with contextlib.suppress(OSError):  # The file does not exist if the kernel has no swap.
                (group.memory / _NO_SWAP[group.version]).write_text("0")
            if opened.can_be_joined():
                return opened
        except OSError:
            pass
        if opened is not None:
            opened.files.close()
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
    return None


def memory_bound() -> str:
    """What limits memory here: `cgroup v1` or `cgroup v2` if a group can be created, or else `rlimits`."""
    group = new_group()
    if group is None:
        return "rlimits"
    group.close()
    return group.version


def _make(folder: Path) -> bool:
    try:
        folder.mkdir()
    except OSError:
        return False
    return True


def _limit_processes(folder: Path, processes: int | None) -> bool:
    try:
        (folder / "pids.max").write_text("max" if processes is None else str(processes))
    except OSError:
        return False
    return True


def _remove_abandoned(folder: Path) -> None:
    """Remove the groups of controllers that were killed."""
    for path in folder.glob("monkeys-*-*"):
        if not Path("/proc", path.name.split("-")[1]).exists():
            with contextlib.suppress(OSError):
                path.rmdir()


def _candidates() -> list[_Folders]:
    """Groups below which this process may be able to create groups, the best first."""
    places = []
    for own in _own_groups():
        if own.version == _V2 and own.memory.parent.joinpath("cgroup.procs").exists():
            places.append(_Folders(_V2, *[own.memory.parent] * 3))
        places.append(own)
    return places


def _enable_controllers(folder: Path) -> None:
    """Enable the controllers for the child groups of this one (version 2), if that is allowed."""
    try:
        offered = (folder / "cgroup.controllers").read_text().split()
        shared = (folder / "cgroup.subtree_control").read_text().split()
        for controller in ("memory", "pids"):
            if controller in offered and controller not in shared:
                _enable(folder, controller)
    except OSError:
        pass  # Creating a group there then fails too, or it cannot limit memory.


def _enable(folder: Path, controller: str) -> None:
    control = folder / "cgroup.subtree_control"
    try:
        control.write_text(f"+{controller}")
    except OSError as error:
        if error.errno != errno.EBUSY or os.getpid() not in _processes(folder):
            raise
        (folder / _LEAF).mkdir(exist_ok=True)
        for pid in _processes(folder):
            with contextlib.suppress(OSError):  # It has ended, or may not be moved.
                (folder / _LEAF / "cgroup.procs").write_text(str(pid))
        control.write_text(f"+{controller}")


def _processes(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "cgroup.procs").read_text().split()]


def _own_groups() -> list[_Folders]:
    """The groups of this process, one for each version."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    found: dict[str, Path] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for fields in mounts:
            kind, options = fields[fields.index("-") + 1], fields[-1].split(",")
            # A mount may show only the part of the hierarchy below `root`.
            root, shown = fields[3], Path(fields[4])
            group = shown / os.path.relpath(path, root) if path.startswith(root.rstrip("/")) else shown
            if kind == "cgroup2" and controllers == "":
                found[_V2] = group
            for controller in {"memory", "pids", "cpuacct"} & set(controllers.split(",")):
                if kind == "cgroup" and controller in options:
                    found[controller] = group
    groups = []
    if "memory" in found:
        groups.append(_Folders(_V1, found["memory"], found.get("pids"), found.get("cpuacct")))
    if _V2 in found:
        groups.append(_Folders(_V2, *[found[_V2]] * 3))
    return groups
