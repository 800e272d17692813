"""The controller's side of `executor.py`: a server process, its requests and its replies."""

import contextlib
import errno
import fcntl
import math
import os
import select
import signal
import socket
import struct
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from sandboxes import Outcome, Status
from sandboxes.settings import EffectiveLimits

# The fork server and its parts, then the parts of the module that programs can import.
_INSIDE = Path(__file__).parents[1] / "inside"
_EXECUTOR, *_PARTS = (
    (_INSIDE / name).read_text(encoding="utf-8")
    for name in (
        *("executor.py", "program.py", "ending.py", "usage.py", "child.py", "cleanup.py", "start.py"),
        *("proxies.py", "values.py", "remote.py", "checking.py"),
    )
)

# As in executor.py, which is never imported here.
_GROUP, _PROGRAM, _ENDING = struct.Struct("<IdQ"), struct.Struct("<dQQQ"), struct.Struct("<iiIdd")
_BY_ITSELF, _CPU_TIME, _WALL_TIME, _WITH_FIRST, _NO_CORE = _REASONS = range(5)
_FAILED, _WAITING, _END = b"failed: ", b"waiting", b"end"
_STATUSES = 1 << 16
_MEMORY_EXIT = 86

_MEGABYTE = 1024 * 1024
_STDERR_TAIL = 2000
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK
# How many programs a server keeps, because a program has several tests, and a checker checks several programs.
_PROGRAMS_KEPT = 4
# Seconds for a server to start, and to answer once all of its programs must have ended.
_START_S, _GRACE_S = 60.0, 60.0
_PAUSE_S = 0.01


def server_arguments(connection: str, uid: int, mode: str) -> list[str]:
    """The arguments with which a Python becomes a server: the socket to its controller, the user id to change to
    (0: none), and the mode in which it isolates programs from each other (see `executor.py`)."""
    return ["-c", _EXECUTOR, connection, str(uid), mode, *_PARTS]


class ServerGoneError(RuntimeError):
    """The server died or stopped answering, so nothing is known about the programs that it ran. Replace it."""


class MemoryFiles:
    """Anonymous files with given contents. Close them to free their memory."""

    def __init__(self, *contents: bytes, sealed: int = 0):
        """The first `sealed` files cannot be changed by anyone."""
        self.files: list[int] = []
        try:
            for place, data in enumerate(contents):
                self.files.append(_memory_file(data, sealed=place < sealed))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the files."""
        while self.files:
            os.close(self.files.pop())


class Program(MemoryFiles):
    """The source of a program and, after its first compilation, its code."""

    def __init__(self, text: str):
        super().__init__(text.encode("utf-8", "surrogatepass"), b"", sealed=1)


class Execution(MemoryFiles):
    """One run of a program: its stdin, stdout and stderr as files, as the executor expects them, and its limits."""

    def __init__(self, text: str, stdin: bytes, limits: EffectiveLimits):
        self.text = text
        self.limits = limits
        super().__init__(stdin, b"", b"")

    def request(self, *, bounds_memory: bool) -> bytes:
        """This program's part of a request. If `bounds_memory`, the host limits the memory that programs use, so the
        address space, of which a program may reserve more than it uses, is not limited."""
        limits = self.limits
        memory = 0 if bounds_memory else limits.memory_mb * _MEGABYTE
        # One byte above the limit, to distinguish too much output from exactly as much as is allowed.
        return _PROGRAM.pack(limits.cpu_s, memory, limits.processes, limits.output_bytes + 1)

    def outcome(self, ending: "Ending") -> Outcome:
        """The outcome. Too much output (of either stream) takes precedence over time, and time over memory, because
        writing much output takes long. More CPU time than the limit is a timeout even if the program finished."""
        limits, exit_code = self.limits, ending.exit_code
        status, detail = Status.ERROR, f"exit status {exit_code}"
        sizes = {name: os.fstat(fd).st_size for name, fd in zip(("stdout", "stderr"), self.files[1:], strict=True)}
        flooded = [name for name, size in sizes.items() if size > limits.output_bytes]
        if flooded:
            status, detail = Status.OUTPUT_LIMIT, f"more than {limits.output_bytes} bytes on {flooded[0]}"
        elif ending.reason == _CPU_TIME or ending.cpu_s > limits.cpu_s:
            status, detail = Status.TIME_LIMIT, f"{ending.cpu_s:.2f} s of CPU time, limit {limits.cpu_s:g} s"
        elif ending.reason == _WALL_TIME:
            status, detail = Status.TIME_LIMIT, f"{ending.wall_s:.1f} s of wall-clock time, limit {limits.wall_s:g} s"
        elif ending.reason == _NO_CORE:
            status, detail = (
                Status.INFRASTRUCTURE,
                f"the machine is too busy: {ending.cpu_s:.1f} s of CPU time in {ending.wall_s:.0f} s",
            )
        elif exit_code == _MEMORY_EXIT or ending.out_of_memory:
            status, detail = Status.MEMORY_LIMIT, f"more than {limits.memory_mb} MB of memory"
        elif exit_code == 0 or (ending.reason == _WITH_FIRST and exit_code == -signal.SIGKILL):
            status, detail = Status.OK, ""
        elif exit_code < 0:
            detail = f"killed by {_signal_name(-exit_code)}"
        stderr = os.pread(self.files[2], _STDERR_TAIL, max(0, sizes["stderr"] - _STDERR_TAIL))
        stdout = b"" if status is Status.OUTPUT_LIMIT else os.pread(self.files[1], limits.output_bytes, 0)
        return Outcome(status, stdout, stderr, exit_code, ending.cpu_s, ending.wall_s, detail)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program's process ended: its exit code (negative for a signal), one of the reasons above, seconds, and
    whether the kernel killed one of its processes because all together had reached their memory limit."""

    exit_code: int
    reason: int
    cpu_s: float
    wall_s: float
    out_of_memory: bool = False

    @property
    def unexplained(self) -> bool:
        """Killed by SIGKILL, but not by its server: perhaps by the kernel for want of memory, or by a person."""
        return self.exit_code == -signal.SIGKILL and self.reason == _BY_ITSELF and not self.out_of_memory


