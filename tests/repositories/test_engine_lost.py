"""An engine that stops while an attempt is in it."""

import os
import shutil
import threading

import pytest

from sandboxes.containers.client import docker_client
from sandboxes.docker_repositories import DockerRepositories
from sandboxes.repositories import EngineLostError
from tests.repositories.images import build_instance
from tests.servers import docker_engine


@pytest.mark.slow
@pytest.mark.docker
def test_an_engine_that_stops_is_one_line_and_says_nothing_about_the_command(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        pytest.skip("needs root and dockerd (Debian: docker.io)")
    # A short name: the path of containerd's socket may have 107 bytes.
    engine = docker_engine(tmp_path_factory.mktemp("lost"))
    monkeypatch.setenv("DOCKER_HOST", engine.__enter__())
    stopped = threading.Thread(target=engine.__exit__, args=(None, None, None))
    try:
        with docker_client() as client:
            build_instance(client, "monkeys-tests-lost:latest", {"x": "y\n"})
        with DockerRepositories(pull=False).open() as containers:
            with containers.start("monkeys-tests-lost:latest") as container:
                threading.Timer(1, stopped.start).start()
                with pytest.raises(EngineLostError, match="engine"):
                    for _ in range(60):
                        container.run("sleep 1", time_limit_s=60)
            with pytest.raises(EngineLostError, match="does not answer"):
                containers.start("monkeys-tests-lost:latest")
    finally:
        if stopped.ident is None:
            stopped.start()
        stopped.join()
