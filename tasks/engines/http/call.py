"""One call of `sample`: what of it is still to be asked for, and the way of its samples to the caller's thread.

All but `batches` belongs to the event loop. Nothing here grows with k: stretches are cut off as they are asked for, and
no more is asked for while the caller has not taken what came.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from tasks.progress import Progress
from tasks.records import Request, Sample, Sampling


@dataclass(frozen=True, slots=True)
class Part:
    """Samples [start, stop) of a request, to be asked for at once."""

    request: Request
    start: int
    stop: int
    one_at_a_time: bool = False
    """They go one a request."""
    refused: bool = False
    """A request for several of these was refused."""
    suspected_duplicate: str | None = None
    """The text that a reply gave for all of these alike."""

    def __len__(self) -> int:
        return self.stop - self.start


class Call:
    """What one caller still waits for."""

    def __init__(
        self, priority: int, requests: Sequence[Request], sampling: Sampling, listener: Progress, ignored: int
    ) -> None:
        self.priority = priority
        self.sampling = sampling
        self.listener = listener
        self._task: asyncio.Task[None] | None = None
        self._missing = deque(Part(request, request.start, request.stop) for request in requests)
        self._asked = 0
        self._unread = 0
        self._max_unread = ignored
        self._changed = asyncio.Event()
        self._inbox: SimpleQueue[list[Sample] | _End] = SimpleQueue()

    @property
    def greedy(self) -> bool:
        """Whether all samples of a request are the same, and one is asked for. Servers refuse more."""
        return self.sampling.temperature == 0

    def begin(self, task: asyncio.Task[None]) -> None:
        """The task that works for this call."""
        self._task = task

    def give_up(self) -> None:
        """End the task, and with it the requests in flight."""
        if self._task is not None:
            self._task.cancel()

    async def ended(self) -> None:
        """Wait until the task has."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def next(self, most: int) -> Part | None:
        """The next samples to ask for, at most this many; waits while more may come back; None when all have come."""
        while True:
            if self._missing and self._unread < self._max_unread:
                self._asked += 1
                return self._cut(most)
            if not self._missing and not self._asked:
                return None
            self._changed.clear()
            await self._changed.wait()

    def _cut(self, most: int) -> Part:
        part = self._missing.popleft()
        end = part.stop if self.greedy else min(part.stop, part.start + (1 if part.one_at_a_time else most))
        if end < part.stop:
            self._missing.appendleft(replace(part, start=end))
        return replace(part, stop=end)

    def give_back(self, part: Part) -> None:
        """These did not come, and are to be asked for again."""
        self._missing.append(part)

    def done(self, samples: list[Sample]) -> None:
        """What came of a part; the rest was given back before."""
        self._asked -= 1
        if samples:
            self._unread += 1
            self._inbox.put(samples)
        if self._missing or not self._asked:
            self._changed.set()

    def end(self, error: BaseException | None) -> None:
        """Nothing more will come."""
        self._inbox.put(_End(error))

    def batches(self) -> Iterator[list[Sample]]:
        """What comes, as it comes; in the caller's thread.

        Raises:
            BaseException: what ended the call, after all that had come.
        """
        while True:
            arrived = [self._inbox.get()]
            with suppress(Empty):
                while True:
                    arrived.append(self._inbox.get_nowait())
            batches = [each for each in arrived if not isinstance(each, _End)]
            if batches:
                self._tell(len(batches))
                yield [sample for batch in batches for sample in batch]
            if isinstance(arrived[-1], _End):
                if arrived[-1].error is not None:
                    raise arrived[-1].error
                return

    def _tell(self, taken: int) -> None:
        # The loop is closed where the engine ended meanwhile, and then asks for nothing more.
        if self._task is not None:
            with suppress(RuntimeError):
                self._task.get_loop().call_soon_threadsafe(self._taken, taken)

    def _taken(self, batches: int) -> None:
        self._unread -= batches
        if self._missing:
            self._changed.set()


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


def cause_of(error: BaseException | None) -> BaseException | None:
    """What ended a group of tasks: the first of their errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
