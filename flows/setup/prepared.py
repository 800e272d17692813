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

_ready: ContextVar[tuple[tuple[BaseModel, object], ...]] = ContextVar("ready", default=())


@contextmanager
def ready(config: BaseModel, job: object) -> Iterator[None]:
    """While it lasts, whoever prepares from this configuration in this context is given this job."""
    token = _ready.set((*_ready.get(), (config, job)))
    try:
        yield
    finally:
        _ready.reset(token)


def prepared_or(prepare: Callable[[Config], Job]) -> Callable[[Config], Job]:
    """The job that is ready for a configuration, or else what `prepare` makes of it."""

    @wraps(prepare)
    def load(config: Config) -> Job:
        for prepared, job in _ready.get():
            if prepared == config:
                return cast(Job, job)
        return prepare(config)

    return load
