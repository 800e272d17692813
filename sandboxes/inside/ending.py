"""How a program ends: what the interpreter does after a script's last line, and signals that a program sends itself.

A part of `executor.py`: standard library only, Python 3.8+; never imported by the controller, nor by programs.

A program is the first process of its PID namespace (mode NAMESPACED). The kernel delivers no signal to such a process
that it does not handle: `os.kill(os.getpid(), signal.SIGKILL)` would do nothing. The functions by which a program sends
itself a signal are therefore replaced by some that end it where the signal would.
"""

# ruff: noqa: BLE001, S102
# (It runs programs, which raise anything; and a probe.)
from __future__ import annotations

import _io
import _signal  # type: ignore[import-not-found] # as in `executor.py`
import atexit
import gc
import os
import sys

TYPE_CHECKING = False  # `typing` would be a third of the time to start.
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from sandboxes.inside.program import MEMORY_EXIT, leave

# Signals that end a process which does not handle them: all but CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG and WINCH.
DEADLY = frozenset(range(1, 65)) - {17, 18, 19, 20, 21, 22, 23, 28}
SIGNAL_OF_TIMER = {0: 14, 1: 26, 2: 27}  # ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF
MAX_LIMIT = (1 << 31) - 1


def exit_status(code: object) -> int:
    """The exit status of `sys.exit(code)`."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -(1 << 63) <= code < 1 << 63 else 0xFF
    print(code, file=sys.stderr)
    return 1


def show(error: BaseException) -> None:
    """Print the traceback, starting at the program's first line."""
    error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except BaseException as second:
        os.write(2, repr(type(second)).encode())


def flush_io() -> None:
    """What follows a script's last line: its output is written before threads, exit functions or signals can end it."""
    for name in ("stderr", "stdout"):
        try:
            flush(name)
        except BaseException:
            continue  # It is tried again at the end, and counts there.


def finish(status: int) -> int:
    """What the interpreter does at exit, in its order: threads, exit functions, buffers, objects, buffers."""
    try:
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()
        atexit._run_exitfuncs()
        flush("stdout")
        destroy()
        if sys.__stdout__ is not None and not sys.__stdout__.closed:
            sys.__stdout__.flush()
        flush("stdout")
    except MemoryError:
        return MEMORY_EXIT
    except BaseException:
        status = status or 120
    try:
        flush("stderr")
    except BaseException:
        status = status or 120
    return status


def flush(name: str) -> None:
    """Flush a stream of `sys`, unless the program has closed or removed it."""
    stream = getattr(sys, name, None)
    if stream is not None and not getattr(stream, "closed", False):
        stream.flush()


def destroy() -> None:
    """Destroy the program's objects, where that can be seen: files that it has not closed are flushed, `__del__` and
    `finally` of generators may print. It costs more than most programs do, so it is left out where nothing of this
    kind exists. The server's objects are not among those that the collector knows (`gc.freeze`)."""
    try:
        objects = gc.get_objects()
        kinds = set(map(type, objects))
        kinds.update([each for each in objects if type(each) is type])
    except MemoryError:
        return
    del objects
    if any([hasattr(kind, "__del__") or kind in SEEN_TO_END for kind in kinds]):
        del kinds
        # Before the collector closes them, in any order: a descriptor before the buffer above it, too.
        flush_files()
        main = sys.modules["__main__"]
        for name in [name for name, module in sys.modules.items() if module is main]:
            del sys.modules[name]
        del main
        gc.collect()
        flush_files()


def flush_files() -> None:
    """Flush every open file that the program has made."""
    for each in gc.get_objects():
        if isinstance(each, _io._IOBase):
            try:
                if not each.closed:
                    each.flush()
            except Exception:
                continue  # As where a file is destroyed.


def _generator() -> Any:
    yield


async def _coroutine() -> Any:
    yield


SEEN_TO_END = (type(_generator()), type(_coroutine()))


# --- signals ----------------------------------------------------------------------------------------------------------


