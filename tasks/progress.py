"""Progress of a run: how much work there is, how much is done, and messages for the user.

The command line shows it as progress bars and lines. Without a listener, nothing is reported.
"""

from contextvars import ContextVar
from typing import Protocol


class Progress(Protocol):
    """Receives progress; called from any thread."""

    def plan(self, stage: str, total: int) -> None:
        """A stage will take `total` more units of work."""
        ...

    def advance(self, stage: str, done: int) -> None:
        """`done` more units of a stage are done; negative if work was lost and must be repeated."""
        ...

    def say(self, line: str) -> None:
        """A line for the user: something slow has started, or something failed and is being retried."""
        ...


class NullProgress:
    """Ignores everything: the default."""

    def plan(self, stage: str, total: int) -> None:
        """Ignore."""

    def advance(self, stage: str, done: int) -> None:
        """Ignore."""

    def say(self, line: str) -> None:
        """Ignore."""


progress: ContextVar[Progress] = ContextVar("progress", default=NullProgress())  # noqa: B039 - it has no state
"""Receives the progress of this run. Prefect passes the context on to the threads of tasks."""
