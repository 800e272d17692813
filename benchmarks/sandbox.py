"""What an execution costs, in each sandbox and in what others use in place of one.

    python benchmarks/sandbox.py [--executions 300] [--workers 2]

Workloads: *sum* reads two integers and prints their sum; *imports* does the same after importing what contest programs
often do. Costs are CPU milliseconds an execution of everything together (driver, server and program, from /proc),
the lowest of three rounds, next to the rate and to the largest resident memory of one server.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from sandboxes import Limits, Sandbox, Status
from sandboxes.bubblewrap import BubblewrapConfig

SUM = "a, b = map(int, input().split())\nprint(a + b)"
IMPORTS = "import sys, math, heapq, bisect\nfrom collections import deque, defaultdict\nfrom typing import List\n" + SUM

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Work(NamedTuple):
    """One execution and the output that shows that it did run."""

    program: str
    stdin: bytes
    stdout: bytes


class Rival(NamedTuple):
    """Something that runs programs, and what it keeps them from."""

    name: str
    isolates: str
    run: Callable[[Work], bytes]


class Cost(NamedTuple):
    """CPU milliseconds an execution, and executions a second."""

    cpu_ms: float
    rate: float


def process_table() -> dict[int, tuple[int, float]]:
    """The parent and the CPU seconds (with those of reaped children) of every process."""
    table = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            table[int(folder.name)] = (int(fields[1]), sum(map(int, fields[11:15])) * _TICK_S)
    return table


def family() -> dict[int, float]:
    """CPU seconds of this process and of every one below it."""
    table = process_table()
    members, frontier = {os.getpid()}, {os.getpid()}
    while frontier:
        frontier = {pid for pid, (parent, _) in table.items() if parent in frontier} - members
        members |= frontier
    return {pid: table[pid][1] for pid in members if pid in table}


def largest_server_mb() -> float:
    """The most resident memory of a process below this one."""
    sizes = [0]
    for pid in family():
        if pid != os.getpid():
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            sizes += [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return max(sizes) / 1024


def measure(rival: Rival, works: Sequence[Work], workers: int) -> Cost:
    """The lowest cost of three rounds.

    Raises:
        RuntimeError: an output was not as expected.
    """
    costs = []
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(rival.run, works[: 2 * workers]))
        for _ in range(3):
            cpu, clock = sum(family().values()), time.monotonic()
            outputs = list(pool.map(rival.run, works))
            wall_s, cpu_s = time.monotonic() - clock, sum(family().values()) - cpu
            if any(output.split() != work.stdout.split() for output, work in zip(outputs, works, strict=True)):
                raise RuntimeError(f"{rival.name} did not run its programs as they should")
            costs.append(Cost(1000 * cpu_s / len(works), len(works) / wall_s))
    return min(costs)


def in_subprocess(*command: str) -> Callable[[Work], bytes]:
    """Run a program as `command -c PROGRAM`."""

    def run(work: Work) -> bytes:
        done = subprocess.run([*command, "-c", work.program], input=work.stdin, capture_output=True, check=True)
        return done.stdout

    return run


def in_sandbox(sandbox: Sandbox) -> Callable[[Work], bytes]:
    """Run a program in one of ours."""

    def run(work: Work) -> bytes:
        outcome = sandbox.run(work.program, work.stdin, Limits(cpu_s=20.0))
        if outcome.status is not Status.OK:
            raise RuntimeError(f"{sandbox.name}: {outcome}")
        return outcome.stdout

    return run


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=200)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    workloads = {
        "sum": [Work(SUM, b"3 4\n", b"7")] * options.executions,
        "imports": [Work(IMPORTS, b"3 4\n", b"7")] * options.executions,
    }
    config = BubblewrapConfig(workers=options.workers)
    with (
        tempfile.TemporaryDirectory() as folder,
        config.open_pool(isolated=True) as warm,
        config.open_pool(isolated=False) as spawned,
    ):
        # A new environment with nothing in it: the .pth files of one in use would be read at each start.
        venv.create(folder, with_pip=False)
        python = str(Path(folder, "bin", "python"))
        rivals = [
            Rival("python subprocess", "no", in_subprocess(python)),
            Rival("python -I -S subprocess", "no", in_subprocess(python, "-I", "-S")),
        ]
        rivals += [Rival(sandbox.name, "yes", in_sandbox(sandbox)) for sandbox in (spawned, warm)]
        print(f"{options.workers} workers, {len(os.sched_getaffinity(0))} cores, Python {sys.version.split()[0]}")
        print(f"{'':26}{'isolates':>9}" + "".join(f"{name + ': CPU ms':>18}{'a second':>10}" for name in workloads))
        for rival in rivals:
            costs = [measure(rival, works, options.workers) for works in workloads.values()]
            numbers = "".join(f"{cost.cpu_ms:18.2f}{cost.rate:10.0f}" for cost in costs)
            print(f"{rival.name:26}{rival.isolates:>9}{numbers}")
        print(f"largest resident memory of a server: {largest_server_mb():.1f} MB")


if __name__ == "__main__":
    main()
