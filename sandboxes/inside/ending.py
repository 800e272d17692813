"""How a program ends: what the interpreter does after the last line of a script, and signals to itself.

A part of `executor.py`: standard library only, Python 3.8+; never imported by the controller, nor by programs.

A program is the first process of its PID namespace (mode NAMESPACED). To such a process, the kernel delivers only
signals that it handles: `os.kill(os.getpid(), signal.SIGKILL)` would do nothing. The functions by which a program sends
itself a signal are therefore replaced by functions that end it if the signal would have.
"""

# ruff: noqa: BLE001, PERF203, PLW0603, S102, S112
# (Programs may raise anything, and a probe is executed.)
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
    """Write the output after the last line of a script, before threads, exit functions or signals can end it."""
    for name in ("stderr", "stdout"):
        try:
            flush(name)
        except BaseException:
            continue  # Tried again at the end, where an error counts.


def finish(status: int, space: dict[str, object] | None) -> int:
    """Do what the interpreter does at exit, in its order: buffers, threads, exit functions, buffers, objects, buffers.
    `space` is the program's namespace, or None if its objects will actually be destroyed."""
    flush_io()
    try:
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()
        atexit._run_exitfuncs()
        flush("stdout")
        if space is not None:
            destroy(space)
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


def destroy(space: dict[str, object]) -> None:
    """Imitate the observable effects of destroying the program's objects: open files are flushed, generators are
    closed, and `__del__` is called, in the order of creation. Destroying them would cost more than most programs do.
    The collector does not list the server's objects (`gc.freeze`)."""
    try:
        # By type first, because most programs have nothing to destroy, and there are few types.
        for kind in {*map(type, gc.get_objects())}:
            if issubclass(kind, NOTICED):
                break
        else:
            return
        found = [each for each in gc.get_objects() if isinstance(each, NOTICED)]
        if not any([has_ending(each) or hasattr(each, "__del__") for each in found]):  # noqa: C419
            return
        objects = [*space.values(), *gc.get_objects(2), *gc.get_objects(1), *gc.get_objects(0)]
        noticed = {id(each): each for each in objects if has_ending(each)}
    except MemoryError:
        return
    del found, objects
    for wanted in (True, False):  # files first, because other objects may close the files below them, and again last
        for each in list(noticed.values()):
            is_file = isinstance(each, _io._IOBase)
            try:
                if is_file and not each.closed:
                    each.flush()
                elif not is_file and wanted:
                    each.close() if isinstance(each, CLOSED) else type(each).__del__(each)
            except BaseException:
                show_ignored(each)


def has_ending(each: object) -> bool:
    """Whether its destruction has an observable effect."""
    return isinstance(each, CLOSED) or hasattr(type(each), "__del__")


def show_ignored(each: object) -> None:
    """Print an exception that nobody can catch, as the interpreter does, except for those of files."""
    if not isinstance(each, _io._IOBase):
        try:
            sys.excepthook(*sys.exc_info())
        except BaseException:
            return


def _generator() -> Any:
    yield


async def _coroutine() -> Any:
    return None


_unused = _coroutine()
_unused.close()
CLOSED = (type(_generator()), type(_unused))
# Objects whose destruction may have an effect. A class is a sign that its instances may.
NOTICED = (_io._IOBase, *CLOSED, type)


# --- signals ----------------------------------------------------------------------------------------------------------


def end_by(number: int) -> None:
    """End this process if it is the first of its namespace and the signal would end any other process."""
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
        if pid in (0, 1):  # -1 means all other processes
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


hidden_frames = 0
"""The number of frames below a program's first frame: those of the server, and the call of `exec`."""

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


def frames(frame: FrameType | None) -> int:
    """The number of frames from this one down."""
    count = 0
    while frame is not None:
        count += 1
        frame = frame.f_back
    return count


def hide_frames(more: int) -> None:
    """Let programs recurse as deep as a script, which reaches one frame less than the limit. Call it in the server,
    from the function that is `more` frames below the one that runs programs. The number of frames for the call of
    `exec` depends on the version of Python."""
    global hidden_frames
    space: dict[str, Any] = {}
    here, limit = frames(sys._getframe()), sys.getrecursionlimit()
    sys.setrecursionlimit(here + 60)
    exec(PROBE, space)
    hidden_frames = here - 1 + more + (60 - 1 - space["deepest"])
    sys.setrecursionlimit(limit)