class ServerHost(Protocol):
    """Where a server runs: a child process, or a container. Creating it starts it."""

    @property
    def socket(self) -> socket.socket:
        """The socket to the server."""
        ...

    @property
    def usage_files(self) -> Sequence[int]:
        """Opened files of its control group, from which the server reads what programs use (see `usage.py`). Empty if
        the server finds them itself, or there is no group."""
        ...

    def set_memory_limit(self, memory_bytes: int) -> None:
        """Limit the memory that the next programs use together, if that is possible."""
        ...

    @property
    def bounds_memory(self) -> bool:
        """Whether the limit that was set is in force."""
        ...

    def oom_kills(self) -> int:
        """How many of its processes the kernel has killed because it had reached its memory limit. Asked only when the
        server has died."""
        ...

    def last_stderr_line(self) -> str:
        """The last line that the server wrote to stderr, or ""."""
        ...

    def close(self) -> None:
        """End the server and everything inside. The socket has already been closed."""
        ...


class ForkServer:
    """A running executor and the socket to it. Takes one request at a time, from any thread, until it is `gone`.

    Args:
        host: where it runs. It is closed with the server.
        rules: the system-call filter, or b"".

    Raises:
        ServerGoneError: it did not start; the message says what it wrote.
    """

    def __init__(self, host: ServerHost, rules: bytes):
        self._host = host
        self._socket = host.socket
        self._programs: OrderedDict[str, Program] = OrderedDict()
        self._reusable: tuple[str, EffectiveLimits] | None = None
        self._number = 0
        self._oom_kills = 0
        self.gone = False
        try:
            # b"-" means no filter, because an empty message would end the server.
            self._send(rules or b"-", host.usage_files)
            self._receive(_START_S)
        except ServerGoneError as error:
            said = host.last_stderr_line()
            self.close()
            raise ServerGoneError(said or str(error)) from error

    def run(
        self,
        executions: Sequence[Execution],
        wall_s: float,
        channels: Sequence[int] = (),
        *,
        reusable_process: bool = False,
    ) -> list[Ending]:
        """Run programs concurrently; all end with the first.

        Args:
            executions: the programs.
            wall_s: wall-clock limit for all of them, in seconds.
            channels: one descriptor for each program, which gets it as descriptor 3, or none at all. They are closed.
            reusable_process: the first leaves nothing behind in its process, which may run it again (see `Sandbox`).

        Raises:
            ServerGoneError: close it, and start another.
        """
        try:
            self._host.set_memory_limit(sum(execution.limits.memory_mb for execution in executions) * _MEGABYTE)
            number = self._number_of(executions[0]) if reusable_process else 0
            bounded = self._host.bounds_memory
            message = _GROUP.pack(len(executions), wall_s, number)
            message += b"".join([execution.request(bounds_memory=bounded) for execution in executions])
            descriptors: list[int] = []
            for number, execution in enumerate(executions):
                program = self._program(execution.text)
                descriptors += [*program.files, *execution.files, *channels[number : number + 1]]
            self._send(message, descriptors)
        finally:
            # Closed here, so that when one program ends, the other sees its socket close.
            for channel in channels:
                os.close(channel)
        try:
            reply = self._receive(wall_s + _GRACE_S)
            while reply == _WAITING:
                reply = self._receive(_GRACE_S)
        except ServerGoneError:
            self.gone = True
            if self._host.oom_kills() > self._oom_kills:
                # The kernel killed the server instead of the programs that had used up its memory.
                return [Ending(-signal.SIGKILL, _BY_ITSELF, 0.0, 0.0, out_of_memory=True)] * len(executions)
            raise
        if reply.startswith(_FAILED) or len(reply) != len(executions) * _ENDING.size:
            raise ServerGoneError(reply.decode(errors="replace")[:500])
        endings = [_ending(*fields) for fields in _ENDING.iter_unpack(reply)]
        kills = _ENDING.unpack_from(reply)[2]
        self._oom_kills += kills
        if kills:
            # Not the fault of a checker that has done its work.
            endings[:-1] = [replace(ending, out_of_memory=ending.exit_code != 0) for ending in endings[:-1]]
        return endings

    def _number_of(self, execution: Execution) -> int:
        """The number that identifies a program and its limits to the server, for its reusable process."""
        program = (execution.text, execution.limits)
        if program != self._reusable:
            self._reusable = program
            self._number += 1
        return self._number

    def has_compiled(self, text: str) -> bool:
        """Whether the server keeps this program's code."""
        return text in self._programs

    def has_closed(self) -> bool:
        """Whether the server has closed its socket since its last reply."""
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP)
        return bool(poll.poll(0))

    def end_programs(self) -> None:
        """End the running programs. A thread that waits for them gets the reply."""
        with contextlib.suppress(ServerGoneError):
            self._send(_END, [])

    def stop(self) -> None:
        """Tell the server to end. A thread that waits for its reply gets ServerGoneError."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the server and everything inside."""
        while self._programs:
            self._programs.popitem()[1].close()
        self._socket.close()
        self._host.close()

    def _program(self, text: str) -> Program:
        program = self._programs.get(text)
        if program is None:
            program = self._programs[text] = Program(text)
            # Never drops the program that has just been added, because a group is smaller than the number kept.
            while len(self._programs) > _PROGRAMS_KEPT:
                self._programs.popitem(last=False)[1].close()
        else:
            self._programs.move_to_end(text)
        return program

    def _send(self, message: bytes, descriptors: Sequence[int]) -> None:
        deadline = time.monotonic() + _GRACE_S
        while True:
            try:
                socket.send_fds(self._socket, [message], descriptors)
            except OSError as error:
                # The number of descriptors in flight is limited for each user. A program of a server with this
                # process's user may have used them up, and releases them when it ends.
                if error.errno != errno.ETOOMANYREFS or time.monotonic() > deadline:
                    raise ServerGoneError(f"the server is gone ({error})") from error
                time.sleep(_PAUSE_S)
            else:
                return

    def _receive(self, timeout_s: float) -> bytes:
        deadline = time.monotonic() + timeout_s
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if not poll.poll(max(0.0, 1000 * (deadline - time.monotonic()))):
            raise ServerGoneError(f"the server did not answer for {timeout_s:.0f} s")
        try:
            message = self._socket.recv(4096)
        except OSError as error:
            raise ServerGoneError(f"the server is gone ({error})") from error
        if not message:
            raise ServerGoneError("the server is gone")
        return message


