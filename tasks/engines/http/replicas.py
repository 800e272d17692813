"""Servers that offer the same model: which one is asked next, and which are left alone for a while."""

import asyncio
import random
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 60.0
"""No back-off is longer: a server that is restarted is found again within this time."""
ODD_FAILURES = 3
"""A server that answers, but badly, is rested after this many failures in a row: a single one may be the request's."""


@dataclass(slots=True, eq=False)
class Replica:
    """One server. Times are of the monotonic clock, in seconds."""

    url: str
    in_flight: int = 0
    failures: int = 0
    """In a row."""
    resting_until: float = 0.0


class Replicas:
    """Requests go to the server that has the fewest of them, and the longest without."""

    def __init__(self, urls: Sequence[str], first_s: float) -> None:
        self.all = [Replica(url) for url in urls]
        self.first_s = first_s
        self._turn = 0

    def awake(self, excluded: Collection[Replica] = ()) -> list[Replica]:
        """Those that do not rest, apart from some."""
        now = time.monotonic()
        return [each for each in self.all if each.resting_until <= now and each not in excluded]

    async def choose(self, excluded: Collection[Replica]) -> Replica:
        """The server to ask: one that was not tried yet where there is one; waits while all rest."""
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
        """It answered as it should."""
        replica.failures = 0

    def failed(self, replica: Replica, *, unreachable: bool, wait_s: float | None) -> bool:
        """It did not; returns whether that put it to rest.

        Args:
            replica: the server.
            unreachable: whether it gave no answer at all.
            wait_s: how long it asks to be left alone, if it does.
        """
        replica.failures += 1
        now = time.monotonic()
        was_awake = replica.resting_until <= now
        rest = wait_s or 0.0
        # The only server need not rest: each of its requests waits for itself.
        if len(self.all) > 1 and was_awake and (unreachable or replica.failures >= ODD_FAILURES):
            rest = max(rest, backoff(self.first_s, replica.failures))
        replica.resting_until = max(replica.resting_until, now + rest)
        return was_awake and rest > 0


def backoff(first_s: float, failures: int) -> float:
    """How long to wait after this many failures in a row, in seconds: exponential, with full jitter, so that those who
    failed together do not come back together (Brooker, "Exponential Backoff And Jitter", 2015)."""
    return random.uniform(0, min(LONGEST_S, first_s * 2 ** min(failures, 32)))  # noqa: S311 - no secret


def retry_after(value: str | None) -> float | None:
    """Seconds that a Retry-After header asks for: a number of them, or a date (RFC 9110, 10.2.3); None where it says
    nothing that can be read."""
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
