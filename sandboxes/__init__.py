"""Runs untrusted programs. Independent of problems, answers, flows and Prefect.

A sandbox takes a program, its standard input and its limits, and returns what the program did. Whether that is correct
is decided outside: expected outputs never enter a sandbox.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, Self

from sandboxes.errors import MonkeysError


class Status(StrEnum):
    """How an execution ended. INFRASTRUCTURE means that the sandbox failed, which says nothing about the program."""

    OK = "ok"
    ERROR = "error"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    INFRASTRUCTURE = "infrastructure"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for one execution, such as those of its problem. Where one is None, the sandbox's settings apply.

    `cpu_s` is multiplied by `time_multiplier` of the settings, and bounds the CPU time of all processes of the
    execution together. `wall_s` bounds wall-clock time, for programs that sleep: time spent waiting for a core does not
    count. By default, it is 3 x CPU time + 5 s.
    """

    cpu_s: float | None = None
    wall_s: float | None = None
    memory_mb: int | None = None
    processes: int | None = None
    output_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one execution. `stderr` is its tail; `exit_code` is negative for a signal, None if unknown."""

    status: Status
    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int | None = None
    cpu_s: float = 0.0
    wall_s: float = 0.0
    detail: str = ""


class CheckedOutcome(NamedTuple):
    """The outcomes of a checker and of the program that it checked."""

    checker: Outcome
    program: Outcome


class SandboxUnavailableError(MonkeysError, RuntimeError):
    """This machine cannot run the sandbox. The message is one line and says how to fix that."""


class SandboxClosedError(MonkeysError, RuntimeError):
    """The sandbox was closed before the program had ended, so nothing is known about the program."""


class Sandbox(Protocol):
    """Runs untrusted programs, in the language and with the interpreter that its settings name.

    All methods may be called from many threads at once.
    """

    @property
    def name(self) -> str:
        """The name of the sandbox and its variant, as stored with verdicts, such as `bubblewrap`."""
        ...

    @property
    def workers(self) -> int:
        """How many programs it runs concurrently."""
        ...

    @property
    def memory_bound(self) -> str:
        """What limits a program's memory: `cgroup v1` or `cgroup v2` (the program and all processes that it starts,
        together), or `rlimits` (each process separately)."""
        ...

    def run(self, program: str, stdin: bytes, limits: Limits) -> Outcome:
        """Run one program (its source) until it ends. Never raises because of what the program does.

        Raises:
            SandboxClosedError: the sandbox is closed.
        """
        ...

    def run_checked(
        self, checker: str, program: str, limits: Limits, *, reusable_process: bool = False
    ) -> CheckedOutcome:
        """Run two programs concurrently, isolated from each other except for a stream socket, whose ends they have as
        descriptor 3. (Python programs can import `inside/remote.py` as `remote` to use it.) Both end when the checker
        ends; a program that is still running then has status OK. Only the checker can write the checker's output.
        Never raises because of what either program does; raises as `run` does.

        With `reusable_process`, the caller promises that the checker reads no input, and changes nothing in its process
        beyond its own names and descriptors. If several programs follow each other with the same checker and limits,
        one process may then run the checker for all of them, each time in an empty namespace."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class SandboxConfig(Protocol):
    """The settings of a sandbox, which can open it."""

    @property
    def name(self) -> str:
        """The name that selects this sandbox in a configuration, such as `docker`."""
        ...

    def check(self) -> None:
        """Make sure that this machine can run it.

        Raises:
            SandboxUnavailableError: it cannot; the message says how to fix that.
        """
        ...

    def ingredients(self) -> dict[str, object]:
        """The settings that verdicts depend on: the limits and the interpreter, but not the choice of the sandbox."""
        ...

    def open(self) -> Sandbox:
        """A running sandbox; close it by leaving its `with` block. Raises as `check` does."""
        ...
