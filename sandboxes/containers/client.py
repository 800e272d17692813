"""The client of the Docker engine, with errors as one line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import docker
import requests
from docker import DockerClient
from docker.errors import DockerException, ImageNotFound

from sandboxes import SandboxUnavailableError
from sandboxes.errors import first_line

# What docker-py raises when an engine rejects a request, and when it is gone.
ENGINE_ERRORS = (DockerException, requests.RequestException)


def connect() -> DockerClient:
    """A client of the engine at DOCKER_HOST, by default the one of this machine.

    Raises:
        SandboxUnavailableError: no engine answers.
    """
    try:
        return docker.from_env()
    except ENGINE_ERRORS as error:
        address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        raise SandboxUnavailableError(
            f"no Docker engine answers at {address} ({_root(error)}): start one (Debian: docker.io), or set DOCKER_HOST"
        ) from error


@contextmanager
def docker_client() -> Iterator[DockerClient]:
    """A client that is closed at the end of the `with` block.

    Raises:
        SandboxUnavailableError: no engine answers, or it refuses a request.
    """
    client = connect()
    try:
        yield client
    except ENGINE_ERRORS as error:
        raise SandboxUnavailableError(f"the Docker engine refused a request: {first_line(error)}") from error
    finally:
        client.close()


def image_id(client: DockerClient, image: str) -> str:
    """The hash of an image's content.

    Raises:
        SandboxUnavailableError: the engine does not have it.
    """
    try:
        return str(client.images.get(image).id)
    except ImageNotFound as error:
        raise SandboxUnavailableError(
            f"the Docker engine has no image {image}: run `docker pull {image}`, or build it"
        ) from error


def _root(error: BaseException) -> str:
    """The operating system's message, which several layers may have wrapped."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError) and below.strerror:
            return below.strerror
        below = below.__cause__ or below.__context__
    return first_line(error)
