"""Who is told how far the work is. The command line listens with progress bars; nobody need listen."""

from contextvars import ContextVar
from typing import Protocol


class Progress(Protocol):
    """A listener; called from any thread."""

    def plan(self, stage: str, total: int) -> None:
        """A stage will take `total` more units of work."""
        ...

    def advance(self, stage: str, done: int) -> None:
        """So many more units of a stage are done."""
        ...

    def say(self, line: str) -> None:
        """Something that takes long has begun, or has gone wrong and is being mended."""
        ...


class Silence:
    """Nobody listens."""

    def plan(self, stage: str, total: int) -> None:
        """Say nothing."""

    def advance(self, stage: str, done: int) -> None:
        """Say nothing."""

    def say(self, line: str) -> None:
        """Say nothing."""


listener: ContextVar[Progress] = ContextVar("listener", default=Silence())  # noqa: B039 - it holds no state
"""The listener of this run; Prefect hands the context on to its task threads."""
