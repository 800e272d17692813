"""A sweep whose engine calls are counted in all processes, and what an undisturbed run of it stores."""

import io
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.graders.base.requirements import require_check
from tasks.records import AnswerCheck
from tasks.store.blocks import missing
from tests.flows.command import MONKEYS, Ended, environment

PROBLEMS = 128
K = 110
BLOCKS = len(missing([], range(PROBLEMS), K))
Sample = tuple[str, int, str]


class Call(NamedTuple):
    """One call of the engine: the sweep's process, the engine's process, and the samples requested."""

    process: int
    engine: int
    asked: list[tuple[str, int]]


@dataclass(frozen=True)
class CountedSweep:
    """A folder with a sweep file over recorded answers to all arithmetic problems."""

    folder: Path
    seconds: float
    """How much longer each call of the engine takes."""
    processes: int = 1
    """How many processes must have called it before a call ends."""

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(Path(__file__).parent / "counted"),
            "COUNTED_CALLS": str(self.folder / "calls.jsonl"),
            "COUNTED_SECONDS": str(self.seconds),
            "COUNTED_PROCESSES": str(self.processes),
        }

    def start(self, *arguments: str, command: Iterable[str] = (), **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*command, MONKEYS, "sweep", "sweep.yaml", *arguments],
            cwd=self.folder,
            env=environment(**{**self.environment, **variables}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **variables: str) -> Ended:
        process = self.start(*arguments, **variables)
        out, err = process.communicate(timeout=600)
        return Ended(process.returncode, out, err)

    def calls(self) -> list[Call]:
        path = self.folder / "calls.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [
            Call(
                row["process"],
                row["engine"],
                [(problem, i) for problem, start, stop in row["asked"] for i in range(start, stop)],
            )
            for row in rows
        ]

    def drawn_again(self) -> int:
        """The number of calls that requested samples which an earlier call had requested."""
        seen: set[tuple[str, int]] = set()
        again = 0
        for call in self.calls():
            again += not seen.isdisjoint(call.asked)
            seen.update(call.asked)
        return again

    def recorded(self) -> list[Sample]:
        """What an undisturbed run stores."""
        rows = [json.loads(line) for line in (self.folder / "samples.jsonl").read_text().splitlines()]
        return sorted((row["problem_id"], row["index"], row["text"]) for row in rows if row["index"] < K)


def counted_sweep(folder: Path, seconds: float = 0.0, processes: int = 1) -> CountedSweep:
    with (folder / "samples.jsonl").open("w") as file:
        for number, problem in enumerate(ArithmeticDataset().load()[:PROBLEMS]):
            for index in range(K + 20):
                answer = (
                    require_check(problem, AnswerCheck).answer
                    if (number * 31 + index * 17) % 97 < number % 50
                    else "-1"
                )
                text = f"sample {index} of {problem.id}\n#### {answer}"
                file.write(json.dumps({"problem_id": problem.id, "index": index, "text": text}) + "\n")
    engine = f"{{name: recorded, path: {folder / 'samples.jsonl'}}}"
    (folder / "sweep.yaml").write_text(f"dataset: arithmetic\nlimit: {PROBLEMS}\nengine: {engine}\nk: {K}\n")
    return CountedSweep(folder, seconds, processes)


def blocks(runs: Path, kind: str = "samples") -> list[Path]:
    """The blocks under a store's folder, which may be that of an S3 server."""
    return sorted(path for path in runs.glob(f"{kind}/**/i*.parquet") if path.name.startswith("i"))


def stored(runs: Path) -> list[Sample]:
    """Every stored sample, in order, including duplicates."""
    tables = [pd.read_parquet(io.BytesIO(path.read_bytes())) for path in blocks(runs)]
    rows = pd.concat(tables)[["problem_id", "index", "text"]]
    return sorted(rows.itertuples(index=False, name=None))


def graded(runs: Path) -> list[tuple[str, int, str]]:
    """Every stored verdict, in order, including duplicates."""
    tables = [pd.read_parquet(io.BytesIO(path.read_bytes())) for path in blocks(runs, "verdicts")]
    rows = pd.concat(tables)[["problem_id", "index", "verdict"]]
    return sorted(rows.itertuples(index=False, name=None))


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 300, running: Any = None) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert running is None or running.poll() is None, f"it ended before: {what}"
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def descendants(pid: int) -> set[int]:
    """All processes that a process has started, directly or not."""
    listing = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parent = {int(pid): int(ppid) for pid, ppid in (line.split() for line in listing.splitlines())}
    found = {pid}
    while more := {child for child, its in parent.items() if its in found} - found:
        found |= more
    return found - {pid}


def kill(pid: int) -> None:
    """kill -9 a process and all that it has started, as a machine that loses its power does."""
    for each in [*descendants(pid), pid]:
        try:
            os.kill(each, 9)
        except ProcessLookupError:
            continue
