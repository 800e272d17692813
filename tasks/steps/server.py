"""Whether Prefect's server answers. Results never depend on it: a server that is busy is waited for, one that is away
is not, and a failure to show something there is reported in one line."""

import time
from collections.abc import Callable

import httpx
from prefect import get_client
from prefect.exceptions import PrefectException
from prefect.logging import get_logger
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from tasks.progress import progress

FAULTS = (httpx.HTTPError, httpx.InvalidURL, PrefectException, OSError, RuntimeError, ValueError)
"""What Prefect's client raises if the server does not answer, or answers with an error."""

_ANSWER_WITHIN_S = 5.0
_BUSY_FOR_S = 60.0
"""How long a server that accepts connections may be too busy to answer."""
_TRY_EVERY_S = 1.0
_TOO_MANY_REQUESTS = 429
_told: set[str] = set()


def unreachable(patience_s: float | None = None) -> str | None:
    """Why Prefect's server does not answer; None if it answers, even with a refusal.

    A refused connection is an answer within a moment. A server that is slow, or reports that it is busy, is asked again
    for `patience_s` seconds (None: 60, and 0 for one that was away when it was last asked), which the terminal says.
    """
    wait_s = (0.0 if _url() in _told else _BUSY_FOR_S) if patience_s is None else patience_s
    until = time.monotonic() + wait_s
    waiting = False
    while (error := _fault()) is not None and is_busy(error) and time.monotonic() < until:
        if not waiting:
            waiting = True
            progress.get().say(f"Prefect's server at {_url()} is busy ({reason_of(error)}): waiting for it")
        time.sleep(_TRY_EVERY_S)
    if error is None:
        _told.discard(_url())
        return None
    return reason_of(error)


def is_busy(error: Exception) -> bool:
    """Whether a request that failed so may succeed later: the server, or a gateway before it, is overloaded, or the
    connection broke. A server that refuses connections is away, and one that refuses the request has answered."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error or error.response.status_code == _TOO_MANY_REQUESTS
    return isinstance(error, httpx.TransportError) and not isinstance(
        error, httpx.ConnectError | httpx.UnsupportedProtocol
    )


def _fault() -> Exception | None:
    """What one request meets, unless the server answers it."""
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
        try:
            with get_client(httpx_settings={"timeout": _ANSWER_WITHIN_S}, sync_client=True) as client:
                error = client.api_healthcheck()
        except FAULTS as fault:
            error = fault
    if isinstance(error, httpx.HTTPStatusError) and not is_busy(error):
        return None
    return error


def show(what: str, action: Callable[[], None]) -> None:
    """Show something in the Prefect UI; if the server does not answer, report that instead."""
    reason = unreachable()
    if reason is not None:
        tell_unreachable(reason)
        return
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 2}):
            action()
    except FAULTS as error:
        _tell(f"Prefect's server at {_url()} cannot show {what} ({reason_of(error)}); it is stored nevertheless")


def is_lost() -> bool:
    """Whether the server went away during a run and has not come back."""
    return bool(_told) and unreachable() is not None


def tell_unreachable(reason: str) -> None:
    """Say, once for each time that it goes away, that the server does not answer."""
    if _url() not in _told:
        _told.add(_url())
        _tell(f"Prefect's server at {_url()} does not answer ({reason}): this run continues without it")


def _tell(line: str) -> None:
    get_logger("monkeys").warning(line)
    progress.get().say(line)


def _url() -> str:
    return PREFECT_API_URL.value() or "a temporary address"


def reason_of(error: Exception) -> str:
    """One line for what Prefect's client raised."""
    return " ".join(str(error).split())[:200] or type(error).__name__
