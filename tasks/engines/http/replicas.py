"""Servers that offer the same model: which one gets the next request, and which get none for a while."""

import asyncio
import random
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_BACKOFF_S = 60.0
"""No back-off is longer, so a server that was restarted is used again within this time."""
MAX_BAD_ANSWERS = 3
"""A server that answers, but badly, rests after this many failures in a row; a single one may be the request's
fault."""


@dataclass(slots=True, eq=False)
class Replica:
    """One server. `failures` counts those in a row; `resting_until` is a time of the monotonic clock, in seconds."""

    url: str
    in_flight: int = 0
    failures: int = 0
    resting_until: float = 0.0


class Replicas:
    """Chooses the server for each request: the one with the fewest requests in flight; equals take turns."""

    def __init__(self, urls: Sequence[str], first_s: float) -> None:
        self.all = [Replica(url) for url in urls]
        self.first_s = first_s
        self._turn = 0

    def awake(self, excluded: Collection[Replica] = ()) -> list[Replica]:
        """The servers that are not resting, except the excluded ones."""
        now = time.monotonic()
        return [each for each in self.all if each.resting_until <= now and each not in excluded]

    async def choose(self, excluded: Collection[Replica]) -> Replica:
        """The server for the next request, preferably one not excluded; waits while all are resting."""
        while True:
            ready = self.awake(excluded) or self.awake()
            if ready:
                self._turn += 1
                return min(
                    ready, key=lambda each: (each.in_flight, (self.all.index(each) - self._turn) % len(self.all))
                )
            first = min(each.resting_until for each in self.all)
            await asyncio.sleep(max(0.0, first - time.monotonic()))

    def answered(self, replica: Replica) -> None:
        """A request to this server succeeded."""
        replica.failures = 0

    def failed(self, replica: Replica, *, unreachable: bool, wait_s: float | None) -> bool:
        """A request to this server failed; returns whether the server rests from now on.

        Args:
            replica: the server.
            unreachable: whether there was no complete answer.
            wait_s: seconds for which the server asks for no requests, if it does.
        """
        replica.failures += 1
        now = time.monotonic()
        was_awake = replica.resting_until <= now
        rest = wait_s or 0.0
        # A single server need not rest: each request backs off by itself.
        if len(self.all) > 1 and was_awake and (unreachable or replica.failures >= MAX_BAD_ANSWERS):
            rest = max(rest, backoff(self.first_s, replica.failures))
        replica.resting_until = max(replica.resting_until, now + rest)
        return was_awake and rest > 0


def backoff(first_s: float, failures: int) -> float:
    """Seconds to wait after this many failures in a row: exponential back-off with full jitter, so that requests that
    failed together are not retried together (Brooker, "Exponential Backoff And Jitter", 2015)."""
    return random.uniform(0, min(MAX_BACKOFF_S, first_s * 2 ** min(failures, 32)))  # noqa: S311 - not a secret


def retry_after(value: str | None) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or a date (RFC 9110, 10.2.3); None if it has
    neither."""
    if value is None:
        return None
    if value.strip().replace(".", "", 1).isdecimal():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
