"""A fork server in a child process, such as bubblewrap."""

import os
import socket
import subprocess
from collections.abc import Sequence

from sandboxes.controller.forkserver import server_arguments
from sandboxes.linux.cgroup import ControlGroup

_EXIT_TIMEOUT_S = 60.0


class LocalProcess:
    """The process, its output, and its control group if it has one (`sandboxes.controller.forkserver.ServerHost`).

    Args:
        command: what starts it, up to and including the interpreter and its flags.
        mode: how the executor isolates programs from each other (see `executor.py`).
        uid: the user id that it changes to; 0: no change.
        group: the control group of it and its programs. It is closed with the process.
    """

    def __init__(self, command: Sequence[str], mode: str, uid: int, group: ControlGroup | None):
        self._group = group
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._log = os.memfd_create("log", os.MFD_CLOEXEC)
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [
                        *(group.command() if group else ()),
                        *command,
                        *server_arguments(str(theirs.fileno()), uid, mode),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=self._log,
                    stderr=self._log,
                    pass_fds=(theirs.fileno(),),
                )
            except OSError:
                self.socket.close()
                os.close(self._log)
                raise

    def set_memory_limit(self, memory_bytes: int) -> None:
        """See `sandboxes.controller.forkserver.ServerHost.set_memory_limit`."""
        if self._group:
            self._group.set_memory_limit(memory_bytes)

    @property
    def bounds_memory(self) -> bool:
        """See `sandboxes.controller.forkserver.ServerHost.bounds_memory`."""
        return self._group is not None

    @property
    def usage_files(self) -> Sequence[int]:
        """See `sandboxes.controller.forkserver.ServerHost.usage_files`."""
        return self._group.files.descriptors if self._group else ()

    def oom_kills(self) -> int:
        """See `sandboxes.controller.forkserver.ServerHost.oom_kills`."""
        return self._group.files.oom_kills() if self._group else 0

    def last_stderr_line(self) -> str:
        """See `sandboxes.controller.forkserver.ServerHost.last_stderr_line`."""
        return (os.pread(self._log, 4000, 0).decode(errors="replace").strip().splitlines() or [""])[-1]

    def close(self) -> None:
        """See `sandboxes.controller.forkserver.ServerHost.close`."""
        try:
            self._process.wait(_EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            os.close(self._log)
            if self._group:
                self._group.close()
