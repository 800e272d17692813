"""Progress in a terminal or a notebook, as the command line shows it."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any


def shown(*, enabled: bool) -> AbstractContextManager[Any]:
    """A context manager that shows progress on standard error, unless it is turned off."""
    if not enabled:
        return nullcontext()
    from rich.console import Console

    from flows.command_line.progress_bars import ProgressBars

    return ProgressBars(Console(highlight=False, stderr=True))
