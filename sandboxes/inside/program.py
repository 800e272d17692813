"""A child of the fork server: it turns from a copy of the server into a program, runs it, and ends.

A part of `executor.py`: standard library only, Python 3.8+; never imported by the controller, nor by programs.

Most programs run once, in a new process. If a program leaves nothing behind in its process (see `Sandbox.run_checked`
of the controller), the process may stay: when the program has ended, it waits for new descriptors and runs it again, in
an empty namespace and with the same limits. It ends instead if the program failed or started a thread, if the process
has used more than `RERUN_CPU_S` of CPU time in total, or if it has `RERUN_BYTES` more memory mapped than at first. This
memory is added to its limit, so that every run can map the same amount.
"""

# ruff: noqa: BLE001, S102, S302
# (Programs are executed and may raise anything; only code that this module has stored is unmarshalled.)
from __future__ import annotations

import _signal  # type: ignore[import-not-found] # as in `executor.py`
import _socket
import builtins
import ctypes
import gc
import marshal
import os
import resource
import struct
import sys
import time

TYPE_CHECKING = False  # `typing` would be a third of the time to start.
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import NoReturn

    from sandboxes.inside.ending import exit_status, finish, flush_io, show

# Exit status of an uncaught MemoryError. A program that exits with it counts as out of memory: both are failures.
MEMORY_EXIT = 86
# The child could not be set up. Trusted only with a message in the fault pipe, to which programs have no access.
FAULT_EXIT = 87
# Descriptors of a child: its socket to the other programs, its source and code while they are read, and, if it may
# stay, its socket to the server. The server's descriptors, including those that it receives, have higher numbers.
CHANNEL, TEXT, CODE, CONTROL, FIRST_SERVER_FD = 3, 4, 5, 6, 10
MODULE_NAME = "program"  # `__name__` of a program in a group: a module for others to use, not a script
CODE_SIZE = struct.Struct("<Q")  # the head of the file with the code, written last
DESCRIPTORS = 256  # no process here may have more
RERUN_CPU_S, RERUN_BYTES = 1.0, 8 << 20
WARM_UP_RUNS = 20
GAPS_BYTES, BYTES_HEAD = 1 << 14, sys.getsizeof(b"")
fillers: list[object] = []
# The operations that programs use most.
WARM_UP_PROGRAM = """
import _socket, os, sys, remote
def positive(items, factor=2):
    try:
        return [factor * item for item in items if item > 0]
    except TypeError:
        return None
lines = "3 4\\n1 2\\n".strip().split("\\n")
numbers = sorted(int(word) for line in lines for word in line.split())
counts = {}
for number in map(abs, positive(numbers)):
    counts[number] = counts.get(number, 0) + 1
words = []
words.append(" ".join(str(key) + f"{value:d}" for key, value in counts.items()))
print(*words, len(words), max(numbers), sum(numbers), min(range(3)), set(words) - {""}, tuple(enumerate(words)))
try:
    input()
except EOFError:
    pass
remote.begin("f")
def check(function):
    function(1, [2.5, "text", None], (True,), a={"b": {"c"}})
    assert not function, function
ours, theirs = _socket.socketpair()
os.dup2(ours.fileno(), 3)
sample = remote.Link(serving=True)
sample.export(lambda *arguments, **named: arguments[0], "function")
sample._send(b"=", 0, 1, remote.Exchange(sample))
theirs.send(theirs.recv(4096))
remote.finish()
theirs.send(theirs.recv(4096))
sample._answer(*sample._receive())
theirs.recv(4096)
sample.export([].pop, "function")
sample._send(b"C", 1, ((), {}), remote.Exchange(sample))
theirs.send(theirs.recv(4096))
sample._answer(*sample._receive())
theirs.send(theirs.recv(4096))
remote.decode(sample._receive()[2], 0, remote.Exchange(remote.Link()))
os.close(remote._test.said)
"""

