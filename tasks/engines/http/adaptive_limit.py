"""How many requests are in flight: as many as the servers can take.

Additive increase, multiplicative decrease, as in TCP (Jacobson, 1988): a refusal halves the limit, and a full limit's
worth of successes raises it by one. A request that was sent before a cut says nothing about the limit after it, so
when several fail together, only the first one cuts.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


class AdaptiveLimit:
    """A semaphore whose limit adapts, up to `maximum`. Waiters are served by priority, lowest number first, then in
    order.

    Belongs to one event loop.
    """

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self.limit = float(maximum)
        self.held = 0
        self._cuts = 0
        self._order = count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def slot(self, priority: int) -> AsyncIterator[int]:
        """Hold a slot; yields the value that `refused` takes as `sent`."""
        if self._full or self._waiting:
            turn = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (priority, next(self._order), turn))
            self._let_in()
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._leave()
                raise
        else:
            self.held += 1
        try:
            yield self._cuts
        finally:
            self._leave()

    def succeeded(self) -> None:
        """A request was answered: raise the limit a little."""
        self.limit = min(self.maximum, self.limit + 1 / self.limit)
        self._let_in_soon()

    def refused(self, sent: int) -> bool:
        """A server was overloaded: cut the limit; returns whether it was cut.

        Args:
            sent: what `slot` yielded for the request.
        """
        if sent != self._cuts or self.limit <= 1:
            return False
        self._cuts += 1
        self.limit = max(1.0, self.limit / 2)
        return True

    @property
    def _full(self) -> bool:
        return self.held >= int(self.limit)

    def _leave(self) -> None:
        self.held -= 1
        self._let_in_soon()

    def _let_in_soon(self) -> None:
        # A holder that leaves may ask for another slot at once; later, it is among the waiters.
        asyncio.get_running_loop().call_soon(self._let_in)

    def _let_in(self) -> None:
        while self._waiting and not self._full:
            turn = heapq.heappop(self._waiting)[-1]
            if not turn.done():
                self.held += 1
                turn.set_result(None)
