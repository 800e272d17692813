"""One call of `sample`: what has yet to be requested, and how its samples reach the caller's thread.

Everything except `batches` belongs to the event loop. Memory does not grow with k: parts are cut off one by one as they
are requested, and nothing is requested while too many replies wait for the caller.
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
    """Samples [start, stop) of a request, for one HTTP request."""

    request: Request
    start: int
    stop: int
    one_at_a_time: bool = False
    """Each is requested separately."""
    refused: bool = False
    """A request for several of these was refused."""
    suspected_duplicate: str | None = None
    """The text that all choices of a reply had in common, if these are drawn again to see whether `n` is honoured."""

    def __len__(self) -> int:
        return self.stop - self.start


class Call:
    """What one caller still waits for. `max_unread`: how many replies may wait to be read."""

    def __init__(
        self, priority: int, requests: Sequence[Request], sampling: Sampling, listener: Progress, max_unread: int
    ) -> None:
        self.priority = priority
        self.sampling = sampling
        self.listener = listener
        self._task: asyncio.Task[None] | None = None
        self._missing = deque(Part(request, request.start, request.stop) for request in requests)
        self._in_flight = 0
        self._unread = 0
        self._max_unread = max_unread
        self._changed = asyncio.Event()
        self._inbox: SimpleQueue[list[Sample] | _End] = SimpleQueue()

    @property
    def greedy(self) -> bool:
        """Whether temperature is 0: all samples of a request are equal, so one is requested. Servers refuse n > 1."""
        return self.sampling.temperature == 0

    def started(self, task: asyncio.Task[None]) -> None:
        """Keep the task that works on this call."""
        self._task = task

    def cancel(self) -> None:
        """Cancel the task, and with it the requests in flight."""
        if self._task is not None:
            self._task.cancel()

    async def wait_ended(self) -> None:
        """Wait until the task has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def next_part(self, max_samples: int) -> Part | None:
        """The next part to request, of at most `max_samples`; None once all samples have arrived.

        Waits while the caller has too much to read, or while parts in flight may still be put back.
        """
        while True:
            if self._missing and self._unread < self._max_unread:
                self._in_flight += 1
                return self._cut(max_samples)
            if not self._missing and not self._in_flight:
                return None
            self._changed.clear()
            await self._changed.wait()

    def _cut(self, max_samples: int) -> Part:
        part = self._missing.popleft()
        end = part.stop if self.greedy else min(part.stop, part.start + (1 if part.one_at_a_time else max_samples))
        if end < part.stop:
            self._missing.appendleft(replace(part, start=end))
        return replace(part, stop=end)

    def put_back(self, part: Part) -> None:
        """These did not arrive, and have to be requested again."""
        self._missing.append(part)

    def done(self, samples: list[Sample]) -> None:
        """Pass on what a part gave; samples that did not arrive must have been put back before."""
        self._in_flight -= 1
        if samples:
            self._unread += 1
            self._inbox.put(samples)
        if self._missing or not self._in_flight:
            self._changed.set()

    def end(self, error: BaseException | None) -> None:
        """Tell the caller that nothing more will arrive."""
        self._inbox.put(_End(error))

    def batches(self) -> Iterator[list[Sample]]:
        """Samples as they arrive; called in the caller's thread.

        Raises:
            BaseException: the error that ended the call, once all samples that arrived are yielded.
        """
        while True:
            arrived = [self._inbox.get()]
            with suppress(Empty):
                while True:
                    arrived.append(self._inbox.get_nowait())
            batches = [each for each in arrived if not isinstance(each, _End)]
            if batches:
                self._report_read(len(batches))
                yield [sample for batch in batches for sample in batch]
            if isinstance(arrived[-1], _End):
                if arrived[-1].error is not None:
                    raise arrived[-1].error
                return

    def _report_read(self, batches: int) -> None:
        # If the engine has been closed, so is the loop, and nothing more will be requested.
        if self._task is not None:
            with suppress(RuntimeError):
                self._task.get_loop().call_soon_threadsafe(self._on_read, batches)

    def _on_read(self, batches: int) -> None:
        self._unread -= batches
        if self._missing:
            self._changed.set()


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


def cause_of(error: BaseException | None) -> BaseException | None:
    """What ended a group of tasks: the first of its errors that is not itself a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
