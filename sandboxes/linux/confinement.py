"""The arguments for bubblewrap that confine a program: namespaces, environment, mounts, and the user."""

import itertools
import os
from pathlib import Path

from sandboxes.linux.interpreter import Interpreter

# All namespaces except the user namespace: see `credentials`.
NAMESPACES = ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")

ENVIRONMENT = {
    **{"HOME": "/tmp", "TMPDIR": "/tmp"},  # noqa: S108 (inside the sandbox)
    # A fixed hash seed: the order of a set of strings must not change a verdict between runs.
    **{"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
}
PROCESS_OPTIONS = (
    *("--hostname", "sandbox", "--new-session", "--as-pid-1", "--clearenv", "--setenv", "PATH", "/nonexistent"),
    *(word for name, value in ENVIRONMENT.items() for word in ("--setenv", name, value)),
)

TIME_ZONES = "/usr/share/zoneinfo"

# The size of a program's private /tmp, which is in memory.
TMP_BYTES = 64 * 1024 * 1024


def credentials() -> tuple[str, ...]:
    """The user and capabilities of the first process inside. An ordinary user gets a user namespace without
    capabilities. Root does not get one, because in it it would still be root outside: its first process keeps the
    capabilities to change its user, and does that before it touches a program."""
    if os.geteuid() == 0:
        return ("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
    return ("--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL")


def mounts(interpreter: Interpreter) -> list[str]:
    """The file system: the interpreter, the system's libraries, a few devices, and a small /tmp, which is the only
    writable folder."""
    arguments: list[str] = []
    for folder in ("/lib", "/lib32", "/lib64", "/libx32"):
        if Path(folder).is_symlink():
            arguments += ["--symlink", str(Path(folder).readlink()), folder]
        elif Path(folder).is_dir():
            arguments += ["--ro-bind", folder, folder]
    files = [path for path in ("/usr/lib64", TIME_ZONES, "/etc/ld.so.cache", *interpreter.shown) if Path(path).exists()]
    devices = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")]
    # Created explicitly, because the parents that bubblewrap creates implicitly are closed to other users.
    for folder in sorted({str(parent) for path in (*files, *devices) for parent in Path(path).parents} - {"/"}):
        arguments += ["--perms", "0755", "--dir", folder]
    for path in files:
        arguments += ["--ro-bind", path, path]
    for folder in interpreter.hidden:
        arguments += ["--tmpfs", folder, "--remount-ro", folder]
    for device in devices:
        arguments += ["--dev-bind", device, device]
    # The C library keeps named semaphores and shared memory in /dev/shm: they go to the private folder.
    arguments += ["--symlink", "/tmp", "/dev/shm", "--symlink", "/proc/self/fd", "/dev/fd"]  # noqa: S108
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        arguments += ["--symlink", f"/proc/self/fd/{number}", f"/dev/{name}"]
    arguments += ["--perms", "1777", "--size", str(TMP_BYTES), "--tmpfs", "/tmp", "--chdir", "/tmp"]  # noqa: S108
    return [*arguments, "--proc", "/proc", "--remount-ro", "/"]


class UserIds:
    """User ids that own nothing, for the programs of root's sandbox; a new one for each execution.

    Two live controllers on one machine never use the same: the controller's process id is part of it.
    """

    _FIRST = 1_000_000_000
    _EACH = 256

    def __init__(self) -> None:
        self._next = itertools.count()
        mapped = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
        inside, _, count = max(((int(a), int(b), int(c)) for a, b, c in mapped), key=lambda entry: entry[2])
        # In a container with few ids, the highest ones.
        wide = inside == 0 and count > self._FIRST * 2
        self._base = self._FIRST + os.getpid() * self._EACH if wide else inside + count - self._EACH

    def take(self) -> int:
        """The next id, cyclically: there are more ids than concurrent executions."""
        return self._base + next(self._next) % self._EACH
