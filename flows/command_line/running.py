"""Running a flow from the command line, and which errors are shown as one line."""

import atexit
import contextlib
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
_SEEN = {"flow": False, "server lost": False}


def run_flow(console: Console, load: Callable[[], Callable[[Config], Result]], config: Config) -> Result:
    """Run a flow with progress bars. `load` imports it, which takes seconds, while a temporary server starts."""
    from flows.command_line.progress_bars import ProgressBars
    from flows.runtime.temporary_server import prefect_api

    _SEEN["flow"] = True
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
                _SEEN["server lost"] = is_lost()


def leave(code: object) -> None:
    """End the process at once, but for one that has run a flow: there, the interpreter ends as usual, unless Prefect's
    server is away, which its threads would try to reach for minutes.

    Arrow's threads may still hold the file that was read last. If one of them lets go of it while the interpreter ends,
    the process aborts after all of its work is done (https://github.com/apache/arrow/issues/34314).
    """
    if not _SEEN["flow"]:
        atexit._run_exitfuncs()
    elif not _SEEN["server lost"]:
        return
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
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
    if _is_of_server(error):
        url = os.environ.get("PREFECT_API_URL")
        if url:
            return (
                f"PREFECT_API_URL: {url} does not respond; start it (`prefect server start`) or unset PREFECT_API_URL"
            )
        return f"Prefect's temporary server does not respond. {RESUME}"
    return None


def _is_of_server(error: Exception) -> bool:
    """Whether Prefect's client could not have an answer, by httpx's errors and Prefect's kinds of them. A refusal is
    a bug."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    of_http = any(each.__module__.partition(".")[0] == "httpx" for each in type(error).__mro__)
    return (of_http and (status is None or status >= 500 or status == 429)) or "Failed to reach API" in str(error)
