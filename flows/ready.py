"""What a command has prepared already, for the flow that it runs: a flow that is started elsewhere prepares for itself.

A command checks everything before it starts Prefect. To do all of that again would read a file of samples twice.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TypeVar, cast

from pydantic import BaseModel

Config = TypeVar("Config", bound=BaseModel)
Job = TypeVar("Job")

_ready: ContextVar[tuple[BaseModel, object] | None] = ContextVar("ready", default=None)


@contextmanager
def ready(config: BaseModel, job: object) -> Iterator[None]:
    """While it lasts, whoever prepares from this configuration in this context is given this job."""
    token = _ready.set((config, job))
    try:
        yield
    finally:
        _ready.reset(token)


def ready_or(prepare: Callable[[Config], Job]) -> Callable[[Config], Job]:
    """The job that is ready for a configuration, or else what `prepare` makes of it."""

    @wraps(prepare)
    def load(config: Config) -> Job:
        held = _ready.get()
        if held is not None and held[0] == config:
            return cast(Job, held[1])
        return prepare(config)

    return load
