"""Which process is this, and does that one still live? Answered for certain on one machine, not at all across two."""

import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

_PROC = Path("/proc")
_START_TIME = 21
"""Where `/proc/PID/stat` gives the start in ticks since boot, counted from 0 (proc(5): field 22)."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A process as another may recognise it. `machine` is empty where the system does not say which it is."""

    machine: str
    process: str
    name: str

    @classmethod
    def here(cls) -> Self:
        """This process, under a new name each time."""
        return cls(_machine(), f"{os.getpid()}:{_started(os.getpid())}", secrets.token_hex(8))

    @property
    def has_ended(self) -> bool:
        """Whether it ran on this machine and has ended; False where that cannot be known."""
        if not self.machine or self.machine != _machine():
            return False
        pid, _, started = self.process.partition(":")
        return _started(int(pid)) != started

    def to_dict(self) -> dict[str, str]:
        """As it is written into an object; `Owner(**…)` reads it."""
        return asdict(self)


def _machine() -> str:
    """One boot of one system, and the name space in which its process numbers count."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When a process started, or None where there is none: numbers are used again, starts are not. A process that has
    been killed but not yet reaped counts as none."""
    try:
        # The command's name may hold spaces and brackets: what follows is counted from the last bracket.
        after_name = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if after_name[0] in "ZX" else after_name[_START_TIME - 2]
