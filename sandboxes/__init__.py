"""How untrusted programs run. Knows nothing of problems, answers, flows or Prefect.

A sandbox takes a program, its standard input and its limits, and says what came out. Whether that is right is
decided outside: expected outputs never enter.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, Self

from sandboxes.errors import MonkeysError


class Status(StrEnum):
    """How an execution ended. INFRASTRUCTURE: the sandbox itself failed, and nothing is known of the program."""

    OK = "ok"
    ERROR = "error"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    INFRASTRUCTURE = "infrastructure"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits that come with an execution, such as its problem's own. None: the sandbox's settings decide.

    `cpu_s` is multiplied by the settings' `time_multiplier`. `wall_s` is for programs that wait instead of computing;
    None: 3 x CPU time + 5 s.
    """

    cpu_s: float | None = None
    wall_s: float | None = None
    memory_mb: int | None = None
    processes: int | None = None
    output_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one execution. `stderr` is its tail; `exit_code` is negative for a signal, None if unknown."""

    status: Status
    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int | None = None
    cpu_s: float = 0.0
    wall_s: float = 0.0
    detail: str = ""


class CheckedOutcome(NamedTuple):
    """What came of a checker and of the program that it checked, side by side."""

    checker: Outcome
    program: Outcome


class SandboxUnavailableError(MonkeysError, RuntimeError):
    """This machine cannot offer the sandbox; the message is one line and says what would help."""


class Sandbox(Protocol):
    """Runs untrusted Python programs. `run` may be called from many threads at once."""

    @property
    def name(self) -> str:
        """What the verdicts name, with its variant, such as `bubblewrap`."""
        ...

    @property
    def workers(self) -> int:
        """How many executions it serves at once."""
        ...

    @property
    def memory_bound(self) -> str:
        """What bounds the memory of a program: `cgroup v1` or `cgroup v2` (with all that it starts, together), or
        `rlimits` (each of its processes for itself)."""
        ...

    def run(self, program: str, stdin: bytes, limits: Limits) -> Outcome:
        """Run one Python program to its end. Never raises for what the program does."""
        ...

    def run_checked(self, checker: str, program: str, limits: Limits, *, repeatable: bool = False) -> CheckedOutcome:
        """Run two Python programs concurrently, out of each other's reach but for one stream socket: each finds its
        end as descriptor 3, and can import `inside/remote.py` as `remote`. Both end when the checker does; what
        it prints can come from nobody else. A program that is still running then has status OK. Never raises for what
        either does.

        `repeatable` promises that the checker reads no input, and changes nothing in its process beyond its own names
        and descriptors: where programs come one after another for an equal checker with equal limits, one process may
        run it for all of them, each time in an empty namespace."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class SandboxConfig(Protocol):
    """What a person writes to choose a sandbox; opens it."""

    @property
    def name(self) -> str:
        """The name that chooses it."""
        ...

    def check(self) -> None:
        """Make sure that this machine can offer it.

        Raises:
            SandboxUnavailableError: it cannot; the message says what helps.
        """
        ...

    def ingredients(self) -> dict[str, object]:
        """What a verdict depends on: the limits, and what runs the programs. Not which sandbox it was."""
        ...

    def open(self) -> Sandbox:
        """A running sandbox; close it by leaving its `with` block. Raises as `check` does."""
        ...
