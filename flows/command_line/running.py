"""Running a flow from the command line, and which errors are shown as one line."""

import logging
import os
import sys
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console

from tasks.errors import RESUME, MonkeysError, UserError

Config = TypeVar("Config")
Result = TypeVar("Result")

_PREFECT_DEFAULTS = {
    # Progress bars, tables and one-line errors are enough here; the Prefect UI still shows the logs.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    # Prefect's background threads, where its server goes away: one line of ours says so.
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
}
_LOST = {"server": False}


def run_flow(console: Console, load: Callable[[], Callable[[Config], Result]], config: Config) -> Result:
    """Run a flow with progress bars. `load` imports it, which takes seconds, while a temporary server starts."""
    from flows.command_line.progress_bars import ProgressBars
    from flows.runtime.temporary_server import prefect_api

    logging.raiseExceptions = False  # logs that Prefect cannot send would each write to standard error
    for name, value in _PREFECT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    with ProgressBars(console) as bars:
        bars.wait("starting Prefect")
        with prefect_api() as wait_for_api:
            flow = load()
            from flows.runtime.completion import completed
            from tasks.steps.server import is_lost

            wait_for_api()
            try:
                return completed(flow, config)
            finally:
                _LOST["server"] = is_lost()


def leave(code: object) -> None:
    """End the process without waiting for Prefect's threads, where its server is away: they would try to reach it for
    minutes. Otherwise this does nothing, and the interpreter ends as usual."""
    if _LOST["server"]:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def require_server(option: str) -> None:
    """Refuse an option that does not work with a temporary server, which no worker polls.

    Raises:
        UserError: Prefect's settings do not name a server.
    """
    from prefect.settings import PREFECT_API_URL  # seconds

    if not PREFECT_API_URL.value():
        raise UserError(f"{option}: needs a Prefect server that workers poll; start one and set PREFECT_API_URL")


def printable(text: str) -> str:
    """Text in which nothing can move the cursor, end the line or fail to be encoded: names in a store and in files of
    others may hold anything."""
    return "".join(each if each.isprintable() else f"‹U+{ord(each):04X}›" for each in text)


def one_line(error: Exception) -> str | None:
    """The message of an error that the user can fix; None for a bug, which is shown with its traceback."""
    if isinstance(error, MonkeysError):
        return printable(f"{error}. {RESUME}" if error.resumable else str(error))
    if "httpx" in type(error).__module__ or "Failed to reach API" in str(error):
        url = os.environ.get("PREFECT_API_URL")
        if url:
            return (
                f"PREFECT_API_URL: {url} does not respond; start it (`prefect server start`) or unset PREFECT_API_URL"
            )
        return f"Prefect's temporary server does not respond. {RESUME}"
    return None
