"""Bubblewrap: namespaces without a daemon, as root or as an ordinary user.

A program cannot
- use the network: its network namespace is empty, and it can create no sockets except pairs;
- access files of the machine, except the modules of its Python and the shared libraries, which are read-only; its /tmp
  is private, small, and removed when it ends;
- reach other processes: it is alone in its PID namespace, without capabilities or a way to gain any, and behind a
  filter on system calls; when it ends, everything that it started ends;
- exceed its limits on time, memory, processes, output and open files (memory: for each process separately and, if a
  control group can be created, for all together);
- act as root if the controller is root: programs then run as a user id that owns nothing.

A program can
- use its limits in full;
- use some CPU time that is not counted, in short-lived processes that it does not wait for, if no control group can be
  created;
- learn the kernel's version, the CPUs and the clock;
- exploit a hole in the kernel, which the filter makes less likely but cannot rule out;
- measure the load that other processes put on the machine.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Literal

from sandboxes import Sandbox, SandboxUnavailableError
from sandboxes.controller.forkserver import ForkServer
from sandboxes.controller.pool import ServerPool
from sandboxes.controller.process import LocalProcess
from sandboxes.linux.cgroup import memory_bound, new_group
from sandboxes.linux.confinement import NAMESPACES, PROCESS_OPTIONS, UserIds, credentials, mounts
from sandboxes.linux.interpreter import find_interpreter
from sandboxes.linux.seccomp import filter_program
from sandboxes.settings import ExecutionSettings


class BubblewrapConfig(ExecutionSettings):
    """The bubblewrap sandbox: which Python runs the samples, how many at once, and what each may use."""

    name: Literal["bubblewrap"] = "bubblewrap"

    def check(self) -> None:
        """Start bubblewrap once, with the namespaces that an execution gets.

        Raises:
            SandboxUnavailableError: it is not installed, or may not create namespaces; the message says how to fix it.
        """
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            raise SandboxUnavailableError(
                "bubblewrap is not installed: install `bwrap`, for example with `apt-get install bubblewrap`"
            )
        attempt = subprocess.run(
            [bwrap, *NAMESPACES, *credentials(), "--ro-bind", "/", "/", "--proc", "/proc", "true"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if attempt.returncode != 0:
            reason = (attempt.stderr.strip().splitlines() or ["no message"])[-1]
            raise SandboxUnavailableError(f"bubblewrap cannot create namespaces ({reason}): {_remedy()}")

    def open(self) -> Sandbox:
        """A running sandbox; close it by leaving its `with` block.

        Raises:
            SandboxUnavailableError: this machine cannot run it.
        """
        self.check()
        try:
            return self.open_pool(isolated=True)
        except SandboxUnavailableError:
            return self.open_pool(isolated=False)

    def open_pool(self, *, isolated: bool) -> ServerPool:
        """The sandbox in one of its two variants: a warm server that gives each program a PID namespace, or, where
        namespaces cannot be nested, a new bubblewrap for each program.

        Raises:
            SandboxUnavailableError: this variant does not work here.
        """
        interpreter = find_interpreter(self.python)
        bwrap = shutil.which("bwrap") or "bwrap"
        command = (
            bwrap,
            *NAMESPACES,
            *credentials(),
            *PROCESS_OPTIONS,
            *mounts(interpreter),
            "--",
            *interpreter.command,
            *self.python_options(),
        )
        users = UserIds() if os.geteuid() == 0 else None
        rules = filter_program(server=isolated)

        def start() -> ForkServer:
            mode = "namespaces" if isolated else "one program"
            # For a program and its checker, the server, and bubblewrap itself.
            group = new_group(2 * (self.processes + 2) + 4)
            return ForkServer(LocalProcess(command, mode, users.take() if users else 0, group), rules)

        name = "bubblewrap" if isolated else "bubblewrap-spawn"
        return ServerPool(name, self, start, reuse=isolated, memory_bound=memory_bound())


def _remedy() -> str:
    """How to allow namespaces here: the most likely setting."""
    for setting, wanted in (
        ("/proc/sys/kernel/unprivileged_userns_clone", "1"),
        ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "0"),
    ):
        path = Path(setting)
        if path.exists() and path.read_text().strip() != wanted:
            name = setting.removeprefix("/proc/sys/").replace("/", ".")
            return f"`sysctl -w {name}={wanted}` allows them"
    if Path("/proc/sys/user/max_user_namespaces").read_text().strip() == "0":
        return "`sysctl -w user.max_user_namespaces=10000` allows them"
    return (
        "in a container, start it with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined "
        "--security-opt systempaths=unconfined`, and `--cap-add SYS_ADMIN --cap-add NET_ADMIN` if it runs as root"
    )
