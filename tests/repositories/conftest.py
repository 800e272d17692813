"""A Docker engine, and images with small repositories that have a bug."""

from collections.abc import Iterator

import pytest
from docker import DockerClient

from sandboxes.containers.client import docker_client
from tests.sandboxes.engines import docker_at_hand


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerClient]:
    with docker_at_hand(tmp_path_factory.mktemp("docker")), docker_client() as connected:
        yield connected
