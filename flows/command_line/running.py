"""Running a flow from the command line, and the errors that end in one line."""

import os
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console

from tasks.errors import RESUME, MonkeysError, UserError

Config = TypeVar("Config")
Result = TypeVar("Result")

_PREFECT_DEFAULTS = {
    # Progress bars, tables and one-line errors are enough here; the Prefect UI still shows the logs.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
}


def run_flow(console: Console, load: Callable[[], Callable[[Config], Result]], config: Config) -> Result:
    """Run a flow with progress bars. `load` imports it, which takes seconds, while a temporary server starts."""
    from flows.command_line.progress_bars import ProgressBars
    from flows.runtime.temporary_server import prefect_api

    for name, value in _PREFECT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    with ProgressBars(console) as bars:
        bars.wait("starting Prefect")
        with prefect_api() as wait_for_api:
            flow = load()
            wait_for_api()
            return flow(config)


def require_server(option: str) -> None:
    """Refuse an option that a temporary server cannot serve, as no worker polls it.

    Raises:
        UserError: Prefect's settings do not name a server.
    """
    from prefect.settings import PREFECT_API_URL  # seconds

    if not PREFECT_API_URL.value():
        raise UserError(f"{option}: needs a Prefect server that workers poll; start one and set PREFECT_API_URL")


def one_line(error: Exception) -> str | None:
    """The message of an error that a person can fix, or None for a bug, which deserves its traceback."""
    if isinstance(error, MonkeysError):
        return f"{error}. {RESUME}" if error.resumable else str(error)
    url = os.environ.get("PREFECT_API_URL")
    if (url and "httpx" in type(error).__module__) or "Failed to reach API" in str(error):
        return f"PREFECT_API_URL: {url} does not respond; start it (`prefect server start`) or unset PREFECT_API_URL"
    return None
