"""A long series of executions, over which processes, descriptors, mounts, control groups and memory must not grow."""

import gc
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from sandbox_cost import Engine, engine, family
from sandbox_works import StdioWork, sums

from sandboxes import Limits, Sandbox, Status
from sandboxes.bubblewrap import BubblewrapConfig

# One program in this many leaves something behind that has to be cleaned up.
UNTIDY_EVERY = 50
UNTIDY = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time
        time.sleep(1000)
    os._exit(0)
open("/tmp/left", "w").write("x" * 100_000)
print(sum(map(int, input().split())))
"""
# By how much the memory of all processes together may vary.
SLACK_MB = 8.0
# bubblewrap-spawn starts an interpreter for each execution, so it is slower: it runs this many times fewer.
SPAWN_SHARE = 50


class Held(NamedTuple):
    """The resources in use at one moment."""

    processes: int
    descriptors: int
    mounts: int
    control_groups: int
    memory_mb: float

    def grown_since(self, first: "Held") -> bool:
        """Whether any count grew, or memory by more than `SLACK_MB`."""
        return any(now > then for now, then in zip(self[:4], first[:4], strict=True)) or (
            self.memory_mb > first.memory_mb + SLACK_MB
        )


def held(docker: Engine | None) -> Held:
    """The resources used by this process, its descendants, and the containers of the engine."""
    gc.collect()
    of_engine = set(family(docker.pid)) if docker else set()
    pids = [pid for pid in family() if pid not in of_engine] + (docker.server_pids() if docker else [])
    return Held(
        len(pids),
        sum(_count(f"/proc/{pid}/fd") for pid in pids),
        # Only those on /tmp, because some namespaces also show the other mounts of the machine.
        sum(Path(f"/proc/{pid}/mountinfo").read_text().count(" /tmp ") for pid in pids),
        sum(1 for _ in Path("/sys/fs/cgroup").glob(f"**/monkeys-{os.getpid()}-*")),
        sum(_resident_mb(pid) for pid in pids),
    )


def _count(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


def _resident_mb(pid: int) -> float:
    (line,) = [line for line in _text(pid) if line.startswith("VmRSS")] or ["VmRSS: 0 kB"]
    return int(line.split()[1]) / 1024


def _text(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/status").read_text().splitlines()


def endure(sandbox: Sandbox, executions: int, docker: Engine | None) -> bool:
    """Run the executions, and print the resources in use after the first hundredth and at the end.

    Returns whether nothing grew.
    """
    works = [work for work in sums(500) if isinstance(work, StdioWork)]

    def one(number: int) -> None:
        work = works[number % len(works)]
        program = UNTIDY if number % UNTIDY_EVERY == 0 else work.program
        outcome = sandbox.run(program, work.stdin.encode(), Limits(cpu_s=5.0))
        if outcome.status is not Status.OK or outcome.stdout.decode() != work.stdout:
            raise RuntimeError(f"execution {number}: {outcome}")

    started, first, last = time.monotonic(), None, None
    with ThreadPoolExecutor(sandbox.workers) as pool:
        warm = max(executions // 100, 100)
        for begin, end in ((0, warm), (warm, executions)):
            for at in range(begin, end, 1000):
                list(pool.map(one, range(at, min(at + 1000, end))))
            now = held(docker)
            first, last = first or now, now
    assert first is not None
    assert last is not None
    grown = last.grown_since(first)
    seconds = time.monotonic() - started
    for name, state in ((f"after {warm:,}", first), (f"after {executions:,}", last)):
        print(
            f"{sandbox.name:18}{name:>16}{state.processes:>11}{state.descriptors:>13}{state.mounts:>8}"
            f"{state.control_groups:>16}{state.memory_mb:>12.1f}"
        )
    print(f"{'':18}{executions / seconds:>12.0f} per second{'   GREW' if grown else '   no growth'}", flush=True)
    return not grown


def main(executions: int, stack: ExitStack, folder: Path, *, docker: bool) -> int:
    """Run all sandboxes that work here. Returns the exit status: 1 if anything grew, or else 0."""
    print(f"{'':34}{'processes':>11}{'descriptors':>13}{'mounts':>8}{'control groups':>16}{'memory MB':>12}")
    sound = True
    config = BubblewrapConfig(workers=len(os.sched_getaffinity(0)))
    for isolated in (True, False):
        with config.open_pool(isolated=isolated) as sandbox:
            sound &= endure(sandbox, executions if isolated else max(500, executions // SPAWN_SHARE), None)
    if docker:
        from sandboxes.docker import DockerConfig

        (folder / "docker").mkdir()
        opened = stack.enter_context(engine(folder / "docker"))
        with DockerConfig(workers=len(os.sched_getaffinity(0))).open() as sandbox:
            sound &= endure(sandbox, executions, opened)
    return 0 if sound else 1