def _ending(status: int, reason: int, kills: int, cpu_s: float, wall_s: float) -> Ending:
    """What a server reports about a program.

    Raises:
        ServerGoneError: the report is malformed.
    """
    sensible = all(math.isfinite(seconds) and seconds >= 0 for seconds in (cpu_s, wall_s))
    ended = os.WIFEXITED(status) or os.WIFSIGNALED(status)
    if not (sensible and ended and 0 <= status < _STATUSES and reason in _REASONS):
        raise ServerGoneError(f"the server returned a malformed answer ({status}, {reason}, {cpu_s}, {wall_s})")
    return Ending(os.waitstatus_to_exitcode(status), reason, cpu_s, wall_s, out_of_memory=kills > 0)


def _memory_file(data: bytes, *, sealed: bool = False) -> int:
    """A new anonymous file that holds `data`, open for reading and writing at its start. Nobody can change a sealed
    one."""
    # A program must not be able to seal its input and output.
    fd = os.memfd_create("monkeys", os.MFD_CLOEXEC | (os.MFD_ALLOW_SEALING if sealed else 0))
    try:
        written = 0
        while written < len(data):
            written += os.pwrite(fd, data[written:], written)
        if sealed:
            # A program can open the file of its text, which later programs with the same text share.
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    except OSError:
        os.close(fd)
        raise
    return fd


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
