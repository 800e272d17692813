"""Containers that have a repository: where patches are applied and tests run. Independent of what a patch should do.

Unlike a program in a `Sandbox`, tests of a repository need its image, many commands in turn and a file system that they
may change. Every attempt gets a fresh container, so two attempts never touch each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

from sandboxes import SandboxUnavailableError
from sandboxes.errors import MonkeysError


@dataclass(frozen=True, slots=True)
class Execution:
    """One command in a container. `output` is what it wrote to stdout and stderr, in order of arrival.

    `exit_code` is None where it was killed for its time or its output; 128 + n after signal n. Everything that it had
    started was killed then, too. `memory_kills` counts the processes of the container that were killed for its memory
    until then; it is 1 where only that some were is known. `disk_full` says that the container can write no more files.
    """

    output: bytes
    exit_code: int | None
    wall_s: float
    timed_out: bool = False
    output_exceeded: bool = False
    memory_kills: int = 0
    disk_full: bool = False


class ContainerLostError(MonkeysError, RuntimeError):
    """A container ended, or did not do what it was told, for a reason that has nothing to do with what ran in it. It is
    worth another attempt in a fresh one."""

    retryable: ClassVar[bool] = True
    resumable: ClassVar[bool] = True


class EngineLostError(SandboxUnavailableError):
    """The container engine stopped while it was used, has lost an image, or has no space left: no attempt can succeed
    until that is fixed."""

    resumable: ClassVar[bool] = True


class RepositoryContainer(Protocol):
    """A container of one attempt. It is used by one thread, and is removed, with all that runs in it, at the end of its
    `with` block."""

    def run(
        self, command: str, *, time_limit_s: float, max_output_bytes: int = 1 << 20, folder: str | None = None
    ) -> Execution:
        """Run a Bash command to its end, or to one of its limits.

        Args:
            command: what Bash reads.
            time_limit_s: wall-clock seconds.
            max_output_bytes: how much it may write.
            folder: the working directory; None: the repository.

        Raises:
            ContainerLostError: nothing is known about the command.
            EngineLostError: the engine is gone.
        """
        ...

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write files, by their absolute paths; raises as `run` does."""
        ...

    def get(self, path: str, *, max_bytes: int = 1 << 20) -> bytes | None:
        """A file's content; None where there is no such file, or it is larger. Raises as `run` does."""
        ...

    def diff(self) -> str:
        """How the repository differs from its commit, with new files, as Git's binary diff. Raises as `run` does."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class RepositoryContainers(Protocol):
    """Starts containers. All methods may be called from many threads at once."""

    @property
    def workers(self) -> int:
        """How many containers should run at once."""
        ...

    def start(self, image: str) -> RepositoryContainer:
        """A fresh container of an image, which is pulled if it is absent and pulling is allowed.

        Raises:
            ContainerLostError: it could not be started; another attempt may succeed.
            EngineLostError: the engine is gone, or does not get the image.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...
