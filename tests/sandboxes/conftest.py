"""The real sandboxes, opened once, and what every attack must leave as it was."""

import os
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandboxes import Limits, Outcome, Sandbox, SandboxUnavailableError, Status
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.linux.process_identity import ProcessIdentity
from tests.sandboxes.engines import docker_at_hand
from tests.sandboxes.ordinary_user import OrdinaryUser

SUM = "print(sum(map(int, input().split())))"
SHORT = Limits(cpu_s=0.5, wall_s=1.5, memory_mb=256)
VARIANTS = ("bubblewrap", "bubblewrap-spawn", "bubblewrap as ordinary user", "docker")


def process_table() -> dict[int, int]:
    """The parent of every living process."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] != "Z":
                parents[int(folder.name)] = int(fields[1])
    return parents


def descendants() -> set[int]:
    """Every living process below this one."""
    parents = process_table()
    found: set[int] = set()
    frontier = {os.getpid()}
    while frontier:
        frontier = {pid for pid, parent in parents.items() if parent in frontier} - found
        found |= frontier
    return found


@dataclass(frozen=True)
class Traces:
    """What an attack could leave behind on the machine: numbers, each of which must not grow."""

    processes: int
    open_files: int
    mounts: int
    control_groups: int
    containers: int

    def more_than(self, before: "Traces") -> dict[str, tuple[int, int]]:
        pairs = {name: (getattr(before, name), getattr(self, name)) for name in self.__dataclass_fields__}
        return {name: pair for name, pair in pairs.items() if pair[1] > pair[0]}


def traces(sandbox: Sandbox) -> Traces:
    """As they are now. Mounts on /tmp are counted in every namespace that a process below this one lives in."""
    # A server that lives on keeps the files of its last programs: first it has as many as it keeps.
    for number in range(0 if sandbox.name.endswith("spawn") else 5):
        sandbox.run(f"# {number}", b"", Limits())
    below = descendants()
    inside, containers = _in_containers() if sandbox.name.startswith("docker") else (0, 0)
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    return Traces(
        processes=len(below) + inside,
        open_files=open_files + (sandbox.open_files() if isinstance(sandbox, OrdinaryUser) else 0),
        mounts=sum(map(_mounts, below)),
        control_groups=len(own_groups()),
        containers=containers,
    )


def own_groups() -> set[Path]:
    """The control groups of this process's sandboxes. Those of others come and go meanwhile."""
    return {
        Path(folder, name)
        for folder, names, _ in os.walk("/sys/fs/cgroup")
        for name in names
        if name.startswith(f"monkeys-{os.getpid()}-")
    }


def _mounts(pid: int) -> int:
    try:
        return Path(f"/proc/{pid}/mountinfo").read_text().count(" /tmp ")
    except OSError:
        return 0


def _in_containers() -> tuple[int, int]:
    """Processes in the containers of this controller, and how many of these there are."""
    from sandboxes.containers.client import docker_client
    from sandboxes.containers.container import LABEL

    with docker_client() as client:
        ours = client.containers.list(filters={"label": f"{LABEL}={ProcessIdentity.here()}"})
        return sum(len(container.top()["Processes"]) for container in ours), len(ours)


@dataclass
class Attacker:
    """Runs one attack after another and checks, after each, that the next honest program is served as ever."""

    sandbox: Sandbox

    def attack(self, program: str, stdin: bytes = b"", limits: Limits = SHORT) -> Outcome:
        before = traces(self.sandbox)
        outcome = self.sandbox.run(program, stdin, limits)
        assert outcome.status is not Status.INFRASTRUCTURE, outcome
        self.still_serves(before)
        return outcome

    def still_serves(self, before: Traces) -> None:
        """The next honest program is right, and nothing is left."""
        # As many in a row as there are workers: the one that was attacked is among them.
        for _ in range(self.sandbox.workers):
            honest = self.sandbox.run(SUM, b"20 22\n", Limits())
            assert (honest.status, honest.stdout) == (Status.OK, b"42\n"), honest
        # What is left stays; what other threads of the tests have open for a moment does not.
        for _ in range(20):
            left = traces(self.sandbox).more_than(before)
            if not left:
                break
            time.sleep(0.1)
        assert not left


def attack(attacker: Attacker, program: str, limits: Limits = SHORT, stdin: bytes = b"") -> Outcome:
    """What comes of a program that may stand indented in the test."""
    return attacker.attack(textwrap.dedent(program), stdin, limits)


def open_sandbox(name: str) -> Sandbox:
    """One of `VARIANTS`, with one worker; skips the test where this machine cannot offer it."""
    try:
        if name == "docker":
            return _open_docker()
        if name == "bubblewrap as ordinary user":
            return OrdinaryUser("bubblewrap")
        config = BubblewrapConfig(workers=1)
        config.check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    return config.open() if name == "bubblewrap" else config.open_pool(isolated=False)


def _open_docker() -> Sandbox:
    from sandboxes.docker import DockerConfig

    return DockerConfig(workers=1).open()


@pytest.fixture(scope="session", params=VARIANTS)
def sandbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with ExitStack() as stack:
        if request.param == "docker":
            stack.enter_context(docker_at_hand(tmp_path_factory.mktemp("docker")))
        opened = stack.enter_context(open_sandbox(request.param))
        assert opened.name in request.param
        yield opened


@pytest.fixture
def attacker(sandbox: Sandbox) -> Attacker:
    return Attacker(sandbox)
