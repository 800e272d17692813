"""A command of the machine, such as a prover, confined by bubblewrap: one process without a network, that sees the
folders it is given and nothing else.

It has a separate PID namespace, user id and control group, no capabilities, the filter on system calls of the
bubblewrap sandbox (`sandboxes.bubblewrap` says what that prevents), a private /tmp, and dies with this process.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from sandboxes import SandboxUnavailableError, Status
from sandboxes.linux.cgroup import new_group
from sandboxes.linux.confinement import NAMESPACES, UserIds, credentials, mounts
from sandboxes.linux.interpreter import Interpreter, find_interpreter
from sandboxes.linux.seccomp import filter_program

_INSIDE = Path(__file__).parent / "inside" / "command.py"
_MEGABYTE = 1024 * 1024
_FILE_BYTES = 256 * _MEGABYTE
_START_S = 60.0
_LOOK_S = 0.02
# Processes and threads. Lean starts a thread for each core, and more while some wait for others; it aborts where it
# gets none.
_THREADS = 64 + 4 * (os.cpu_count() or 1)
# What a pipe takes without blocking once it can be written to (pipe(7)).
_PIPE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ConfinedCommand:
    """What to run, and within which bounds.

    Args:
        command: an absolute path, and arguments.
        shown: files and folders of the machine that the command can read, at the same path.
        memory_mb: megabytes that it may use, with all of its processes where a control group can be created.
        writable: a folder that it can write to, at the same path; it is given to the command's user. None: only /tmp.
        merged: whether what it writes to stderr is read with its stdout.
        environment: variables beyond `PATH`, `HOME` and `LC_ALL`, with their values.
        with_children: whether the CPU time, sleep and memory of processes that it starts count as its own.
    """

    command: tuple[str, ...]
    shown: tuple[str, ...]
    memory_mb: int
    writable: Path | None = None
    merged: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    with_children: bool = False

    def start(self) -> "ConfinedProcess":
        """The running process; close it by leaving its `with` block.

        Raises:
            SandboxUnavailableError: bubblewrap cannot run here.
        """
        return ConfinedProcess(self)

    def run(self, cpu_s: float, max_output_bytes: int) -> "Finished":
        """Run it to its end, without input.

        Args:
            cpu_s: CPU seconds that it may use.
            max_output_bytes: bytes that it may write to stdout.

        Raises:
            SandboxUnavailableError: bubblewrap cannot run here.
        """
        with self.start() as process:
            process.close_stdin()
            allowed = Allowance(process, cpu_s)
            output = bytearray()
            limit = None
            try:
                while limit is None and (data := process.read(allowed)):
                    output += data
                    limit = Status.OUTPUT_LIMIT if len(output) > max_output_bytes else None
            except TimeoutError:
                limit = Status.TIME_LIMIT
            if limit is not None:
                process.kill()
            exit_code = process.wait()
            if process.reached_memory_limit():
                limit = Status.MEMORY_LIMIT
            return Finished(exit_code, bytes(output), process.stderr(), limit, allowed.used_s())


class Finished(NamedTuple):
    """How a command ended: its exit status (128 + n: signal n; None: it did not start, or was killed), what it wrote
    (of stderr the beginning), which limit it exceeded, and the CPU seconds that it was last seen to have used."""

    exit_code: int | None
    stdout: bytes
    stderr: str
    limit: Status | None
    cpu_s: float


class ConfinedProcess:
    """A running `ConfinedCommand`, with pipes to its stdin and from its stdout; its stderr is kept in memory."""

    def __init__(self, what: ConfinedCommand) -> None:
        users, interpreter = _users(), _interpreter()
        uid = users.take() if users else 0
        self._group = new_group(_THREADS)
        if self._group is not None:
            self._group.set_memory_limit(what.memory_mb * _MEGABYTE)
        self._open: list[int] = []
        try:
            self._start(what, interpreter, uid)
        except BaseException:
            self._close_files()
            raise

    def _start(self, what: ConfinedCommand, interpreter: Interpreter, uid: int) -> None:
        """Open the pipes and start bubblewrap. What was opened when it fails is in `_open`."""
        self._log = os.memfd_create("log", os.MFD_CLOEXEC)
        self._open.append(self._log)
        info, theirs = self._pipe()
        child_in, self._stdin = self._pipe()
        self._stdout, child_out = self._pipe()
        watched, self._control = self._pipe()
        self._report, report = self._pipe()
        memory = 0 if self._group is not None else what.memory_mb * _MEGABYTE
        if what.writable is not None and uid:
            os.chown(what.writable, uid, uid)
        settings = {
            **{"controller": watched, "report": report, "folder": str(what.writable or "/tmp"), "uid": uid},  # noqa: S108
            **{"memory": memory, "file_size": _FILE_BYTES, "rules": filter_program().hex()},
        }
        inside = (_INSIDE.read_text(encoding="utf-8"), json.dumps(settings))
        command = [
            *(self._group.command() if self._group else ()),
            *(shutil.which("bwrap") or "bwrap", "--info-fd", str(theirs), "--die-with-parent"),
            *(*NAMESPACES, *credentials(), "--hostname", "sandbox", "--new-session", "--as-pid-1", "--clearenv"),
            *("--setenv", "PATH", "/nonexistent", "--setenv", "HOME", "/tmp", "--setenv", "LC_ALL", "C.UTF-8"),  # noqa: S108
            *(word for name, value in what.environment for word in ("--setenv", name, value)),
            *_with_folders(mounts(interpreter), what),
            *("--", *interpreter.command, "-c", *inside, *what.command),
        ]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=child_in,
                stdout=child_out,
                stderr=child_out if what.merged else self._log,
                pass_fds=(theirs, watched, report),
            )
        except OSError as error:
            raise SandboxUnavailableError(f"bubblewrap does not start ({error}): install `bwrap`") from error
        for descriptor in (theirs, watched, report, child_in, child_out):
            self._open.remove(descriptor)
            os.close(descriptor)
        self._open.remove(info)  # `_child_pid` closes it.
        self._with_children = what.with_children
        self._cpu_s_of: dict[int, float] = {}
        self._first = _child_pid(info)
        self._pid = self._command_pid()
        if self._first is None:
            reason = (self.stderr().strip().splitlines() or ["no message"])[-1]
            self.close()
            raise SandboxUnavailableError(f"bubblewrap cannot confine {what.command[0]} ({reason[:200]})")

    def _pipe(self) -> tuple[int, int]:
        """A pipe whose ends are closed with this process, if not before."""
        ends = os.pipe()
        self._open += ends
        return ends

    def _command_pid(self) -> int | None:
        """The process id of the command, which the first process inside starts; None if that has ended."""
        children = Path(f"/proc/{self._first}/task/{self._first}/children")
        until = time.monotonic() + _START_S
        while self._first is not None and self._process.poll() is None and time.monotonic() < until:
            with contextlib.suppress(OSError):
                if found := children.read_text().split():
                    return int(found[0])
            time.sleep(0.002)
        return None

    def read(self, allowed: "Allowance") -> bytes:
        """The next bytes of its stdout; empty at the end.

        Raises:
            TimeoutError: it used up what it was allowed.
        """
        while not _is_ready(self._stdout, select.POLLIN, _LOOK_S):
            allowed.check()
        allowed.check_cpu()  # It may write without a pause.
        return os.read(self._stdout, 1 << 16)

    def write(self, data: bytes, allowed: "Allowance") -> None:
        """Write to its stdin.

        Raises:
            BrokenPipeError: it has ended.
            TimeoutError: it does not read, and used up what it was allowed.
        """
        view = memoryview(data)
        while view:
            allowed.check_cpu()
            if _is_ready(self._stdin, select.POLLOUT, _LOOK_S):
                view = view[os.write(self._stdin, view[:_PIPE_BYTES]) :]
            else:
                allowed.check()

    def is_asleep(self) -> bool:
        """Whether no thread of it runs or waits for a core or a disk (proc(5): states R and D)."""
        for pid in self._pids():
            with contextlib.suppress(OSError):
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    with contextlib.suppress(OSError):
                        if (thread / "stat").read_bytes().rpartition(b")")[2].split()[0] in {b"R", b"D"}:
                            return False
        return True

    def cpu_s(self) -> float:
        """CPU seconds of the command so far; the last known value once it has ended."""
        for pid in self._pids():
            with contextlib.suppress(OSError):
                self._cpu_s_of[pid] = time.clock_gettime((~pid << 3) | 2)
        return sum(self._cpu_s_of.values())

    def resident_bytes(self) -> int:
        """Bytes of the command that are in memory (proc(5), statm); 0 once it has ended."""
        pages = 0
        for pid in self._pids():
            with contextlib.suppress(OSError):
                pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _pids(self) -> list[int]:
        """The command's process id and, where they count, those of the processes that it has started."""
        found = [] if self._pid is None else [self._pid]
        for pid in found if self._with_children else ():  # It grows.
            with contextlib.suppress(OSError):
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    with contextlib.suppress(OSError):
                        found += map(int, (thread / "children").read_text().split())
        return found

    def reached_memory_limit(self) -> bool:
        """Whether the kernel has killed a process of it because of the limit."""
        return self._group is not None and self._group.files.oom_kills() > 0

    def stderr(self) -> str:
        """The beginning of what it has written to stderr."""
        return os.pread(self._log, 20_000, 0).decode(errors="replace")

    def poll(self) -> int | None:
        """Its exit status (negative: the signal), or None while it runs."""
        return self._process.poll()

    def wait(self) -> int | None:
        """Wait for its end; returns its exit status (128 + n: signal n), or None if it did not start, or was killed
        with everything around it."""
        self._process.wait()
        reported = os.read(self._report, 4)
        return int(struct.unpack("<i", reported)[0]) if len(reported) == 4 else None

    def wait_briefly(self) -> int | None:
        """Its exit status if it ends within a second, or None."""
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            return None
        return self.wait()

    def kill(self) -> None:
        """End it, and everything that it started."""
        if self._first is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._first, signal.SIGKILL)
        self._process.kill()

    def close_stdin(self) -> None:
        """Let it read the end of its input."""
        self._open.remove(self._stdin)
        os.close(self._stdin)

    def close(self) -> None:
        """Kill it if it runs, and remove its control group."""
        self.kill()
        self._process.wait()
        self._close_files()

    def _close_files(self) -> None:
        while self._open:
            os.close(self._open.pop())
        if self._group is not None:
            self._group.close()
            self._group = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class Allowance:
    """What a process may still use from now on: CPU seconds, and seconds asleep (3 x CPU time + 5 s). Time in which it
    could run and has no core does not count."""

    def __init__(self, process: ConfinedProcess, cpu_s: float) -> None:
        self._process, self._limit = process, cpu_s
        self._started = process.cpu_s()
        self._looked, self._asleep_s = time.monotonic(), 0.0

    def used_s(self) -> float:
        """CPU seconds used so far."""
        return self._process.cpu_s() - self._started

    def check(self) -> None:
        """Raises TimeoutError once it is used up."""
        now = time.monotonic()
        self._asleep_s += now - self._looked if self._process.is_asleep() else 0.0
        self._looked = now
        self.check_cpu()
        if self._asleep_s >= 3 * self._limit + 5:
            raise TimeoutError

    def check_cpu(self) -> None:
        """Raises TimeoutError once the CPU seconds are used up."""
        if self.used_s() >= self._limit:
            raise TimeoutError


