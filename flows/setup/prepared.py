"""Passes what a command has prepared to the flow that it runs; a flow that is started elsewhere prepares it itself.

A command checks everything before it starts Prefect; if the flow did so again, large files would be read twice.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TypeVar, cast

from pydantic import BaseModel

Config = TypeVar("Config", bound=BaseModel)
Job = TypeVar("Job")

_prepared: ContextVar[tuple[tuple[BaseModel, object], ...]] = ContextVar("prepared", default=())


@contextmanager
def using_prepared(config: BaseModel, job: object) -> Iterator[None]:
    """Within this context, `prepared_or` returns this job for this configuration."""
    token = _prepared.set((*_prepared.get(), (config, job)))
    try:
        yield
    finally:
        _prepared.reset(token)


def prepared_or(prepare: Callable[[Config], Job]) -> Callable[[Config], Job]:
    """A function that returns the job prepared for a configuration, or else calls `prepare`."""

    @wraps(prepare)
    def load(config: Config) -> Job:
        for known, job in _prepared.get():
            if known == config:
                return cast(Job, job)
        return prepare(config)

    return load
