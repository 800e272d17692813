"""Containers with a repository, on a Docker engine: fresh, bounded, and removed with all that runs in them.

The first process only waits, and ignores the ends of others, so that the kernel reaps them. Commands are started next
to it by the engine, which knows their exit codes. When a command reaches a limit, everything in the container but the
first process is killed, whatever process group or session it is in.
"""

import io
import tarfile
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Self, TypeVar

from docker.errors import APIError, ImageNotFound, NotFound
from docker.models.containers import Container as Handle

from sandboxes.containers.client import ENGINE_ERRORS, connect
from sandboxes.containers.container import LABEL, remove_abandoned
from sandboxes.docker_repositories import DockerRepositories
from sandboxes.errors import first_line
from sandboxes.linux.process_identity import ProcessIdentity
from sandboxes.repositories import ContainerLostError, EngineLostError, Execution

if TYPE_CHECKING:
    from docker import APIClient

Result = TypeVar("Result")

_WAIT = ["/bin/sh", "-c", "trap '' CHLD; exec sleep infinity"]
# Both of a command's outputs are one pipe, which keeps their order: `set -x` prints where tests begin and end.
_IN_ORDER = ["/bin/bash", "-c", 'exec /bin/bash -c "$1" 2>&1', "bash"]
_KILL_ALL = ["/bin/sh", "-c", "kill -KILL -1"]
# What root in an image may do with its own files, users and processes.
_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"]
_NO_SPACE = "no space left on device"
_END_S = 20.0
_SHORT_S = 60.0
_NOTICED_S = 5.0
_MIN_FREE_KB = 16 * 1024
# The kernel's counters in a container, of version 2 and of version 1 of control groups, and the space that is left.
_STATE = (
    "echo alive; cat /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control 2>/dev/null;"
    " df -Pk / | tail -n 1"
)
_DIFF = (
    'index=$(mktemp) && cp "$(git rev-parse --git-path index)" "$index" && export GIT_INDEX_FILE="$index" &&'
    ' git add -A && git -c core.fileMode=false diff --cached --binary HEAD; status=$?; rm -f "$index"; exit $status'
)


class DockerContainers:
    """Starts containers (see `sandboxes.repositories.RepositoryContainers`)."""

    def __init__(self, settings: DockerRepositories):
        self._settings = settings
        self._client = connect()
        self._pulling = threading.Lock()
        self._slots = _slots(settings.worker_count())
        try:
            _asked(lambda: remove_abandoned(self._client))
        except BaseException:
            self._client.close()
            raise

    @property
    def workers(self) -> int:
        """See `sandboxes.repositories.RepositoryContainers.workers`."""
        return self._settings.worker_count()

    def start(self, image: str) -> "DockerContainer":
        """See `sandboxes.repositories.RepositoryContainers.start`."""
        with self._pulling:
            self._require(image)
        self._slots.acquire()
        try:
            container = DockerContainer(_asked(lambda: self._create(image)), self._settings.folder, self._slots)
        except BaseException:
            self._slots.release()
            raise
        try:
            container.start()
        except BaseException:
            container.close()
            raise
        return container

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.close()

    def _require(self, image: str) -> None:
        try:
            self._client.images.get(image)
        except ImageNotFound as error:
            if not self._settings.pull:
                raise EngineLostError(
                    f"the Docker engine has no image {image}: run `docker pull {image}`, or set pull: true"
                ) from error
            try:
                self._client.images.pull(image)
            except ENGINE_ERRORS as refused:
                raise EngineLostError(f"the image {image} cannot be pulled: {first_line(refused)[:200]}") from refused
        except ENGINE_ERRORS as error:
            raise EngineLostError(f"the Docker engine does not answer: {first_line(error)[:200]}") from error

    def _create(self, image: str) -> Handle:
        settings = self._settings
        memory = settings.memory_limit_mb << 20
        return self._client.containers.create(
            image,
            entrypoint=_WAIT,
            command=[],
            user="0:0",
            cap_drop=["ALL"],
            cap_add=_CAPABILITIES,
            security_opt=["no-new-privileges:true"],
            network_mode=settings.network,
            labels={LABEL: str(ProcessIdentity.here())},
            log_config={"type": "none"},
            mem_limit=memory,
            memswap_limit=memory,
            nano_cpus=int(settings.cpus * 1e9),
            pids_limit=settings.processes,
            stop_signal="SIGKILL",
        )


