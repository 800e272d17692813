"""What is Docker's alone: images, containers that a crash left, an engine that goes away, another runtime."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import docker
import numpy as np
import pytest
from pydantic import ValidationError

from sandboxes import Limits, Sandbox, SandboxUnavailableError, Status
from sandboxes.batch import Batch, Job
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.containers.container import LABEL, remove_abandoned
from sandboxes.containers.image import REPOSITORY, image_of
from sandboxes.docker import DockerConfig
from sandboxes.linux.interpreter import find_interpreter
from tests.sandboxes.conftest import SUM
from tests.sandboxes.engines import docker_at_hand
from tests.servers import docker_engine

HARMLESS = Limits(cpu_s=2.0)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[docker.DockerClient]:
    with docker_at_hand(tmp_path_factory.mktemp("docker")):
        opened = docker.from_env()
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def sandbox(client: docker.DockerClient) -> Iterator[Sandbox]:
    with DockerConfig(workers=1).open() as opened:
        yield opened


def test_no_engine_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(SandboxUnavailableError) as caught:
        DockerConfig().open()
    assert "none.sock (No such file or directory)" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (DockerConfig(image="not-there:1"), "no image not-there:1"),
        (DockerConfig(runtime="not-there"), "no runtime not-there: it has .*runc"),
    ],
)
def test_what_the_engine_lacks_is_one_line(client: docker.DockerClient, config: DockerConfig, message: str) -> None:
    with pytest.raises(SandboxUnavailableError, match=message) as caught:
        config.open()
    assert "\n" not in str(caught.value)


def test_settings_are_checked() -> None:
    with pytest.raises(ValidationError):
        DockerConfig.model_validate({"memory_limit_mb": 1})


def test_verdicts_do_not_depend_on_which_sandbox_it_was() -> None:
    assert DockerConfig(time_limit_s=3).ingredients() == BubblewrapConfig(time_limit_s=3).ingredients()


def test_the_image_is_made_once(sandbox: Sandbox, client: docker.DockerClient) -> None:
    before = {image.id for image in client.images.list(REPOSITORY)}
    with DockerConfig(workers=1).open() as second:
        assert second.run("import sys; print(sys.version_info[:3])", b"", HARMLESS).stdout.decode() == (
            f"{tuple(sys.version_info[:3])}\n"
        )
    assert {image.id for image in client.images.list(REPOSITORY)} == before
    assert before


def test_a_named_interpreter_brings_its_packages(client: docker.DockerClient) -> None:
    with TemporaryDirectory(dir="/var/tmp") as folder:  # /tmp is the programs' own
        venv.create(folder, with_pip=False)
        (package,) = Path(folder).glob("lib/python*/site-packages")
        (package / "only_here.py").write_text("answer = 42\n")
        with DockerConfig(workers=1, python=Path(folder) / "bin" / "python").open() as opened:
            outcome = opened.run("import only_here; print(only_here.answer)", b"", HARMLESS)
        assert (outcome.status, outcome.stdout) == (Status.OK, b"42\n"), outcome


def test_a_package_with_its_own_shared_libraries_can_be_imported(client: docker.DockerClient) -> None:
    """Wheels name them with `..` in their paths, and Docker 20 refuses an archive in which a path comes twice."""
    installed = Path(np.__file__).parent
    with TemporaryDirectory(dir="/var/tmp") as folder:
        venv.create(folder, with_pip=False)
        (packages,) = Path(folder).glob("lib/python*/site-packages")
        for name in ("numpy", "numpy.libs"):
            shutil.copytree(installed.with_name(name), packages / name)
        with DockerConfig(workers=1, python=Path(folder) / "bin" / "python").open() as opened:
            outcome = opened.run(
                "import numpy; print(numpy.linalg.det([[2, 1], [1, 2]]))", b"", Limits(cpu_s=10.0, memory_mb=1024)
            )
        assert (outcome.status, round(float(outcome.stdout))) == (Status.OK, 3), outcome


def test_an_image_by_name(sandbox: Sandbox, client: docker.DockerClient) -> None:
    interpreter = find_interpreter(None)
    image = client.images.get(image_of(interpreter, client))
    image.tag("test-of-monkeys", "named")
    python = Path(interpreter.command[0])
    config = DockerConfig(workers=1, image="test-of-monkeys:named", python=python)
    assert config.ingredients()["image"] == image.id
    try:
        with config.open() as opened:
            assert opened.run(SUM, b"20 22\n", HARMLESS).stdout == b"42\n"
    finally:
        client.images.remove("test-of-monkeys:named")


def test_a_container_is_hardened(sandbox: Sandbox, client: docker.DockerClient) -> None:
    probe = """
        import os
        facts = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
        print(facts["CapEff"].strip(), facts["NoNewPrivs"].strip(), facts["Seccomp_filters"].strip(), os.getuid() != 0)
        print(sorted(os.listdir("/sys/class/net")), os.path.realpath("/dev/shm"), os.listdir("/dev/mqueue"))
        for path in ("/x", "/etc/x", "/dev/x", "/run/x", "/dev/mqueue/x", "/root/x"):
            try:
                open(path, "w")
                print("wrote", path)
            except OSError:
                pass
        print(os.listdir("/run/monkeys"), sorted(os.environ))
    """
    outcome = sandbox.run(textwrap.dedent(probe), b"", HARMLESS)
    lines = outcome.stdout.decode().splitlines()
    assert lines[0] == "0000000000000000 1 2 True", outcome
    assert lines[1] in ("['lo'] /tmp []", "[] /tmp []")
    assert lines[2].startswith("[] [")
    assert "wrote" not in outcome.stdout.decode()


def test_each_program_is_another_user(sandbox: Sandbox) -> None:
    users = {sandbox.run("import os; print(os.getuid(), os.getgid())", b"", HARMLESS).stdout for _ in range(5)}
    assert len(users) == 5


@pytest.mark.parametrize(
    "mess",
    [
        "open('/tmp/left', 'w').write('x')",
        "import os; os.makedirs('/tmp/a/b/c'); open('/tmp/a/b/d', 'w'); os.chmod('/tmp/a/b', 0); os.chmod('/tmp/a', 0)",
        "import os\nfor i in range(3000):\n    os.mkdir('d'); os.chdir('d')",
        "import os; os.symlink('/', '/tmp/root'); os.symlink('/tmp', '/tmp/loop'); os.mkfifo('/tmp/fifo')",
        "import os\nfor i in range(20000):\n    open(f'/tmp/{i}', 'w')",
        "import os; os.mkdir(b'/tmp/\\xff\\n'); open(b'/tmp/\\xff\\n/' + b'n' * 255, 'w')",
    ],
)
def test_what_a_program_leaves_is_removed(sandbox: Sandbox, client: docker.DockerClient, mess: str) -> None:
    containers = {container.id for container in client.containers.list()}
    assert sandbox.run(mess, b"", Limits(cpu_s=10)).status in (Status.OK, Status.ERROR)
    after = sandbox.run("import os; print(os.listdir('/tmp'))", b"", HARMLESS)
    assert (after.status, after.stdout) == (Status.OK, b"[]\n"), after
    # By the same server: it did not have to be replaced.
    assert {container.id for container in client.containers.list()} == containers


def test_containers_of_a_killed_controller_are_removed(client: docker.DockerClient) -> None:
    code = """
        from sandboxes import Limits
        from sandboxes.docker import DockerConfig
        sandbox = DockerConfig(workers=1).open()
        print(sandbox.run("print(1)", b"", Limits()).status.value, flush=True)
        input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as controller:
        assert controller.stdout is not None
        assert controller.stdout.readline() == b"ok\n"
        label = [c for c in client.containers.list(all=True) if f" {controller.pid}:" in c.labels.get(LABEL, "")]
        assert len(label) == 1
        remove_abandoned(client)
        label[0].reload()
        assert label[0].status == "running"  # a living controller's is left alone
        controller.send_signal(signal.SIGKILL)
        controller.wait()
    with DockerConfig(workers=1).open():
        left = [c.id for c in client.containers.list(all=True)]
    assert label[0].id not in left


