"""One sweep for `sampling.py`, in a separate process.

    python benchmarks/sampling_sweep.py (sweep | draw | verify) < config.json

`sweep` is the whole flow, with a temporary Prefect server; `draw` and `verify` are its two stages alone, without
Prefect. Prints one line of JSON. Loading the engine's model, with one sample drawn to be sure of that, and starting
Prefect are counted apart.
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


class Pulse(NamedTuple):
    """Seconds that a process ran, and that it could have run but had to wait for a core."""

    ran: float
    waited: float

    @classmethod
    def of(cls, pid: int) -> "Pulse":
        """As Linux counts them for its threads, of which one computes."""
        counts = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
        if not counts:
            raise ProcessLookupError(pid)
        return cls(sum(int(each[0]) for each in counts) / 1e9, sum(int(each[1]) for each in counts) / 1e9)


class Watch:
    """Looks at a process until that ends: its counters are gone after that."""

    def __init__(self, pid: int) -> None:
        self.first = self.last = Pulse.of(pid)
        Thread(target=self._look, args=(pid,), daemon=True).start()

    def _look(self, pid: int) -> None:
        with suppress(OSError, ValueError):
            while True:
                self.last = Pulse.of(pid)
                time.sleep(0.1)

    def found(self) -> dict[str, float]:
        """What it did since it was looked at first."""
        return {"engine_cpu_s": self.last.ran - self.first.ran, "engine_waited_s": self.last.waited - self.first.waited}


def worker() -> int | None:
    """The process below this one that vLLM's engine runs in, if any: of those with its program, the busiest."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            if b"vllm_worker.py" in (folder / "cmdline").read_bytes() and os.getpid() in ancestors(int(folder.name)):
                found[int(folder.name)] = Pulse.of(int(folder.name)).ran
    return max(found, key=lambda pid: found[pid], default=None)


def ancestors(pid: int) -> Iterator[int]:
    """The processes above one."""
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        yield pid


class Clock:
    """Remembers when what was last done of each stage, how long the engine took to open, and what it did then."""

    def __init__(self) -> None:
        self.engine: Watch | None = None
        self.opened = 0.0
        self.opening_s = 0.0
        self.last: dict[str, float] = {}

    def plan(self, stage: str, total: int) -> None:
        """Nothing to remember."""

    def advance(self, stage: str, done: int) -> None:  # noqa: ARG002
        """A stage went on."""
        self.last[stage] = time.monotonic()

    def say(self, line: str) -> None:
        """Show it."""
        print(line, file=sys.stderr)

    def watch(self, config: SweepConfig) -> None:
        """Count the time in which engines of this kind open."""
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
    """The flow as the command line runs it."""
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
    """Drawing and storing alone, block by block."""
    job = prepare(config)
    with config.engine.open() as engine:
        for block in job.missing_samples():
            job.draw(block, engine)
    return {"seconds": time.monotonic() - clock.opened}


def verified(config: SweepConfig) -> dict[str, Any]:
    """Grading alone, two stored blocks at a time as the flow does."""
    job = prepare(config)
    blocks = job.grading.pending_verdicts()
    with config.sandbox.open() as sandbox, ThreadPoolExecutor(2) as pool:
        started = time.monotonic()
        list(pool.map(lambda block: job.grading.grade(block, sandbox), blocks))
        return {"seconds": time.monotonic() - started}


def main() -> None:
    """Run, and print what it took."""
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
            found = verified(config)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({**found, "opening_s": clock.opening_s, "peak_bytes": peak}))


if __name__ == "__main__":
    main()