@cache
def _users() -> UserIds | None:
    return UserIds() if os.geteuid() == 0 else None


@cache
def _interpreter() -> Interpreter:
    """The Python that confines itself before it becomes the command."""
    return find_interpreter(None)


def _with_folders(arguments: Sequence[str], what: ConfinedCommand) -> list[str]:
    """Bubblewrap's mounts with the command's own, before the root becomes read-only."""
    own: list[str] = []
    paths = [path for path in what.shown if Path(path).exists()]
    folders = [*paths, *([str(what.writable)] if what.writable else [])]
    for folder in sorted({str(parent) for path in folders for parent in Path(path).parents} - {"/", "/tmp"}):  # noqa: S108
        own += ["--perms", "0755", "--dir", folder]
    for path in paths:
        own += ["--ro-bind", path, path]
    if what.writable is not None:
        own += ["--bind", str(what.writable), str(what.writable)]
    end = len(arguments) - 2  # --remount-ro /
    return [*arguments[:end], *own, *arguments[end:]]


def _is_ready(descriptor: int, event: int, wait_s: float) -> bool:
    """Whether a pipe can be read or written, or its other end is closed, within some seconds. (select(2) fails on
    descriptors from 1,024 on, which a sweep with many connections or workers has.)"""
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(wait_s * 1000))


def _child_pid(info: int) -> int | None:
    """The process id, outside, of the first process inside."""
    with os.fdopen(info, "rb"):
        text = b""
        while _is_ready(info, select.POLLIN, _START_S) and (more := os.read(info, 4096)):
            text += more
        try:
            return int(json.loads(text)["child-pid"])
        except (ValueError, KeyError):
            return None
