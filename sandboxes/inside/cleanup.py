"""What programs leave behind, and how the fork server is rid of it: processes, and files in /tmp.

A part of `executor.py`: as for that, the standard library alone, Python 3.8+; never imported.
"""

# ruff: noqa: S108
# (/tmp is its own.)
from __future__ import annotations

import _signal  # type: ignore[import-not-found] # as in `executor.py`
import os
import time

TYPE_CHECKING = False  # `typing` would be a third of the time to start.
if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes.inside.program import become_user

USERS = 512  # that a server of a container takes its programs' users from, round and round
RETRY_S = 0.001


def state_of_tmp() -> object:
    """Everything of an empty folder that a program could leave a mark in."""
    s = os.stat("/tmp")
    times = (s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns)
    return (s.st_mode, s.st_uid, s.st_gid, s.st_nlink, times, os.listdir("/tmp"), os.listxattr("/tmp"))


def kill_others() -> None:
    """Kill and reap every other process of the namespace."""
    try:
        while True:
            # Again and again: in gVisor, a process that forks meanwhile may have a child that is missed.
            os.kill(-1, _signal.SIGKILL)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            time.sleep(RETRY_S)
    except (ProcessLookupError, ChildProcessError):
        pass


def free_user_ids() -> range:
    """User ids that own nothing: in a container, which may share them with the machine, far from those in use, and
    unlikely to be another container's."""
    with open("/proc/self/uid_map") as file:
        count = max(int(line.split()[2]) for line in file)
    room = (1_000_000_000, 1 << 20) if count > 1 << 31 else (1_000, max(1, (count - 1_000) // USERS))
    first = room[0] + int.from_bytes(os.urandom(4), "little") % room[1] * USERS
    return range(first, first + USERS)


def as_user(uid: int, work: Callable[[], None]) -> None:
    """Do something as a program's user, in a process that ends with it: the server itself may not."""
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
    # Folders may lie deeper than a path can be long: what is in one moves up before it goes.
    while names := os.listdir():
        for name in names:
            if not is_folder(name):
                os.unlink(name)
                continue
            os.chmod(name, 0o700)
            for inner in os.listdir(name):
                path = os.path.join(name, inner)
                if is_folder(path):  # It must be open to change the folder that it is in.
                    os.chmod(path, 0o700)
                os.rename(path, os.urandom(8).hex())
            os.rmdir(name)


def is_folder(path: str) -> bool:
    """Whether there is a folder, not a link to one."""
    return os.path.isdir(path) and not os.path.islink(path)