class DockerContainer:
    """A running container (see `sandboxes.repositories.RepositoryContainer`)."""

    def __init__(self, handle: Handle, folder: str, slots: threading.BoundedSemaphore):
        self._handle = handle
        self._folder = folder
        self._slots: threading.BoundedSemaphore | None = slots
        self._engine = handle.client.api
        self._killed = False

    def start(self) -> None:
        """Start the first process; raises as `run` does."""
        _asked(self._handle.start)

    def run(
        self, command: str, *, time_limit_s: float, max_output_bytes: int = 1 << 20, folder: str | None = None
    ) -> Execution:
        """See `sandboxes.repositories.RepositoryContainer.run`."""
        started = time.monotonic()
        reader = self._begin([*_IN_ORDER, command], folder or self._folder, max_output_bytes)
        reader.stopped.wait(time_limit_s)
        completed = reader.ended.is_set() and not reader.exceeded
        wall_s = time.monotonic() - started
        if not completed:
            self._kill_all()
            if not reader.ended.wait(_END_S):
                raise ContainerLostError(f"a command went on for {_END_S:.0f} s after it was killed")
        code = self._exit_code(reader) if not self._killed else None
        memory_kills, disk_full = self._used_up()
        if completed and reader.broken and not memory_kills:
            raise ContainerLostError(f"a command's output broke off: {reader.broken}")
        return Execution(
            output=bytes(reader.output),
            exit_code=code if completed else None,
            wall_s=wall_s,
            timed_out=not completed and not reader.exceeded,
            output_exceeded=reader.exceeded,
            memory_kills=memory_kills,
            disk_full=disk_full,
        )

    def put(self, files: Mapping[str, bytes]) -> None:
        """See `sandboxes.repositories.RepositoryContainer.put`."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for path, content in files.items():
                entry = tarfile.TarInfo(path.lstrip("/"))
                entry.size, entry.mode, entry.mtime = len(content), 0o644, int(time.time())
                tar.addfile(entry, io.BytesIO(content))
        _asked(lambda: self._engine.put_archive(self._handle.id, "/", archive.getvalue()))

    def get(self, path: str, *, max_bytes: int = 1 << 20) -> bytes | None:
        """See `sandboxes.repositories.RepositoryContainer.get`."""
        return _asked(lambda: self._get(path, max_bytes))

    def diff(self) -> str:
        """See `sandboxes.repositories.RepositoryContainer.diff`."""
        done = self.run(_DIFF, time_limit_s=10 * _SHORT_S, max_output_bytes=64 << 20)
        if done.exit_code != 0:
            raise ContainerLostError(f"git gave no diff: {_last_line(done.output)}")
        return done.output.decode("utf-8", "replace")

    def close(self) -> None:
        """Kill everything in the container, and remove it. If the engine is gone, the next run sweeps it."""
        slots, self._slots = self._slots, None
        try:
            self._handle.remove(force=True, v=True)
        except ENGINE_ERRORS:
            return
        finally:
            if slots is not None:
                slots.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _begin(self, command: list[str], folder: str, max_output_bytes: int) -> "_Reader":
        def begin() -> _Reader:
            created = self._engine.exec_create(self._handle.id, command, workdir=folder, user="0:0")
            return _Reader(self._engine, str(created["Id"]), max_output_bytes)

        return _asked(begin, lost=self._why_lost)

    def _exit_code(self, reader: "_Reader") -> int | None:
        """The exit code of a command whose output has ended."""
        deadline = time.monotonic() + _END_S
        while True:
            facts = _asked(lambda: self._engine.exec_inspect(reader.id), lost=self._why_lost)
            if not facts["Running"]:
                break
            if time.monotonic() > deadline:
                raise ContainerLostError("a command closed its output and went on")
            time.sleep(0.01)
        self._require_running()
        return None if facts["ExitCode"] is None else int(facts["ExitCode"])

    def _require_running(self) -> None:
        """Make sure that nobody has ended the container, since a command would then look as if it had been killed. The
        first process ends by itself only if the kernel kills it for the container's memory."""
        state = self._state()
        if state.get("OOMKilled"):
            return
        if not state["Running"] or state.get("Paused") or state.get("Restarting"):
            raise ContainerLostError(self._why_lost())

    def _state(self) -> dict[str, Any]:
        _asked(self._handle.reload, lost=self._why_lost)
        state: dict[str, Any] = self._handle.attrs["State"]
        return state

    def _why_lost(self) -> str:
        try:
            self._handle.reload()
        except ENGINE_ERRORS:
            return "the container was removed, or the engine is gone"
        return f"the container was ended from outside (it is {self._handle.status})"

    def _used_up(self) -> tuple[int, bool]:
        """How many processes were killed for the container's memory, and whether its disk is full: by its own files, or
        else by the engine's word, since no command can be started where it has all the processes that it may have.

        A container that was ended from outside counts as running for a moment, in which no command can be started,
        either.
        """
        said = b"" if self._killed else self._answer(_STATE)
        lines = [line.split() for line in said.decode("ascii", "replace").splitlines()]
        counted = [int(line[1]) for line in lines if len(line) == 2 and line[0] == "oom_kill" and line[1].isdigit()]
        free = lines[-1][3:4] if lines else []
        disk_full = bool(free) and free[0].isdigit() and int(free[0]) < _MIN_FREE_KB
        if counted:
            return max(counted), disk_full
        deadline = time.monotonic() + _NOTICED_S
        while not said and not self._killed and time.monotonic() < deadline:
            self._require_running()
            time.sleep(0.1)
        return int(bool(self._state().get("OOMKilled"))), disk_full

    def _answer(self, command: str) -> bytes:
        """What the container says; empty where it does not answer."""
        try:
            reader = self._begin(["/bin/sh", "-c", command], "/", 1 << 16)
        except ContainerLostError:
            return b""
        said = bytes(reader.output) if reader.ended.wait(_END_S) else b""
        return said if said.startswith(b"alive") else b""

    def _kill_all(self) -> None:
        """End everything but the first process: in its own PID namespace, -1 stands for all others. Where that cannot
        be started, for lack of a process, the container is ended."""
        try:
            self._begin(_KILL_ALL, "/", 1 << 16).ended.wait(_END_S)
        except ContainerLostError:
            self._killed = True
            _asked(self._handle.kill)

    def _get(self, path: str, max_bytes: int) -> bytes | None:
        try:
            chunks, facts = self._handle.get_archive(path)
        except NotFound:
            return None
        if facts["size"] > max_bytes or not facts.get("mode", 0) < 1 << 31:
            return None
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            member = next(iter(tar), None)
            content = tar.extractfile(member) if member is not None and member.isfile() else None
            return None if content is None else content.read(max_bytes)


