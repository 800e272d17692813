"""Calls in daemon threads, so that a call that hangs fails its test instead of blocking it."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


def in_thread(work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
    """Call something in a daemon thread; wait for the future with a timeout."""
    future: Future[Any] = Future()

    def do() -> None:
        try:
            future.set_result(work(*arguments))
        except BaseException as error:  # noqa: BLE001 - the future raises it
            future.set_exception(error)

    threading.Thread(target=do, daemon=True).start()
    return future
