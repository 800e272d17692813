"""Draws blocks concurrently, so that an engine's batch never drains: the next block starts while the last samples of
one are still being drawn."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.engines import Engine
from tasks.steps import blocks
from tasks.store.blocks import Block
from tasks.sweep.sweep import Sweep


def draw_concurrently(job: Sweep, missing: Sequence[Block], engine: Engine) -> Iterator[Block]:
    """Yield every block as soon as it is stored. `max_concurrent_calls` blocks of the engine are drawn at a time;
    blocks that another sweep is drawing come last.

    Raises:
        CapReachedError, EngineFailedError: drawing stopped early; what was drawn is stored.
    """
    waiting, elsewhere = iter(missing), list[Block]()
    drawing: dict[PrefectFuture[Any], Block] = {}
    runner: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=engine.max_concurrent_calls)
    with runner as lanes:
        try:
            while True:
                for block in islice(waiting, engine.max_concurrent_calls - len(drawing)):
                    parameters = {"sweep": job, "block": block, "engine": engine}
                    drawing[lanes.submit(blocks.draw_block, parameters)] = block
                if not drawing:
                    break
                done = next(as_completed(list(drawing)))
                block, parts = drawing.pop(done), done.result()
                if parts is None:
                    elsewhere.append(block)
                else:
                    yield from parts
        except BaseException:
            # Or else leaving the task runner would wait for the calls in progress.
            engine.cancel()
            raise
    for block in elsewhere:
        yield from blocks.draw_block(job, block, engine, wait=True) or []
