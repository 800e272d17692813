"""Containers with a repository: limits, isolation, and what is left after each of them."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from docker import APIClient, DockerClient
from docker.errors import APIError
from docker.models.containers import Container

from sandboxes.containers.container import LABEL
from sandboxes.docker_repositories import DockerRepositories
from sandboxes.linux.process_identity import ProcessIdentity
from sandboxes.repositories import ContainerLostError, EngineLostError, RepositoryContainer, RepositoryContainers
from tests.repositories.images import BASE, attempts, build_instance

IMAGE = "monkeys-tests-small:latest"
SETTINGS = DockerRepositories(workers=2, memory_limit_mb=256, processes=64, pull=False)


@pytest.fixture(scope="module")
def containers(client: DockerClient) -> Iterator[RepositoryContainers]:
    build_instance(client, IMAGE, {"names.py": "ONE = 2\n", "docs/read.me": "text\n"})
    with SETTINGS.open() as opened:
        yield opened


@pytest.fixture
def container(containers: RepositoryContainers) -> Iterator[RepositoryContainer]:
    with containers.start(IMAGE) as started:
        yield started


def left(client: DockerClient) -> int:
    return len(attempts(client, ProcessIdentity.here()))


def output(container: RepositoryContainer, command: str) -> str:
    done = container.run(command, time_limit_s=60)
    return done.output.decode().strip()


def test_a_command_runs_in_the_repository_and_its_output_and_exit_code_are_known(
    container: RepositoryContainer,
) -> None:
    done = container.run("pwd; echo problem >&2; echo more; echo again >&2; exit 7", time_limit_s=60)
    assert (done.output, done.exit_code) == (b"/testbed\nproblem\nmore\nagain\n", 7)
    assert not done.timed_out
    assert done.memory_kills == 0
    assert container.run("kill -SEGV $$", time_limit_s=60).exit_code == 139


def test_the_time_limit_ends_everything_that_a_command_has_started(container: RepositoryContainer) -> None:
    """Also what is in another session, ignores signals, and keeps the output open."""
    command = "trap '' TERM INT HUP; setsid bash -c \"trap '' TERM; sleep 1000\" & echo started; sleep 1000"
    done = container.run(command, time_limit_s=1)
    assert done.timed_out
    assert done.exit_code is None
    assert done.output == b"started\n"
    left_over = output(
        container, "for each in /proc/[0-9]*/comm; do cat $each; done 2>/dev/null | sort | uniq -c || true"
    )
    assert left_over.count("sleep") <= 1
    assert output(container, "echo again") == "again"


def test_a_fork_bomb_reaches_the_time_limit(container: RepositoryContainer) -> None:
    done = container.run("bomb() { bomb | bomb & }; bomb; sleep 1000", time_limit_s=3, max_output_bytes=64 << 20)
    assert done.timed_out


def test_a_flood_of_output_is_ended(container: RepositoryContainer) -> None:
    done = container.run("while true; do echo flood; done", time_limit_s=60, max_output_bytes=10_000)
    assert done.output_exceeded
    assert not done.timed_out
    assert len(done.output) == 10_000


def test_memory_kills_are_counted(container: RepositoryContainer) -> None:
    done = container.run("python3 -c 'x = bytearray(1 << 30)'", time_limit_s=60)
    assert done.exit_code == 137
    assert done.memory_kills >= 1


def test_files_are_put_and_got(container: RepositoryContainer) -> None:
    content = bytes(range(256))
    container.put({"/tmp/x/y": content, "/z": b""})
    assert container.get("/tmp/x/y") == content
    assert container.get("/z") == b""
    assert container.get("/tmp/x/y", max_bytes=100) is None
    assert container.get("/absent") is None
    assert container.get("/tmp") is None


def test_the_diff_has_new_changed_and_binary_files_and_changes_nothing(container: RepositoryContainer) -> None:
    assert container.diff() == ""
    output(container, "echo 'ONE = 1' > names.py; echo new > new.py; printf '\\0\\1' > bytes; rm docs/read.me")
    before = output(container, "git status --porcelain")
    diff = container.diff()
    assert "-ONE = 2\n+ONE = 1\n" in diff
    assert "new file mode 100644" in diff
    assert "GIT binary patch" in diff
    assert "deleted file mode 100644" in diff
    assert output(container, "git status --porcelain") == before


def test_an_attempt_is_confined(container: RepositoryContainer) -> None:
    assert output(container, "cat /proc/sys/kernel/hostname") != ""
    status = dict(
        line.split(":\t", 1) for line in output(container, "cat /proc/self/status").splitlines() if ":\t" in line
    )
    assert status["NoNewPrivs"] == "1"
    # CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID
    assert int(status["CapBnd"], 16) == sum(1 << bit for bit in (0, 1, 3, 5, 6, 7))
    assert "docker.sock" not in output(container, "ls /run /var/run 2>/dev/null || true")
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 3)"
    assert "unreachable" in output(container, f'python3 -c "{code}" 2>&1 || true')
    assert output(container, "ls /sys/class/net") == "lo"


def test_two_attempts_never_touch_each_other(containers: RepositoryContainers) -> None:
    with containers.start(IMAGE) as one, containers.start(IMAGE) as other:
        output(one, "echo 'ONE = 1' > names.py; echo x > /tmp/x; echo y > /usr/bin/y")
        assert output(other, "cat names.py; ls /tmp /usr/bin/y 2>&1 || true").startswith("ONE = 2")
        assert other.get("/tmp/x") is None
    with containers.start(IMAGE) as third:
        assert third.diff() == ""
        assert third.get("/usr/bin/y") is None


def test_nothing_is_left_and_the_end_does_not_wait(client: DockerClient, containers: RepositoryContainers) -> None:
    before = left(client)
    with containers.start(IMAGE) as started:
        assert left(client) == before + 1
        threading.Thread(target=started.run, args=("sleep 1000",), kwargs={"time_limit_s": 0.2}).start()
        time.sleep(1)
        began = time.monotonic()
    assert time.monotonic() - began < 10  # the stock harness waits 15 s for a process that ignores SIGTERM
    assert left(client) == before


def test_no_more_containers_run_at_once_than_there_are_workers(
    client: DockerClient, containers: RepositoryContainers
) -> None:
    """Not even where several graders have opened them."""
    started = threading.Event()

    def third() -> None:
        with SETTINGS.open() as others, others.start(IMAGE):
            started.set()

    thread = threading.Thread(target=third)
    with containers.start(IMAGE):
        with containers.start(IMAGE):
            thread.start()
            assert not started.wait(2)
            assert left(client) == 2
        assert started.wait(60)
    thread.join()
    assert left(client) == 0


def test_a_container_that_is_killed_is_lost_and_says_nothing_about_the_command(
    client: DockerClient, containers: RepositoryContainers
) -> None:
    for end in ("kill", "remove"):
        with containers.start(IMAGE) as started:

            def kill(end: str = end) -> None:
                (handle,) = attempts(client, ProcessIdentity.here())
                handle.kill() if end == "kill" else handle.remove(force=True)

            threading.Timer(1, kill).start()
            with pytest.raises(ContainerLostError, match=r"ended from outside|removed"):
                started.run("sleep 30", time_limit_s=60)
            with pytest.raises(ContainerLostError):
                started.run("true", time_limit_s=60)


def test_a_missing_image_is_one_line_and_no_container(client: DockerClient, containers: RepositoryContainers) -> None:
    with pytest.raises(EngineLostError, match="has no image absent:latest: run `docker pull"):
        containers.start("absent:latest")
    pulling = SETTINGS.model_copy(update={"pull": True})
    with pulling.open() as opened, pytest.raises(EngineLostError, match="cannot be pulled"):
        opened.start("registry.invalid/absent:latest")
    assert left(client) == 0


def test_containers_of_a_killed_run_are_swept(client: DockerClient) -> None:
    here = ProcessIdentity.here()
    ended = str(ProcessIdentity(here.machine, "999999:1"))
    client.containers.create(BASE, entrypoint=["/bin/true"], labels={LABEL: ended}, network_mode="none")
    with SETTINGS.open():
        assert not client.containers.list(all=True, filters={"label": f"{LABEL}={ended}"})


def test_a_sweep_does_not_mind_that_others_remove_containers_at_the_same_time(
    client: DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks are graded concurrently, and each sweep lists the containers of all of them."""
    here = ProcessIdentity.here()
    ended = str(ProcessIdentity(here.machine, "999999:1"))

    def create(controller: str) -> Container:
        return client.containers.create(BASE, entrypoint=["/bin/true"], labels={LABEL: controller}, network_mode="none")

    of_another = create(str(here))
    create(ended)
    listed = APIClient.containers
    remove = Container.remove
    refused: list[str] = []

    def removed_since(self: APIClient, *given: Any, **named: Any) -> Any:
        found = listed(self, *given, **named)
        if any(each["Id"] == of_another.id for each in found):
            of_another.remove(force=True)
        return found

    def in_progress(self: Container, **named: Any) -> None:
        if self.labels[LABEL] == ended and not refused:
            refused.append(str(self.id))
            raise APIError(f"removal of container {self.id} is already in progress")
        remove(self, **named)

    monkeypatch.setattr(APIClient, "containers", removed_since)
    monkeypatch.setattr(Container, "remove", in_progress)
    with SETTINGS.open():
        pass
    assert refused
    with SETTINGS.open():
        assert left(client) == 0
        assert not client.containers.list(all=True, filters={"label": f"{LABEL}={ended}"})


