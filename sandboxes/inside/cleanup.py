"""Removes what programs leave behind: processes, and files in /tmp.

A part of `executor.py`: standard library only, Python 3.8+; never imported.
"""

# ruff: noqa: S108
# (Its /tmp is private.)
from __future__ import annotations

import _signal  # type: ignore[import-not-found] # as in `executor.py`
import os
import time

TYPE_CHECKING = False  # `typing` would be a third of the time to start.
if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes.inside.program import become_user

USERS = 512  # user ids that the server of a container gives to its programs, cyclically
RETRY_S = 0.001


def state_of_tmp() -> object:
    """All properties of an empty /tmp that a program could have changed."""
    s = os.stat("/tmp")
    times = (s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns)
    return (s.st_mode, s.st_uid, s.st_gid, s.st_nlink, times, os.listdir("/tmp"), os.listxattr("/tmp"))


def kill_others() -> None:
    """Kill and reap all other processes of the PID namespace."""
    try:
        while True:
            # Repeated, because in gVisor the child of a process that is forking may be missed.
            os.kill(-1, _signal.SIGKILL)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            time.sleep(RETRY_S)
    except (ProcessLookupError, ChildProcessError):
        pass


def free_user_ids() -> range:
    """User ids that own nothing. A container may share its ids with the host, so these are far from the ids in use
    there, and unlikely to be in use in another container."""
    with open("/proc/self/uid_map") as file:
        count = max(int(line.split()[2]) for line in file)
    room = (1_000_000_000, 1 << 20) if count > 1 << 31 else (1_000, max(1, (count - 1_000) // USERS))
    first = room[0] + int.from_bytes(os.urandom(4), "little") % room[1] * USERS
    return range(first, first + USERS)


def as_user(uid: int, work: Callable[[], None]) -> None:
    """Do something as the user of a program, in a separate process, because the server itself may not do it."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    try:
        become_user(uid)
        work()
    finally:
        os._exit(0)


def kill_own() -> None:
    """Kill every process of this user."""
    os.kill(-1, _signal.SIGKILL)


def empty_tmp() -> None:
    """Remove what this user has left in /tmp."""
    os.chdir("/tmp")
    # Folders may be nested deeper than a path can be long: their contents are moved up before they are removed.
    while names := os.listdir():
        for name in names:
            if not is_folder(name):
                os.unlink(name)
                continue
            os.chmod(name, 0o700)
            for inner in os.listdir(name):
                path = os.path.join(name, inner)
                if is_folder(path):  # Moving a folder needs write permission on it.
                    os.chmod(path, 0o700)
                os.rename(path, os.urandom(8).hex())
            os.rmdir(name)


def is_folder(path: str) -> bool:
    """Whether it is a folder, and not a link to one."""
    return os.path.isdir(path) and not os.path.islink(path)
