"""One sweep for `sampling.py`, in a separate process.

    python benchmarks/sampling_sweep.py (sweep | draw | grade) < config.json

`sweep` runs the whole flow, with a temporary Prefect server; `draw` and `grade` run one of its two stages, without
Prefect. Prints one line of JSON. The time to open the engine (until it has drawn a first sample, so that the model is
surely loaded) and the time to start Prefect are reported separately.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flows.config.sweep import SweepConfig
from flows.setup.sweep import prepare
from tasks.engines import Engine
from tasks.progress import progress
from tasks.records import Request, Sampling


class CpuUse(NamedTuple):
    """Seconds in which a process ran on a core, and in which it was ready to run but waited for one."""

    ran: float
    waited: float

    @classmethod
    def of(cls, pid: int) -> "CpuUse":
        """The sums over its threads, as Linux counts them. (Only one thread of the engine computes.)"""
        counts = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
        if not counts:
            raise ProcessLookupError(pid)
        return cls(sum(int(each[0]) for each in counts) / 1e9, sum(int(each[1]) for each in counts) / 1e9)


class Watch:
    """Polls a process until it ends, because its counters disappear with it."""

    def __init__(self, pid: int) -> None:
        self.first = self.last = CpuUse.of(pid)
        Thread(target=self._poll, args=(pid,), daemon=True).start()

    def _poll(self, pid: int) -> None:
        with suppress(OSError, ValueError):
            while True:
                self.last = CpuUse.of(pid)
                time.sleep(0.1)

    def found(self) -> dict[str, float]:
        """CPU use since the first poll."""
        return {"engine_cpu_s": self.last.ran - self.first.ran, "engine_waited_s": self.last.waited - self.first.waited}


def worker() -> int | None:
    """The descendant of this process in which vLLM's engine runs, if any: the busiest one that runs its script."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            if b"vllm_worker.py" in (folder / "cmdline").read_bytes() and os.getpid() in ancestors(int(folder.name)):
                found[int(folder.name)] = CpuUse.of(int(folder.name)).ran
    return max(found, key=lambda pid: found[pid], default=None)


def ancestors(pid: int) -> Iterator[int]:
    """The parent of a process, its parent, and so on."""
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        yield pid


class Clock:
    """Follows a sweep's progress: when each stage last advanced, how long the engine took to open, and its CPU use."""

    def __init__(self) -> None:
        self.engine: Watch | None = None
        self.opened = 0.0
        self.opening_s = 0.0
        self.last: dict[str, float] = {}

    def plan(self, stage: str, total: int) -> None:
        """Ignored."""

    def advance(self, stage: str, done: int) -> None:  # noqa: ARG002
        """Note the time."""
        self.last[stage] = time.monotonic()

    def say(self, line: str) -> None:
        """Print a message."""
        print(line, file=sys.stderr)

    def watch(self, config: SweepConfig) -> None:
        """From now on, measure the time in which engines of this kind open."""
        kind: Any = type(config.engine)
        ordinary = kind.open

        def open_(engine: Any) -> Engine:
            started = time.monotonic()
            opened: Engine = ordinary(engine)
            for _ in opened.sample([Request("warm", "1", 0, 1)], Sampling(0.6, 1.0, 2, (), 0)):
                pass
            pid = worker()
            self.engine = None if pid is None else Watch(pid)
            self.opened = time.monotonic()
            self.opening_s += self.opened - started
            return opened

        kind.open = open_


def swept(config: SweepConfig, clock: Clock) -> dict[str, Any]:
    """Run the flow as the command line does."""
    from flows.runtime.temporary_server import prefect_api

    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    began = time.monotonic()
    with prefect_api() as wait_for_api:
        from flows.sweep import sweep

        wait_for_api()
        started = time.monotonic()
        result = sweep(config)
        ended = time.monotonic()
    usage = result.summary.usage
    return {
        "samples": result.drawn,
        "tokens": usage.tokens if usage else None,
        "seconds": ended - started - clock.opening_s,
        "drawing_s": clock.last["samples"] - clock.opened,
        "both_s": max(clock.last.values()) - clock.opened,
        "prefect_s": started - began,
        **(clock.engine.found() if clock.engine else {}),
    }


def drew(config: SweepConfig, clock: Clock) -> dict[str, Any]:
    """Draw and store all blocks, one after the other, without grading."""
    job = prepare(config)
    with config.engine.open() as engine:
        for block in job.missing_samples():
            job.draw(block, engine)
    return {"seconds": time.monotonic() - clock.opened}


def graded(config: SweepConfig) -> dict[str, Any]:
    """Grade the stored blocks, two at a time as the flow does."""
    job = prepare(config)
    blocks = job.grading.pending_verdicts()
    with config.sandbox.open() as sandbox, ThreadPoolExecutor(2) as pool:
        started = time.monotonic()
        list(pool.map(lambda block: job.grading.grade(block, sandbox), blocks))
        return {"seconds": time.monotonic() - started}


def main() -> None:
    """Run one mode and print what it took."""
    config = SweepConfig.model_validate_json(sys.stdin.read())
    clock = Clock()
    clock.watch(config)
    progress.set(clock)
    match sys.argv[1]:
        case "sweep":
            found = swept(config, clock)
        case "draw":
            found = drew(config, clock)
        case _:
            found = graded(config)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({**found, "opening_s": clock.opening_s, "peak_bytes": peak}))


if __name__ == "__main__":
    main()
