"""Several servers, each with a number of requests at once. One that does not answer is left out, and tried again."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tasks.progress import progress
from tasks.provers import ProverFailedError
from tasks.provers.kimina_server.client import (
    Answer,
    Client,
    ServerAwayError,
    ServerBusyError,
    ServerFailedError,
    ServerRefusedError,
)

_FAILURES = 3
"""How often a text may make a server fail before no further one is asked."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0


@dataclass(slots=True)
class _Server:
    client: Client
    running: int = 0
    pause_s: float = 0.0
    free_at: float = 0.0
    away: str = ""


class Pool:
    """Servers that share the work (all methods may be called from many threads).

    Args:
        urls: of the servers.
        key: the API key for all of them; None: none.
        concurrency: requests at once to each.
        patience_s: seconds for which a text waits while no server takes it.
    """

    def __init__(self, urls: Sequence[str], key: str | None, concurrency: int, patience_s: float) -> None:
        self._servers = [_Server(Client(url, key, concurrency)) for url in urls]
        self._concurrency, self._patience_s = concurrency, patience_s
        self._changed = threading.Condition()
        self.listener = progress.get()
        """Who is told when a server is left out, or used again: proofs run in threads that do not inherit it."""

    @property
    def clients(self) -> tuple[Client, ...]:
        """The connections to each server."""
        return tuple(server.client for server in self._servers)

    def close(self) -> None:
        """Drop all connections; a later request makes new ones."""
        for server in self._servers:
            server.client.close()

    def check(self, text: str, limit_s: float, *, fresh: bool = False) -> Answer:
        """The answer of a server that is free; see `Client.check`.

        Raises:
            ProverFailedError: no server took it in time, several failed on it, or one refuses all requests.
            ReplyTooLongError: the answer is longer than is read.
        """
        failures = 0
        waited_until = time.monotonic() + self._patience_s
        while True:
            with self._free(waited_until) as server:
                try:
                    answer = server.client.check(text, limit_s, fresh=fresh)
                except ServerAwayError as error:
                    self._leave_out(server, str(error))
                    failures += error.sent
                    if failures == _FAILURES:
                        raise ProverFailedError(f"no answer of a Kimina server to it: {error}") from error
                except ServerBusyError as error:
                    self._pause(server, error.wait_s)
                except ServerFailedError as error:
                    failures += 1
                    if failures == _FAILURES:
                        raise ProverFailedError(f"the Kimina server fails on it: {error}") from error
                except ServerRefusedError as error:
                    raise ProverFailedError(str(error)) from error
                else:
                    self._works(server)
                    return answer

    @contextmanager
    def _free(self, until: float) -> Iterator[_Server]:
        """The server with the fewest requests among those that take more."""
        with self._changed:
            while (server := self._choice()) is None:
                now = time.monotonic()
                idle = not any(each.running for each in self._servers)
                if now >= until and idle:
                    away = "; ".join(each.away for each in self._servers if each.away)
                    raise ProverFailedError(f"no Kimina server takes requests: {away or 'all are busy'}")
                pauses = [each.free_at - now for each in self._servers if each.free_at > now]
                self._changed.wait(min([1.0, *pauses]))
            server.running += 1
        try:
            yield server
        finally:
            with self._changed:
                server.running -= 1
                self._changed.notify_all()

    def _choice(self) -> _Server | None:
        now = time.monotonic()
        # A server that did not answer gets one request, to find out.
        usable = [
            each
            for each in self._servers
            if each.free_at <= now and each.running < (1 if each.away else self._concurrency)
        ]
        return min(usable, key=lambda each: (bool(each.away), each.running), default=None)

    def _leave_out(self, server: _Server, why: str) -> None:
        with self._changed:
            first = not server.away
            server.away = why
        self._pause(server, None)
        if first:
            self.listener.say(f"prover: kimina leaves out a server that does not answer, and tries it again ({why})")

    def _pause(self, server: _Server, wait_s: float | None) -> None:
        with self._changed:
            server.pause_s = min(_LONGEST_PAUSE_S, max(_FIRST_PAUSE_S, 2 * server.pause_s))
            server.free_at = time.monotonic() + (server.pause_s if wait_s is None else wait_s)
            self._changed.notify_all()

    def _works(self, server: _Server) -> None:
        with self._changed:
            back = bool(server.away)
            server.away, server.pause_s, server.free_at = "", 0.0, 0.0
            self._changed.notify_all()
        if back:
            self.listener.say(f"prover: kimina uses {server.client.url} again")