def end_by(number: int) -> None:
    """End this process, if it is the first of its namespace and the signal would end any other."""
    if os.getpid() == 1 and number in DEADLY and (number == 9 or _signal.getsignal(number) == _signal.SIG_DFL):
        leave(128 + number)


def end_at(number: int) -> None:
    """End this process when the kernel sends it a signal that it does not handle."""
    if os.getpid() == 1 and _signal.getsignal(number) == _signal.SIG_DFL:
        _signal.signal(number, lambda number, _: leave(128 + number))


def replace_calls() -> None:
    """Replace the functions by which a program sends itself a signal, and those that would count the server's frames
    as the program's."""
    kill, killpg, send, send_to_thread = os.kill, os.killpg, _signal.raise_signal, _signal.pthread_kill
    alarm, setitimer = _signal.alarm, _signal.setitimer
    get_limit, set_limit = sys.getrecursionlimit, sys.setrecursionlimit

    def kill_(pid: int, signal: int, /) -> None:
        kill(pid, signal)
        if pid in (0, 1):  # -1 is everybody else
            end_by(signal)

    def killpg_(pgid: int, signal: int, /) -> None:
        killpg(pgid, signal)
        if pgid in (0, 1):
            end_by(signal)

    def raise_signal(signalnum: int, /) -> None:
        end_by(signalnum)
        send(signalnum)

    def pthread_kill(thread_id: int, signalnum: int, /) -> None:
        send_to_thread(thread_id, signalnum)
        end_by(signalnum)

    def alarm_(seconds: int, /) -> Any:
        end_at(SIGNAL_OF_TIMER[0])
        return alarm(seconds)

    def setitimer_(which: int, seconds: float, interval: float = 0.0, /) -> Any:
        if which in SIGNAL_OF_TIMER:
            end_at(SIGNAL_OF_TIMER[which])
        return setitimer(which, seconds, interval)

    def getrecursionlimit() -> int:
        return get_limit() - hidden_frames

    def setrecursionlimit(limit: int, /) -> None:
        set_limit(min(limit + hidden_frames, MAX_LIMIT) if 0 < limit <= MAX_LIMIT else limit)

    replaced: list[tuple[str, str, Callable[..., Any]]] = [
        ("posix", "kill", kill_),
        ("posix", "killpg", killpg_),
        ("_signal", "raise_signal", raise_signal),
        ("_signal", "pthread_kill", pthread_kill),
        ("_signal", "alarm", alarm_),
        ("_signal", "setitimer", setitimer_),
        ("sys", "getrecursionlimit", getrecursionlimit),
        ("sys", "setrecursionlimit", setrecursionlimit),
    ]
    for module, name, function in replaced:
        function.__name__ = function.__qualname__ = name
        setattr(sys.modules[module], name, function)
    os.kill, os.killpg = kill_, killpg_


hidden_frames = exec_frames = 0
"""What counts as frames below the program's first: the server's frames, and the call of `exec`."""

PROBE = """
def recurse(depth):
    global deepest
    deepest = depth
    recurse(depth + 1)
try:
    recurse(1)
except RecursionError:
    pass
"""


def hide_frames() -> None:
    """Let the program recurse as deep as a script does. To be called by the function that is to run it."""
    global hidden_frames
    limit = sys.getrecursionlimit()
    hidden_frames = exec_frames + frames(sys._getframe(1))
    sys.setrecursionlimit(limit)


def frames(frame: FrameType | None) -> int:
    """How many frames there are from this one down."""
    count = 0
    while frame is not None:
        count += 1
        frame = frame.f_back
    return count


def measure_exec() -> None:
    """Find out what a call of `exec` counts for: that depends on the version of Python. A script reaches one less than
    its limit."""
    global exec_frames
    space: dict[str, Any] = {}
    here, limit = frames(sys._getframe()), sys.getrecursionlimit()
    sys.setrecursionlimit(here + 60)
    exec(PROBE, space)
    sys.setrecursionlimit(limit)
    exec_frames = 60 - 1 - space["deepest"]