SYS_CAPSET = {"x86_64": 126, "aarch64": 91}.get(os.uname().machine, -1)
PR_SET_DUMPABLE = 4

# Kept in case a program patches `os`: a child that did not exit would continue as the server.
leave = os._exit

# PyDLL holds the interpreter's lock during a call, so that a cloned child can continue without taking it.
libc = ctypes.PyDLL(None, use_errno=True)
_NO_CAPABILITIES = (struct.pack("<Ii", 0x20080522, 0), bytes(24))


def call(result: int, name: str) -> int:
    """The result of a C call, or its error as OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
    return result


def become_user(uid: int) -> None:
    """Drop root permanently, with all groups."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def become_program(
    descriptors: list[int], rlimits: list[tuple[int, int, int]], uid: int, fault: int, control: int
) -> NoReturn:
    """Turn this new child into the program.

    Args:
        descriptors: its text, its code, stdin, stdout, stderr and, if there is one, its socket to the others.
        rlimits: resource limits: which, the soft limit, and the hard limit up to which it may be raised.
        uid: the user id to change to; 0: no change.
        fault: a pipe for errors before the program's first line.
        control: the socket to the server of a program that may stay, or -1.
    """
    try:
        # The server ignores it by blocking it.
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGINT,))
        os.setsid()
        text, code, *others = descriptors
        last = CODE
        if control >= 0:
            os.dup2(control, CONTROL)
            last = CONTROL
        os.dup2(text, TEXT)
        os.dup2(code, CODE)
        for number, fd in enumerate(others):
            os.dup2(fd, number)
        if len(others) <= CHANNEL:
            os.close(CHANNEL)
        else:
            # Also under this name, by which `pickle`, `dataclasses` and others look up the module of a class.
            sys.modules[MODULE_NAME] = sys.modules["__main__"]
            sys.modules["__main__"].__name__ = MODULE_NAME
        for name, value, highest in rlimits:
            resource.setrlimit(name, (value, highest))
        if uid:
            become_user(uid)
            # Changing the user has closed /proc/self, where programs find /dev/stdin.
            call(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl")
        call(libc.syscall(SYS_CAPSET, *_NO_CAPABILITIES), "capset")
        os.closerange(last + 1, DESCRIPTORS)
        reruns = Reruns() if control >= 0 else None
    except BaseException as error:
        os.write(fault, repr(error).encode()[:500])
        leave(FAULT_EXIT)
    run(reruns)


class Loader:
    """Returns the text of the program to `inspect`, as the loader of a script does."""

    def get_source(self, _: str) -> str:
        """The text of the program."""
        with open(FILE, encoding="utf-8") as file:  # noqa: PTH123 - `pathlib` takes long to import
            return file.read()


# A file that the program can read: its text, in memory.
FILE = f"/proc/self/fd/{TEXT}"


def new_module() -> ModuleType:
    """The module that a program becomes."""
    module = type(sys)("__main__")
    module.__dict__.update(__builtins__=builtins, __file__=FILE, __loader__=Loader())
    return module


def run(reruns: Reruns | None) -> NoReturn:
    """Read the program, run it as `__main__`, and end the process as the interpreter would."""
    space = sys.modules["__main__"].__dict__
    status = 1
    gc.freeze()  # The program did not create what exists now (see `destroy`).
    gc.enable()
    try:
        code = read_code()
        exec(code, space)
        while reruns is not None and reruns.next(space):
            exec(code, space)
        status = 0
    except SystemExit as exit_:
        flush_io()
        status = exit_status(exit_.code)
    except MemoryError as error:
        status = MEMORY_EXIT
        flush_io()
        show(error)
    except BaseException as error:
        flush_io()
        show(error)
    finally:
        leave(finish(status, space))


class Reruns:
    """Further runs of a program in the same process. Created before the first run."""

    def __init__(self) -> None:
        self.control = _socket.socket(fileno=CONTROL)
        self.limit, self.highest = resource.getrlimit(resource.RLIMIT_AS)
        self.mapped = mapped_bytes()
        self.space = dict(sys.modules["__main__"].__dict__)

    def next(self, space: dict[str, object]) -> bool:
        """Report the end of a run, and restore the initial state for the next one. Returns False if that is not
        possible, or there is no next run."""
        status = finish(0, None)
        if status:
            raise SystemExit(status)
        if "threading" in sys.modules or time.process_time() > RERUN_CPU_S:
            return False
        space.clear()
        space.update(self.space)
        more = max(0, mapped_bytes() - self.mapped)
        if more > RERUN_BYTES:
            return False
        if self.limit != resource.RLIM_INFINITY:
            resource.setrlimit(resource.RLIMIT_AS, (min(self.limit + more, self.highest), self.highest))
        # Closes what the program has left open. Its socket and its output are replaced below.
        os.closerange(TEXT + 1, CONTROL)
        os.closerange(CONTROL + 1, DESCRIPTORS)
        self.control.send(b"\0")
        _, ancillary, _, _ = self.control.recvmsg(1, _socket.CMSG_SPACE(4 * 8))
        descriptors = [fd for _, _, data in ancillary for (fd,) in struct.iter_unpack("i", data)]
        for number, fd in enumerate(descriptors):
            os.dup2(fd, number)
            os.close(fd)
        return bool(descriptors)


def mapped_bytes() -> int:
    """The size of this process's address space."""
    fd = os.open("/proc/self/statm", os.O_RDONLY)
    try:
        return int(os.read(fd, 100).split()[0]) * resource.getpagesize()
    finally:
        os.close(fd)


def read_code() -> CodeType:
    """The compiled program. Each source is compiled only once, because that takes most of a short program's time."""
    (size,) = CODE_SIZE.unpack(os.pread(CODE, CODE_SIZE.size, 0) or bytes(CODE_SIZE.size))
    if size:
        code: CodeType = marshal.loads(os.pread(CODE, size, CODE_SIZE.size))
    else:
        text = os.pread(TEXT, os.fstat(TEXT).st_size, 0)
        code = compile(text, "main.py", "exec", dont_inherit=True)
        keep_code(code)
    os.close(CODE)
    return code


def keep_code(code: CodeType) -> None:
    """Store the code for the next child with this source, if it fits into a file that this child may write."""
    try:
        data = marshal.dumps(code)
        if CODE_SIZE.size + len(data) <= resource.getrlimit(resource.RLIMIT_FSIZE)[0]:
            os.pwrite(CODE, data, CODE_SIZE.size)
            os.pwrite(CODE, CODE_SIZE.pack(len(data)), 0)
    except (MemoryError, OSError, ValueError):
        pass  # The next child compiles it itself.


def warm_up() -> None:
    """Run a typical program a few times in the server, with empty input and without output. The interpreter specializes
    code that has run a few times and caches its lookups. Done here, this need not happen in every child, which would
    then need copies of those pages."""
    kept, null = os.dup(1), os.open("/dev/null", os.O_WRONLY)
    os.dup2(null, 1)
    code = marshal.dumps(compile(WARM_UP_PROGRAM, "main.py", "exec", dont_inherit=True))
    for _ in range(WARM_UP_RUNS):
        space = new_module().__dict__
        exec(marshal.loads(code), space)
        finish(exit_status(None), space)
    os.dup2(kept, 1)
    os.dup2(null, CHANNEL)
    os.close(kept)
    os.close(null)


def fill_gaps() -> None:
    """Fill the gaps that garbage has left between the server's small objects. A child would put its objects there, and
    need a copy of each such page. Now its objects go to new pages, which only have to be zeroed. (The allocator has a
    list of free blocks for each multiple of 16 bytes up to 512.)"""
    fillers.extend(bytes(size - BYTES_HEAD) for size in range(48, 513, 16) for _ in range(GAPS_BYTES // size))
    fillers.extend(object() for _ in range(GAPS_BYTES // 16))
    fillers.extend(float(number) for number in range(GAPS_BYTES // 32))
