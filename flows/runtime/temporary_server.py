"""A Prefect server that lives as long as one command, for users who have not set one up.

Prefect can start one by itself, but it imports the whole server into the caller's process first, and a caller that is
killed leaves the server running. This one starts while the caller is still importing, and dies with the caller.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from sandboxes.linux.prctl import die_with_parent
from tasks.errors import MonkeysError

START_LIMIT_S = 180


class ServerError(MonkeysError, RuntimeError):
    """The temporary server did not start; the message is one line."""


@contextmanager
def prefect_api() -> Iterator[Callable[[], None]]:
    """Provide an API for flows: the one that Prefect's settings name, or that of a temporary server.

    Yields a function that waits until the API answers; call it when everything else is ready. The temporary server uses
    the same database as any other server of this user, so a later `prefect server start` shows its runs.

    Raises:
        ServerError: raised by that function, if the server is away, ends, or does not answer in time.
    """
    from prefect.settings import PREFECT_API_URL, temporary_settings  # seconds

    if PREFECT_API_URL.value():
        yield partial(_require, PREFECT_API_URL.value())
        return
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--no-ui", "--analytics-off", "--log-level", "ERROR"],
        env={**os.environ, "PREFECT_API_URL": url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-C must not reach the server, which has yet to be told how the run ended.
        start_new_session=True,
        preexec_fn=partial(die_with_parent, signal.SIGTERM),  # noqa: PLW1509 - no other thread runs yet
    )
    # At exit, after Prefect's threads have sent their last logs and events.
    atexit.register(_stop, process)
    with temporary_settings({PREFECT_API_URL: url}):
        yield lambda: _wait(url, process)


def _require(url: str) -> None:
    from tasks.steps.server import unreachable

    reason = unreachable(patience_s=START_LIMIT_S)
    if reason is not None:
        raise ServerError(
            f"PREFECT_API_URL: {url} does not respond ({reason});"
            " start it (`prefect server start`) or unset PREFECT_API_URL"
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):  # noqa: S310 - our own http address
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise ServerError(
        "Prefect's temporary server did not start; `prefect server start` shows why,"
        " or set PREFECT_API_URL to one that is already running"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
