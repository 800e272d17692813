"""Progress of a run: how much work there is, how much is done, and messages for the user.

The command line shows it as progress bars and lines. Without a listener, nothing is reported.
"""

import time
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


class Steps:
    """Advances a stage by single units, of which there may be millions: the listener is called a few times a second."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._done = 0
        self._next = 0.0

    def advance(self) -> None:
        """One more unit is done."""
        self._done += 1
        if time.monotonic() >= self._next:
            self.flush()

    def flush(self) -> None:
        """Tell the listener of all units that are done."""
        if self._done:
            progress.get().advance(self._stage, self._done)
        self._done, self._next = 0, time.monotonic() + _TELL_EVERY_S


_TELL_EVERY_S = 0.2

progress: ContextVar[Progress] = ContextVar("progress", default=NullProgress())  # noqa: B039 - it has no state
"""Receives the progress of this run. Prefect passes the context on to the threads of tasks."""
