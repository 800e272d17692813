"""What runs inside the sandbox, given to its Python with `-c`: the standard library alone, Python 3.8+.

It is never imported by the controller. `once SETTINGS` runs one program and ends with it; a byte on
the descriptor `ready`, closed before the program is read, says that its limits are in place.
"""

from __future__ import annotations

# ruff: noqa: BLE001, PLC0415, S102 (it runs programs, which raise anything; and imports what it must)
import builtins
import ctypes
import os
import resource
import sys

TYPE_CHECKING = False  # `typing` would be a third of the time to start.
if TYPE_CHECKING:
    from typing import NoReturn

# How an uncaught MemoryError ends. A program that exits so itself is called out of memory: both are failures.
MEMORY_EXIT = 86

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38


def run_program(code_fd: int) -> NoReturn:
    """Read the program, run it as `__main__`, and end the process as the interpreter would. Never returns."""
    status = 1
    try:
        with open(code_fd, "rb") as file:
            source = file.read()
        main = type(sys)("__main__")
        main.__dict__["__builtins__"] = builtins
        sys.modules["__main__"] = main
        sys.argv[:] = ["main.py"]
        exec(compile(source, "main.py", "exec", dont_inherit=True), main.__dict__)
        status = 0
    except SystemExit as exit_:
        status = _exit_status(exit_.code)
    except MemoryError as error:
        status = MEMORY_EXIT
        _show(error)
    except BaseException as error:
        _show(error)
    finally:
        os._exit(_finish(status))


def _exit_status(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def _show(error: BaseException) -> None:
    """The traceback, from the program's first line on."""
    error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except BaseException as second:
        os.write(2, repr(type(second)).encode())


def _finish(status: int) -> int:
    """What the interpreter does at its end, in its order: threads, exit functions, buffers."""
    try:
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()
        import atexit

        atexit._run_exitfuncs()
        sys.stdout.flush()
    except MemoryError:
        return MEMORY_EXIT
    except BaseException:
        status = status or 120
    try:
        sys.stderr.flush()
    except BaseException:
        status = status or 120
    return status


def set_limits(address_space: int, cpu_s: int, processes: int, output: int) -> None:
    """Bound this process and what it starts: bytes of address space, CPU seconds of each process, processes and
    threads together, and bytes of any file."""
    for name, value in (
        (resource.RLIMIT_AS, address_space),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        hard = resource.getrlimit(name)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (bound, bound))


def become(uid: int) -> None:
    """Leave root for good: no groups, no way back."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def once(code: int, ready: int, uid: int, *limits: int) -> NoReturn:
    """Run the program on descriptor `code` in this very process: the sandbox is for it alone. `uid` 0 means as
    whom it is; the limits are those of `set_limits`."""
    if uid:
        become(uid)
    # Becoming another user has undone bubblewrap's own wish to die with the controller.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    set_limits(*limits)
    os.write(ready, b"1")
    os.dup2(code, 3)
    os.closerange(4, 1024)
    run_program(3)


if __name__ == "__main__":
    once(*map(int, sys.argv[2:]))
