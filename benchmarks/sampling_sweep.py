"""One sweep for `sampling.py`, in a process of its own.

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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flows.config import SweepConfig
from flows.prepare import prepare
from tasks.engines import Engine, Request, Sampling
from tasks.progress import listener


class Clock:
    """Remembers when what was last done of each stage, and how long the engine took to open."""

    def __init__(self) -> None:
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
            self.opened = time.monotonic()
            self.opening_s += self.opened - started
            return opened

        kind.open = open_


def swept(config: SweepConfig, clock: Clock) -> dict[str, Any]:
    """The flow as the command line runs it."""
    from flows.temporary_server import prefect_api

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
    }


def drew(config: SweepConfig, clock: Clock) -> dict[str, Any]:
    """Drawing and storing alone, block by block."""
    job = prepare(config)
    with config.engine.open() as engine:
        for block in job.owed_samples():
            job.draw(block, engine)
    return {"seconds": time.monotonic() - clock.opened}


def verified(config: SweepConfig) -> dict[str, Any]:
    """Verifying what is stored alone, two blocks side by side as the flow does."""
    job = prepare(config)
    blocks = job.owed_verdicts()
    with config.sandbox.open() as sandbox, ThreadPoolExecutor(2) as pool:
        started = time.monotonic()
        list(pool.map(lambda block: job.verify(block, sandbox), blocks))
        return {"seconds": time.monotonic() - started}


def main() -> None:
    """Run, and print what it took."""
    config = SweepConfig.model_validate_json(sys.stdin.read())
    clock = Clock()
    clock.watch(config)
    listener.set(clock)
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