def test_output_that_breaks_off_says_nothing_about_the_command(
    container: RepositoryContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = APIClient.exec_start

    def breaking(self: APIClient, *given: Any, **named: Any) -> Iterator[bytes]:
        stream = start(self, *given, **named)
        monkeypatch.setattr(APIClient, "exec_start", start)
        yield next(stream)
        raise ConnectionResetError("the connection was reset")

    monkeypatch.setattr(APIClient, "exec_start", breaking)
    with pytest.raises(ContainerLostError, match="broke off: the connection was reset"):
        container.run("echo first; sleep 0.5; echo second", time_limit_s=60)
    assert output(container, "echo again") == "again"


def test_an_image_has_the_digest_that_its_name_or_the_engine_says(client: DockerClient) -> None:
    build_instance(client, IMAGE, {"names.py": "ONE = 2\n", "docs/read.me": "text\n"})
    pinned = "registry.local:5000/any@sha256:" + "0" * 64
    assert SETTINGS.digests([pinned]) == ["sha256:" + "0" * 64]
    (first,) = SETTINGS.digests([IMAGE])
    assert first == client.images.get(IMAGE).id
    build_instance(client, IMAGE, {"names.py": "ONE = 3\n"})
    assert SETTINGS.digests([IMAGE, pinned])[0] != first
