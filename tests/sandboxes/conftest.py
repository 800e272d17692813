"""The real sandboxes, opened once, and what every attack must leave as it was."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandboxes import Limits, Outcome, Sandbox, SandboxUnavailableError, Status
from sandboxes.bubblewrap import BubblewrapConfig

SUM = "print(sum(map(int, input().split())))"
SHORT = Limits(cpu_s=0.5, wall_s=1.5, memory_mb=256)


def descendants() -> set[int]:
    """Every living process below this one."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] != "Z":
                parents[int(folder.name)] = int(fields[1])
    found, frontier = set(), {os.getpid()}
    while frontier:
        frontier = {pid for pid, parent in parents.items() if parent in frontier} - found
        found |= frontier
    return found


@dataclass
class Range:
    """Runs one attack after another and checks, after each, that the next honest program is served as ever."""

    sandbox: Sandbox

    def attack(self, program: str, stdin: bytes = b"", limits: Limits = SHORT) -> Outcome:
        before, open_files = descendants(), len(list(Path("/proc/self/fd").iterdir()))
        outcome = self.sandbox.run(program, stdin, limits)
        assert outcome.status is not Status.INFRASTRUCTURE, outcome
        # As many in a row as there are workers: the one that was attacked is among them.
        for _ in range(self.sandbox.workers):
            honest = self.sandbox.run(SUM, b"20 22\n", Limits())
            assert (honest.status, honest.stdout) == (Status.OK, b"42\n"), honest
        assert descendants() <= before
        assert len(list(Path("/proc/self/fd").iterdir())) == open_files
        return outcome


def open_sandbox(name: str) -> Sandbox:
    config = BubblewrapConfig(workers=1)
    try:
        config.check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    return config.open() if name == "bubblewrap" else config.open_pool(isolated=False)


@pytest.fixture(scope="session", params=["bubblewrap", "bubblewrap-spawn"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with open_sandbox(request.param) as opened:
        assert opened.name == request.param
        yield opened


@pytest.fixture
def shooting(sandbox: Sandbox) -> Range:
    return Range(sandbox)
