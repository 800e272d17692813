"""A Prefect server for as long as one command runs, for people who have set none up.

Prefect can start one by itself, but only after the whole server has been imported into the caller's process as well,
and one that is killed leaves it running. This one starts while the caller still imports, and dies with the caller.
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
    """The temporary server did not come up; the message is one line."""


@contextmanager
def prefect_api() -> Iterator[Callable[[], None]]:
    """Give flows an API: the one that Prefect's settings name, or a temporary server's.

    Yields a function that waits until it answers: call it when everything else is ready. The temporary server keeps
    its runs in the same database as any other server of this user, so a later `prefect server start` shows them.

    Raises:
        ServerError: by that function, where the server ends or does not answer in time.
    """
    from prefect.settings import PREFECT_API_URL, temporary_settings  # seconds

    if PREFECT_API_URL.value():
        yield lambda: None
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
        # A terminal's Ctrl-C is not for it: it is still to be told how the run ended.
        start_new_session=True,
        preexec_fn=partial(die_with_parent, signal.SIGTERM),  # noqa: PLW1509 - no other thread runs yet
    )
    # At exit, after Prefect's own threads have sent their last logs and events, which they do before any such function.
    atexit.register(_stop, process)
    with temporary_settings({PREFECT_API_URL: url}):
        yield lambda: _wait(url, process)


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
        " and PREFECT_API_URL names one that runs already"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