def test_closing_leaves_no_container(client: docker.DockerClient) -> None:
    before = {container.id for container in client.containers.list(all=True)}
    with DockerConfig(workers=2).open() as opened:
        opened.run(SUM, b"1 2", HARMLESS)
    assert {container.id for container in client.containers.list(all=True)} == before


def test_a_container_killed_in_the_middle_loses_no_verdict(client: docker.DockerClient) -> None:
    def kill_one() -> None:
        for container in client.containers.list():
            if f" {os.getpid()}:" in container.labels.get(LABEL, "") and container.id not in others:
                container.kill()
                return

    others = {container.id for container in client.containers.list()}
    with DockerConfig(workers=2).open() as opened:
        jobs = [
            Job(n, f"{SUM}\n# {n}", [b"20 22"], lambda _, outcome: outcome.stdout == b"42\n", HARMLESS)
            for n in range(60)
        ]
        results = []
        for result in Batch(opened).run(jobs):
            results.append(result)
            if len(results) in (10, 30):
                kill_one()
    assert sorted(result.key for result in results) == list(range(60))
    assert all(result.passed for result in results)


@pytest.mark.docker
def test_an_engine_that_goes_away_is_infrastructure(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("docker")  # a short path: those of containerd's sockets may have 107 bytes
    if os.geteuid() != 0 or subprocess.run(["which", "dockerd"], capture_output=True, check=False).returncode:
        pytest.skip("needs Debian's docker.io, and root, to start a separate engine")
    with docker_engine(folder) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        opened = DockerConfig(workers=1).open()
        assert opened.run(SUM, b"20 22", HARMLESS).stdout == b"42\n"
    job = Job("p", SUM, [b"20 22"], lambda _, outcome: outcome.stdout == b"42\n", HARMLESS)
    (result,) = Batch(opened, pause_s=0.01).run([job])
    assert result.infrastructure is not None
    assert "Docker engine" in result.infrastructure.detail, result
    with docker_engine(folder):
        (result,) = Batch(opened).run([job])
        assert result.passed, result
        opened.__exit__()


def test_gvisor(client: docker.DockerClient) -> None:
    config = DockerConfig(workers=1, runtime="runsc")
    try:
        config.check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    with config.open() as opened:
        assert opened.name == "docker-runsc"
        assert opened.run(SUM, b"20 22\n", HARMLESS).stdout == b"42\n"
        looped = opened.run("while True: pass", b"", Limits(cpu_s=0.5, wall_s=30.0))
        assert looped.status is Status.TIME_LIMIT
        assert looped.cpu_s < 5, looped
        bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
        assert opened.run(bomb, b"", HARMLESS).status is Status.TIME_LIMIT
        assert opened.run(SUM, b"20 22\n", HARMLESS).stdout == b"42\n"
        assert opened.run("x = bytearray(1 << 33)", b"", HARMLESS).status is Status.MEMORY_LIMIT
        began = time.monotonic()
        forks = "import os, time\nfor _ in range(10):\n    if os.fork() == 0: time.sleep(1000)\n"
        assert opened.run(forks, b"", HARMLESS).status in (Status.OK, Status.ERROR)
        assert opened.run(SUM, b"20 22\n", HARMLESS).stdout == b"42\n"
        assert time.monotonic() - began < 300
        checked = opened.run_checked(
            "import remote\nprint(remote.Function('f')(20))",
            "import remote\nremote.serve(lambda x: x + 22)",
            HARMLESS,
        )
        assert checked.checker.stdout == b"42\n"
