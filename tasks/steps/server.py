"""Whether Prefect's server answers. Results never depend on it: showing something there is tried once, and a failure is
reported in one line."""

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
_told: set[str] = set()


def unreachable() -> str | None:
    """Why Prefect's server does not answer, found within seconds; None if it answers, even with a refusal."""
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
        try:
            with get_client(httpx_settings={"timeout": _ANSWER_WITHIN_S}, sync_client=True) as client:
                error = client.api_healthcheck()
        except FAULTS as fault:
            error = fault
    if isinstance(error, httpx.HTTPStatusError) and not error.response.is_server_error:
        error = None
    if error is None:
        _told.discard(_url())
        return None
    return _reason(error)


def show(what: str, action: Callable[[], None]) -> None:
    """Show something in the Prefect UI; if the server does not answer, report that instead."""
    reason = unreachable()
    if reason is not None:
        tell_unreachable(reason)
        return
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 1}):
            action()
    except FAULTS as error:
        _tell(f"Prefect's server at {_url()} cannot show {what} ({_reason(error)}); it is stored nevertheless")


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


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
