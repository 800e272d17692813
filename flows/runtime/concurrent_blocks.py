"""Works on blocks concurrently, so that the batch of an engine or a scorer never drains: the next block starts while
the last samples of one are still in progress."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from prefect import Task
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.engines import Engine
from tasks.scorers.checked import CheckedScorer
from tasks.store.blocks import Block

Result = TypeVar("Result")


def concurrently(
    step: Task[..., Result | None], blocks: Sequence[Block], worker: Engine | CheckedScorer, **parameters: Any
) -> Iterator[Result]:
    """Take a step on every block, and yield each result as soon as it is there. `max_concurrent_calls` of the worker
    run at a time. Blocks for which the step returns None, since another sweep is working on them, come last.

    Raises:
        MonkeysError: what the step raised; the blocks before it are stored.
    """
    waiting, elsewhere = iter(blocks), list[Block]()
    running: dict[PrefectFuture[Any], Block] = {}
    runner: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=worker.max_concurrent_calls)
    with runner as lanes:
        try:
            while True:
                for block in islice(waiting, worker.max_concurrent_calls - len(running)):
                    running[lanes.submit(step, {**parameters, "block": block})] = block
                if not running:
                    break
                done = next(as_completed(list(running)))
                block, result = running.pop(done), done.result()
                if result is None:
                    elsewhere.append(block)
                else:
                    yield result
        except BaseException:
            # Or else leaving the task runner would wait for the calls in progress.
            worker.cancel()
            raise
    for block in elsewhere:
        result = step(**parameters, block=block, wait=True)
        if result is not None:
            yield result
