"""Calls in threads that a hang does not take with it: the test fails, and what hangs is left behind."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


def begin(work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
    """Do something in a thread that nobody waits for at the end; ask the future with a limit."""
    future: Future[Any] = Future()

    def do() -> None:
        try:
            future.set_result(work(*arguments))
        except BaseException as error:  # noqa: BLE001 - whoever asks is told
            future.set_exception(error)

    threading.Thread(target=do, daemon=True).start()
    return future
