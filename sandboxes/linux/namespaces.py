"""What bubblewrap is told: namespaces, environment, the mounts of the file system, and whom a program runs as."""

import itertools
import os
from pathlib import Path

from sandboxes.linux.interpreter import Interpreter

# Every namespace but the user's: see `credentials`.
NAMESPACES = ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")

ENVIRONMENT = {
    **{"HOME": "/tmp", "TMPDIR": "/tmp"},  # noqa: S108 (the programs' own, inside)
    # One fixed hash seed: the order of a set of strings must not change a verdict from run to run.
    **{"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
}
PROCESS_OPTIONS = (
    *("--hostname", "sandbox", "--new-session", "--as-pid-1", "--clearenv", "--setenv", "PATH", "/nonexistent"),
    *(word for name, value in ENVIRONMENT.items() for word in ("--setenv", name, value)),
)

# The size of an execution's own /tmp; what is written there is memory.
TMP_BYTES = 64 * 1024 * 1024


def credentials() -> tuple[str, ...]:
    """Whom the first process inside is. An ordinary user gets a user namespace without capabilities. Root does
    without one, in which it would still be root outside: its first process keeps what it takes to become another
    user, and does so before it touches a program."""
    if os.geteuid() == 0:
        return ("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
    return ("--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL")


def mounts(interpreter: Interpreter) -> list[str]:
    """The bubblewrap arguments for the file system: the interpreter, the system's libraries, a few devices, and a
    small /tmp, which is all that can be written."""
    arguments: list[str] = []
    for folder in ("/lib", "/lib32", "/lib64", "/libx32"):
        if Path(folder).is_symlink():
            arguments += ["--symlink", str(Path(folder).readlink()), folder]
        elif Path(folder).is_dir():
            arguments += ["--ro-bind", folder, folder]
    files = [path for path in ("/usr/lib64", "/etc/ld.so.cache", *interpreter.shown) if Path(path).exists()]
    devices = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")]
    # Made by name, because the folders that bubblewrap makes on the way to a path are closed to other users.
    for folder in sorted({str(parent) for path in (*files, *devices) for parent in Path(path).parents} - {"/"}):
        arguments += ["--perms", "0755", "--dir", folder]
    for path in files:
        arguments += ["--ro-bind", path, path]
    for folder in interpreter.hidden:
        arguments += ["--tmpfs", folder, "--remount-ro", folder]
    for device in devices:
        arguments += ["--dev-bind", device, device]
    # The C library keeps named semaphores and shared memory in /dev/shm: they belong in the private folder.
    arguments += ["--symlink", "/tmp", "/dev/shm", "--symlink", "/proc/self/fd", "/dev/fd"]  # noqa: S108
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        arguments += ["--symlink", f"/proc/self/fd/{number}", f"/dev/{name}"]
    arguments += ["--perms", "1777", "--size", str(TMP_BYTES), "--tmpfs", "/tmp", "--chdir", "/tmp"]  # noqa: S108
    return [*arguments, "--proc", "/proc", "--remount-ro", "/"]


class UserIds:
    """User ids that own nothing, a new one for each execution, for programs that root's sandbox runs.

    No two controllers alive on one machine use the same: the controller's own process id is part of it.
    """

    _FIRST = 1_000_000_000
    _EACH = 256

    def __init__(self) -> None:
        self._next = itertools.count()
        mapped = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
        inside, _, count = max(((int(a), int(b), int(c)) for a, b, c in mapped), key=lambda entry: entry[2])
        # In a container with few ids of its own, the top of those it has.
        wide = inside == 0 and count > self._FIRST * 2
        self._base = self._FIRST + os.getpid() * self._EACH if wide else inside + count - self._EACH

    def take(self) -> int:
        """The next id, round and round: more of them than executions at once."""
        return self._base + next(self._next) % self._EACH
