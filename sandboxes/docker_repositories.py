"""The settings of containers that have a repository, in a Docker engine (`sandboxes.containers.repository`).

What runs in such a container is root there, as SWE-bench's images need, and can
- change every file of the container, which is removed afterwards;
- use the memory, CPUs and processes that the settings allow, and the disk of the engine;
- use the network only if `network` is `bridge`.

It cannot gain capabilities, of which it has those to manage its own files, users and processes; it has no engine's
socket, no volume and no device, and no other container shares anything with it but the image.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from sandboxes.config import Config

if TYPE_CHECKING:
    from sandboxes.repositories import RepositoryContainers


class DockerRepositories(Config):
    """Containers in the Docker engine at DOCKER_HOST, by default the one of this machine."""

    operational: ClassVar[tuple[str, ...]] = ("workers", "pull")
    """Settings that no result depends on."""

    name: Literal["docker"] = "docker"
    workers: Annotated[int, Field(ge=1, le=256)] | None = Field(
        None, description="Containers that run at once; default: one per core."
    )
    memory_limit_mb: int = Field(4096, ge=64, description="Megabytes of memory for all processes of a container.")
    cpus: float = Field(1.0, gt=0, le=1024, description="CPUs that a container may use.")
    processes: int = Field(2048, ge=16, description="Processes and threads that a container may have at once.")
    network: Literal["none", "bridge"] = Field(
        "none", description="none: tests cannot use a network; bridge: they can, as in SWE-bench's own harness"
    )
    pull: bool = Field(True, description="Pull an image that the engine does not have; otherwise that is an error.")
    folder: str = Field("/testbed", pattern="^/", description="Where images have the repository")

    def ingredients(self) -> dict[str, object]:
        """What results depend on: everything but `operational`."""
        return self.model_dump(mode="json", exclude={"name", *self.operational})

    def worker_count(self) -> int:
        """The number of containers that run at once."""
        return self.workers or len(os.sched_getaffinity(0))

    def check(self) -> None:
        """Make sure that an engine answers.

        Raises:
            SandboxUnavailableError: none does; the message says how to fix that.
        """
        from sandboxes.containers.client import docker_client  # slow to import

        with docker_client() as client:
            client.ping()

    def digests(self, images: Sequence[str]) -> list[str]:
        """A hash of the content of each image: that of its manifest, by which a registry knows it, or of the image
        itself where it came from no registry. A name that ends in `@sha256:…` says it already.

        Raises:
            SandboxUnavailableError: no engine answers, or neither it nor the registry has an image.
        """
        from sandboxes.containers.digests import digests

        return digests(images)

    def open(self) -> "RepositoryContainers":
        """Start containers, within a `with` block.

        Raises:
            SandboxUnavailableError: no engine answers.
        """
        from sandboxes.containers.repository import DockerContainers

        return DockerContainers(self)
