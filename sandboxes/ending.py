"""From how a process ended to a status, by one rule for every sandbox."""

import os
import signal

from sandboxes import Limits, Outcome, Status

# The executor ends so on an uncaught MemoryError (`executor.MEMORY_EXIT`).
MEMORY_EXIT = 86
_STDERR_TAIL = 2000


def memory_file(data: bytes = b"") -> int:
    """A new anonymous file that holds `data`, open for reading and writing at its start."""
    fd = os.memfd_create("monkeys", os.MFD_CLOEXEC)
    try:
        written = 0
        while written < len(data):
            written += os.pwrite(fd, data[written:], written)
    except OSError:
        os.close(fd)
        raise
    return fd


def file_size_limit(limits: Limits) -> int:
    """The RLIMIT_FSIZE for an execution: one byte past what it may write, so that a flood can be told."""
    return limits.output_bytes + 1


def outcome_of(
    limits: Limits,
    *,
    stdout: int,
    stderr: int,
    exit_code: int,
    timed_out: str,
    cpu_s: float,
    wall_s: float,
    out_of_memory: bool = False,
) -> Outcome:
    """The outcome of an execution that did begin and has ended, with nothing of it left running.

    Too much output (of either stream) comes first, then time, then memory: a flood also takes long. CPU time beyond
    the limit is a time-out even where the program ended by itself just before it was looked at.

    Args:
        limits: what it was allowed.
        stdout: descriptor of the file that it wrote.
        stderr: likewise.
        exit_code: negative for a signal.
        timed_out: why it was ended for its time, or "".
        cpu_s: CPU seconds of the program and all that it started.
        wall_s: seconds on the clock.
        out_of_memory: whether the kernel ended it for its memory.
    """
    status, detail = Status.ERROR, f"exit status {exit_code}"
    sizes = {"stdout": os.fstat(stdout).st_size, "stderr": os.fstat(stderr).st_size}
    flooded = [name for name, size in sizes.items() if size > limits.output_bytes]
    if not timed_out and cpu_s > limits.cpu_s:
        timed_out = f"{cpu_s:.2f} s of CPU time, limit {limits.cpu_s:g} s"
    if flooded:
        status, detail = Status.OUTPUT_LIMIT, f"more than {limits.output_bytes} bytes on {flooded[0]}"
    elif timed_out:
        status, detail = Status.TIME_LIMIT, timed_out
    elif out_of_memory or exit_code == MEMORY_EXIT:
        status, detail = Status.MEMORY_LIMIT, f"more than {limits.memory_mb} MB of memory"
    elif exit_code == 0:
        status, detail = Status.OK, ""
    elif exit_code < 0:
        detail = f"killed by {_signal_name(-exit_code)}"
    tail = os.pread(stderr, _STDERR_TAIL, max(0, sizes["stderr"] - _STDERR_TAIL))
    output = b"" if status is Status.OUTPUT_LIMIT else os.pread(stdout, limits.output_bytes, 0)
    return Outcome(status, output, tail, exit_code, cpu_s, wall_s, detail)


def wall_bound(limits: Limits) -> float:
    """Seconds on the clock after which even a program that uses no CPU time is ended."""
    return 3 * limits.cpu_s + 5 if limits.wall_s is None else limits.wall_s


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