@cache
def _slots(workers: int) -> threading.BoundedSemaphore:
    """One for each container that may run at once in this process, since blocks are graded concurrently."""
    return threading.BoundedSemaphore(workers)


class _Reader:
    """Reads what a command writes, in a separate thread: the stream cannot be waited for with a timeout."""

    def __init__(self, engine: "APIClient", identity: str, max_bytes: int):
        self.id = identity
        self.output = bytearray()
        self.exceeded = False
        self.broken = ""
        """Why the output ended before the command had closed it; empty where it did not."""
        self.ended = threading.Event()
        self.stopped = threading.Event()
        """Set at the end, or when the command has written more than it may."""
        self._max_bytes = max_bytes
        self._stream = engine.exec_start(identity, stream=True)
        threading.Thread(target=self._read, name="container output", daemon=True).start()

    def _read(self) -> None:
        try:
            for chunk in self._stream:
                room = self._max_bytes - len(self.output)
                self.output += chunk[: max(room, 0)]
                if len(chunk) > room:
                    self.exceeded = True
                    self.stopped.set()
        except (*ENGINE_ERRORS, OSError, ValueError) as error:
            self.broken = first_line(error)[:200] or type(error).__name__
        finally:
            self.ended.set()
            self.stopped.set()


def _asked(request: Callable[[], Result], lost: Callable[[], str] | None = None) -> Result:
    """What the engine answers, with its errors as what they mean for an attempt."""
    try:
        return request()
    except ImageNotFound as error:
        raise EngineLostError(f"the Docker engine has lost an image: {first_line(error)[:200]}") from error
    except APIError as error:
        message = first_line(error)[:200]
        if _NO_SPACE in str(error).lower():
            raise EngineLostError(f"the Docker engine's disk is full: {message}") from error
        raise ContainerLostError(f"{lost()}: {message}" if lost else f"the Docker engine refused: {message}") from error
    except ENGINE_ERRORS as error:
        raise EngineLostError(f"the Docker engine does not answer: {first_line(error)[:200]}") from error


def _last_line(output: bytes) -> str:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else "it wrote nothing"
