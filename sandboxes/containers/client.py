"""The Docker engine: how it is reached, and what it says when it is not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import docker
import requests
from docker import DockerClient
from docker.errors import DockerException, ImageNotFound

from sandboxes import SandboxUnavailableError

# What docker-py raises when an engine refuses, and when there is none any more.
ENGINE_ERRORS = (DockerException, requests.RequestException)


def connect() -> DockerClient:
    """The engine that the environment names (DOCKER_HOST), or the machine's own.

    Raises:
        SandboxUnavailableError: none answers.
    """
    try:
        return docker.from_env()
    except ENGINE_ERRORS as error:
        address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        raise SandboxUnavailableError(
            f"no Docker engine answers at {address} ({_root(error)}): start one (Debian: docker.io), or name it in"
            " DOCKER_HOST"
        ) from error


@contextmanager
def engine() -> Iterator[DockerClient]:
    """An engine for a few questions.

    Raises:
        SandboxUnavailableError: none answers, or not as it should.
    """
    client = connect()
    try:
        yield client
    except ENGINE_ERRORS as error:
        raise SandboxUnavailableError(f"the Docker engine refused: {first_line(error)}") from error
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
            f"the Docker engine has no image {image}: `docker pull {image}`, or build it"
        ) from error


def _root(error: BaseException) -> str:
    """What the system said, below all the layers that passed it on."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError) and below.strerror:
            return below.strerror
        below = below.__cause__ or below.__context__
    return first_line(error)


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
