"""Ctrl-C and SIGTERM: a command says at once that it stops, and has stopped within seconds, whatever it is doing."""

import atexit
import contextlib
import os
import signal
import socket
import sys
import threading

from tasks.errors import RESUME

PATIENCE_S = 10.0
"""How long a command may take to stop by itself: to end engines and sandboxes, give up claims, tell Prefect. Then its
process ends. Nothing is lost by that but work in flight: objects in the store are written whole or not at all."""

_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})
_SHOW_CURSOR = "\x1b[?25h"


class Interruption:
    """Watches for the signals in a separate thread, because the main thread may be busy or waiting.

    Handlers of the signals stay as they are: they stop what the main thread does. A second signal ends the process at
    once.
    """

    def __init__(self) -> None:
        self._told = threading.Lock()
        self._first = 0
        # The first function that is registered is the last that is called. What the interpreter does after it can take
        # seconds, and is of no use.
        atexit.register(self._leave)
        self._arrivals, sender = socket.socketpair()
        sender.setblocking(False)
        # Python writes the number of each signal that has a handler there, before it calls the handler.
        signal.set_wakeup_fd(sender.detach(), warn_on_full_buffer=False)
        threading.Thread(target=self._watch, name="signals", daemon=True).start()

    def tell(self) -> None:
        """Say that the command stops, unless it has been said."""
        if self._told.acquire(blocking=False):
            print(f"\nmonkeys: interrupted. {RESUME}", file=sys.stderr, flush=True)

    def _watch(self) -> None:
        self._first = self._next()
        self.tell()
        self._arrivals.settimeout(PATIENCE_S)
        with contextlib.suppress(TimeoutError):
            self._next()
        self._leave()

    def _next(self) -> int:
        """Wait for a signal; raises TimeoutError after the socket's timeout."""
        while True:
            (number,) = self._arrivals.recv(1)
            if number in _SIGNALS:
                return int(number)

    def _leave(self) -> None:
        """End the process, if a signal has arrived."""
        if not self._first:
            return
        with contextlib.suppress(OSError, ValueError):
            if sys.stderr.isatty():
                sys.stderr.write(_SHOW_CURSOR)
            sys.stderr.flush()
            sys.stdout.flush()
        os._exit(128 + self._first)
