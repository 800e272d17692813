"""Grading patches of repositories, compared with SWE-bench's own harness, and what many attempts leave on the machine.

    python benchmarks/swe_bench.py                    250 attempts; 16 compared, of which 4 with the harness as shipped
    python benchmarks/swe_bench.py --attempts 1000

The instances are the four small repositories of the tests, each with its own image. All patches are different, so
that none is graded by the tree of another. Both sides use the same patches, images and engine, with two workers. The
harness as shipped waits 15 s when it stops a container; "without its delay" is the same harness, whose containers are
created with SIGKILL as the signal that stops them. Ratios are our seconds per attempt over the harness's.

Leftovers are counted once everything is warm, before and after the attempts: containers, volumes and networks of the
engine, and the processes below this one and of the engine. Exits with 1 if a target is missed. Needs a Docker engine
(one is started where that is possible), the command `docker` and the package swebench.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from docker import DockerClient
from results import Result, Target, at_most, report

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sandboxes.containers.client import docker_client
from sandboxes.docker_repositories import DockerRepositories
from tasks.datasets.swe_bench import SweBenchDataset
from tasks.graders.swe_bench import SweBenchGrader
from tasks.records import Problem, Sample, Verdict
from tests.datasets.files import written
from tests.repositories.instances import INSTANCES, Instance
from tests.repositories.stock import stock_client, stock_outcome
from tests.sandboxes.engines import docker_at_hand

WORKERS = 2
TIME_LIMIT_S = 120
FEW = INSTANCES[:4]


class Attempt(NamedTuple):
    """A patch for an instance."""

    instance: Instance
    patch: str


class Bench(NamedTuple):
    """The instances, by id, in both forms."""

    rows: dict[str, dict[str, Any]]
    problems: dict[str, Problem]
    folder: Path

    def attempts(self, number: int, first: int) -> list[Attempt]:
        """Different patches, each a fix and a new file, in turn for each instance; `first` numbers the first."""
        golds = {each.id: each.patch(self.folder / "work") for each in FEW}
        found = []
        for at in range(first, first + number):
            instance = FEW[at % len(FEW)]
            note = f"diff --git a/note b/note\nnew file mode 100644\n--- /dev/null\n+++ b/note\n@@ -0,0 +1 @@\n+{at}\n"
            found.append(Attempt(instance, golds[instance.id] + note))
        return found


def ours(bench: Bench, attempts: Sequence[Attempt]) -> tuple[float, dict[Verdict, int]]:
    """Seconds per attempt, and how many attempts got each verdict."""
    grader = SweBenchGrader(
        containers=DockerRepositories(workers=WORKERS, memory_limit_mb=256, pull=False), time_limit_s=TIME_LIMIT_S
    )
    pairs = [
        (bench.problems[each.instance.id], Sample(each.instance.id, index, each.patch))
        for index, each in enumerate(attempts)
    ]
    counts: dict[Verdict, int] = {}
    started = time.monotonic()
    for graded in grader.grade(pairs, None):
        counts[graded.verdict] = counts.get(graded.verdict, 0) + 1
    return (time.monotonic() - started) / len(attempts), counts


def stock(bench: Bench, attempts: Sequence[Attempt], name: str, *, stop_delay: bool) -> tuple[float, int]:
    """Seconds per attempt, and how many attempts have a verdict."""
    client = stock_client(stop_delay=stop_delay)

    def outcome(numbered: tuple[int, Attempt]) -> str:
        number, (instance, patch) = numbered
        row, logs = bench.rows[instance.id], bench.folder / "logs"
        return stock_outcome(client, row, patch, run_id=f"{name}{number}", logs=logs, time_limit_s=TIME_LIMIT_S)

    started = time.monotonic()
    with ThreadPoolExecutor(WORKERS) as pool:
        said = list(pool.map(outcome, enumerate(attempts)))
    return (time.monotonic() - started) / len(attempts), sum(each != "no verdict" for each in said)


def everything(client: DockerClient, folder: Path) -> dict[str, int]:
    """How many containers, volumes, networks and processes there are."""
    return {
        "containers": len(client.api.containers(all=True)),
        "volumes": len(client.volumes.list()),
        "networks": len(client.networks.list()),
        "processes": len(processes(folder)),
    }


def processes(folder: Path) -> set[int]:
    """The processes below this one, and those of an engine whose files are in `folder`."""
    parents: dict[int, int] = {}
    found: set[int] = set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            if str(folder).encode() in (place / "cmdline").read_bytes():
                found.add(int(place.name))
        except OSError:  # it has ended meanwhile
            continue
    below = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    return found | below


def main() -> int:
    """Measure, print the table, and return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--attempts", type=int, default=250, help="attempts after which leftovers are counted")
    parser.add_argument("--compared", type=int, default=16, help="attempts with the harness without its delay")
    parser.add_argument("--shipped", type=int, default=4, help="attempts with the harness as shipped")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "engine").mkdir()
        with docker_at_hand(folder / "engine"), docker_client() as client:
            rows = {each.id: each.row(each.build(client), folder / "work") for each in FEW}
            path = written(folder / "rows.jsonl", [*rows.values()])
            bench = Bench(rows, {each.id: each for each in SweBenchDataset(path=path).load()}, folder)
            ours(bench, bench.attempts(len(FEW), 0))
            same = bench.attempts(given.compared, 100_000)
            own_s, _ = ours(bench, same)
            quick_s, quick_verdicts = stock(bench, same, "quick", stop_delay=False)
            shipped_s, shipped_verdicts = stock(bench, same[: given.shipped], "shipped", stop_delay=True)
            if (quick_verdicts, shipped_verdicts) != (len(same), given.shipped):
                sys.exit(f"the harness gave {quick_verdicts} and {shipped_verdicts} verdicts")
            before = everything(client, folder / "engine")
            many_s, counts = ours(bench, bench.attempts(given.attempts, 0))
            after = everything(client, folder / "engine")
    graded = sum(counts.values()) - counts.get(Verdict.INFRASTRUCTURE, 0)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    ratio, ratio_shipped = own_s / quick_s, own_s / shipped_s
    results = [
        Result("per attempt; harness without its delay", own_s, "s", quick_s, ratio, at_most(ratio, 1 / 2)),
        Result("per attempt; harness as shipped", own_s, "s", shipped_s, ratio_shipped, at_most(ratio_shipped, 1 / 20)),
        Result(f"per attempt, of {given.attempts}", many_s, "s"),
        Result("verdicts", verdicts, target=Target(f"{given.attempts} graded", graded == given.attempts)),
    ]
    results += [
        Result(f"{what} left", after[what] - before[what], target=at_most(after[what] - before[what], 0))
        for what in before
    ]
    return report(results)


if __name__ == "__main__":
    sys.exit(main())
