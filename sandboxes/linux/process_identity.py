"""Identifies a process, and finds out whether it is still alive: reliably on one machine, and never across machines.

Process ids are reused: what identifies a process is its id, when it started, the boot of its machine and the PID
namespace in which its id counts.
"""

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

_PROC = Path("/proc")
_PROCESS = re.compile(r"([0-9]{1,20}):([0-9]{1,20})")
_START_TIME = 21
"""Where `/proc/PID/stat` gives the start in ticks since boot, counted from 0 (proc(5): field 22)."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process, in a form by which another process can recognize it.

    `machine` identifies one boot of a system and a PID namespace, and is empty if the system does not reveal these.
    `process` is `PID:START`. Neither contains a space.
    """

    machine: str
    process: str

    @classmethod
    def here(cls) -> Self:
        """This process."""
        return cls(_machine(), f"{os.getpid()}:{_started(str(os.getpid()))}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the `str` of an identity. A process that cannot be recognized never counts as ended."""
        machine, _, process = text.partition(" ")
        return cls(machine, process)

    @property
    def has_ended(self) -> bool:
        """Whether it ran on this machine and has ended; False if that cannot be known."""
        if not self.machine or self.machine != _machine():
            return False
        match = _PROCESS.fullmatch(self.process)
        return match is not None and _started(match[1]) != match[2]

    def to_dict(self) -> dict[str, str]:
        """The fields, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.machine} {self.process}"


def _machine() -> str:
    """The boot of this system, and the PID namespace of this process."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: str) -> str | None:
    """When a process started, or None if it does not exist, or has ended but has not been reaped."""
    try:
        # The command's name may contain spaces and parentheses: the fields are counted from the last parenthesis.
        after_name = (_PROC / pid / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if after_name[0] in "ZX" else after_name[_START_TIME - 2]
