"""A fork server as the first process of a container, and the removal of containers whose controller was killed."""

import contextlib
import os
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from docker import DockerClient
from docker.errors import APIError
from docker.models.containers import Container as Handle

from sandboxes import SandboxUnavailableError
from sandboxes.containers.client import ENGINE_ERRORS, connect
from sandboxes.controller.forkserver import ServerGoneError, server_arguments
from sandboxes.errors import first_line
from sandboxes.linux.cgroup import SERVER_BYTES
from sandboxes.linux.confinement import ENVIRONMENT
from sandboxes.linux.process_identity import ProcessIdentity

LABEL = "monkeys.controller"

_INSIDE = "/run/monkeys"
_START_S = 60.0


@dataclass(frozen=True, slots=True)
class ContainerPlan:
    """How to create a container.

    Args:
        image: the name of its image.
        command: the interpreter in it, with its flags.
        processes: maximum number of processes in it.
        memory_bytes: memory for programs, until `set_memory_limit` is called.
        runtime: the engine's name for the runtime, such as `runsc`; None: the engine's default.
    """

    image: str
    command: Sequence[str]
    processes: int
    memory_bytes: int
    runtime: str | None


class Container:
    """A warm, hardened container (see `sandboxes.controller.forkserver.ServerHost`).

    Raises:
        ServerGoneError: the engine did not start it; the message says why.
    """

    def __init__(self, plan: ContainerPlan):
        self._allowed = plan.memory_bytes
        self._fixed = False
        self._handle: Handle | None = None
        try:
            self._client = connect()
        except SandboxUnavailableError as error:
            raise ServerGoneError(str(error)) from error
        # The server connects from inside. Others cannot find the socket, because the outer folder cannot be listed.
        self._folder = tempfile.TemporaryDirectory(prefix="monkeys-")
        outer = Path(self._folder.name)
        outer.chmod(0o711)
        folder = outer / os.urandom(12).hex()
        folder.mkdir(mode=0o755)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
                listener.bind(str(folder / "server"))
                (folder / "server").chmod(0o666)
                listener.listen(1)
                self._handle = self._create(plan, folder)
                self._handle.start()
                self.socket = self._accept(listener)
            (folder / "server").unlink()
        except ENGINE_ERRORS as error:
            self.close()
            raise ServerGoneError(f"the Docker engine did not start a container: {first_line(error)}") from error
        except BaseException:
            self.close()
            raise

    def set_memory_limit(self, memory_bytes: int) -> None:
        """See `sandboxes.controller.forkserver.ServerHost.set_memory_limit`. A runtime that cannot change the limit
        may keep a larger one: each process has its own limit as well."""
        if memory_bytes == self._allowed or self._handle is None or (self._fixed and memory_bytes < self._allowed):
            return
        total = memory_bytes + SERVER_BYTES
        try:
            self._handle.update(mem_limit=total, memswap_limit=total)
            self._allowed = memory_bytes
        except ENGINE_ERRORS as error:
            self._fixed = True
            if memory_bytes > self._allowed:
                raise ServerGoneError(f"the Docker engine did not set a memory limit: {first_line(error)}") from error

    @property
    def bounds_memory(self) -> bool:
        """See `sandboxes.controller.forkserver.ServerHost.bounds_memory`. (The kernel would kill the container too.)"""
        return False

    @property
    def usage_files(self) -> Sequence[int]:
        """See `sandboxes.controller.forkserver.ServerHost.usage_files`. The server reads those in its container."""
        return ()

    def oom_kills(self) -> int:
        """See `sandboxes.controller.forkserver.ServerHost.oom_kills`. The engine reports whether, not how many."""
        try:
            if self._handle is not None:
                self._handle.reload()
                return int(self._handle.attrs["State"]["OOMKilled"])
        except ENGINE_ERRORS:
            pass
        return 0

    def last_stderr_line(self) -> str:
        """See `sandboxes.controller.forkserver.ServerHost.last_stderr_line`."""
        try:
            said = self._handle.logs(tail=1) if self._handle else b""
        except ENGINE_ERRORS:
            return ""
        return str(said.decode(errors="replace").strip())

    def close(self) -> None:
        """See `sandboxes.controller.forkserver.ServerHost.close`."""
        with contextlib.suppress(*ENGINE_ERRORS):
            if self._handle is not None:
                self._handle.remove(force=True)
        self._client.close()
        self._folder.cleanup()

    def _create(self, plan: ContainerPlan, folder: Path) -> Handle:
        total = plan.memory_bytes + SERVER_BYTES
        return self._client.containers.create(
            plan.image,
            entrypoint=[*plan.command, *server_arguments(f"{_INSIDE}/server", 0, "container")],
            user="0:0",
            cap_drop=["ALL"],
            cap_add=["SETUID", "SETGID", "KILL"],
            security_opt=["no-new-privileges:true"],
            network_mode="none",
            ipc_mode="none",
            read_only=True,
            # Only /tmp is writable, in memory. /dev/mqueue is not, because message queues would outlive a program.
            tmpfs={"/tmp": "size=64m,nr_inodes=16k,mode=1777", "/dev/mqueue": "ro,size=4k"},  # noqa: S108
            volumes={str(folder): {"bind": _INSIDE, "mode": "ro"}},
            working_dir="/tmp",  # noqa: S108
            hostname="sandbox",
            environment=ENVIRONMENT,
            labels={LABEL: str(ProcessIdentity.here())},
            log_config={"type": "json-file", "config": {"max-size": "64k", "max-file": "1"}},
            mem_limit=total,
            memswap_limit=total,
            nano_cpus=10**9,
            pids_limit=plan.processes,
            runtime=plan.runtime,
        )

    def _accept(self, listener: socket.socket) -> socket.socket:
        deadline = time.monotonic() + _START_S
        listener.settimeout(0.2)
        while time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                connection = listener.accept()[0]
                connection.setblocking(True)
                return connection
            if self._handle is not None:
                self._handle.reload()
                if self._handle.status not in ("created", "running"):
                    raise ServerGoneError(self.last_stderr_line() or f"the container is {self._handle.status}")
        raise ServerGoneError(f"the server in the container did not connect within {_START_S:.0f} s")


def remove_abandoned(client: DockerClient) -> int:
    """Remove the containers whose controller was killed. Returns their number.

    Others may remove containers at the same time, these or their own; what cannot be removed now is left to the next
    one.
    """
    removed = 0
    for handle in client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True):
        if ProcessIdentity.parse(handle.labels[LABEL]).has_ended:
            with contextlib.suppress(APIError):
                handle.remove(force=True)
                removed += 1
    return removed
