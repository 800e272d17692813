"""Where the tests find a Docker engine: the one that the environment names, or one that they start."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandboxes import SandboxUnavailableError
from sandboxes.docker import DockerConfig
from tests.servers import docker_engine


@contextmanager
def docker_at_hand(folder: Path) -> Iterator[str]:
    """The address of an engine, which is in DOCKER_HOST meanwhile; a test that asks is skipped where there is none."""
    try:
        DockerConfig().check()
    except SandboxUnavailableError as error:
        if os.geteuid() != 0 or not shutil.which("dockerd"):
            pytest.skip(f"{error}; Debian's docker.io, and root, let the tests start one")
        before = os.environ.get("DOCKER_HOST")
        with docker_engine(folder) as address:
            os.environ["DOCKER_HOST"] = address
            try:
                yield address
            finally:
                os.environ.pop("DOCKER_HOST") if before is None else os.environ.update(DOCKER_HOST=before)
    else:
        yield os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
