"""Watches an engine that runs in a separate process, and restarts it if it dies, hangs or returns malformed data.

Each index of a request is yielded exactly once. What a process has not delivered when it ends is requested from the
next one, which all concurrent calls of `sample` share. A process is replaced when it is

- dead: it ended by itself;
- hung: a call waits for samples, and there was no new token for `stall_timeout_s` seconds;
- broken: it returned a sample that was not requested, or one with impossible numbers.

The next one starts after 1, 2, 4, … up to 60 seconds. After more than `max_restarts` failures in a row without a sample
between them, the engine has failed for good.
"""

import math
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from tasks.errors import EngineFailedError, SamplingCancelledError
from tasks.progress import progress
from tasks.records import Request, Sample, Sampling

POLL_S = 0.5
MAX_RESTART_DELAY_S = 60.0


class EngineProcessError(RuntimeError):
    """An engine's process has ended or must be ended; the message gives the cause in one line."""


class Heartbeat(NamedTuple):
    """Whether a call waits for samples of a process, and a number that changes whenever the process makes progress."""

    busy: bool
    number: int


class EngineProcess(Protocol):
    """One process that draws samples, from its start to its end."""

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """See `Engine.sample`. Several calls may run at once.

        Raises:
            UserError: something that only the user can fix.
            EngineProcessError: the process ended, or returned malformed data.
        """
        ...

    def heartbeat(self) -> Heartbeat | None:
        """The process's progress; None if it does not answer."""
        ...

    def exit_reason(self) -> str | None:
        """Why the process ended, in one line; None while it runs."""
        ...

    def end(self, cause: str) -> None:
        """End the process and all calls of `sample`, which raise EngineProcessError with this cause. Calling it again
        does nothing."""
        ...


Start = Callable[[threading.Event], EngineProcess]
"""Starts a process and waits until it is ready. Raises UserError if only the user can fix what is wrong,
SamplingCancelledError once the event is set, and EngineProcessError otherwise."""


class SupervisedEngine:
    """An engine that draws from a process, and replaces the process when it fails.

    Args:
        start: starts a process.
        what: what the process is, for messages, such as `vLLM`.
        log: its log file, for messages.
        version: see `Engine`.
        deterministic: see `Engine`.
        max_concurrent_calls: see `Engine`.
        stall_timeout_s: seconds without progress after which a process is considered hung.
        max_restarts: how many restarts may fail in a row.

    Raises:
        UserError: the first process does not start, for a reason that the user can fix.
        EngineFailedError: it repeatedly fails to start.
    """

    def __init__(
        self,
        start: Start,
        *,
        what: str,
        log: Path,
        version: str,
        deterministic: bool,
        max_concurrent_calls: int,
        stall_timeout_s: float,
        max_restarts: int,
    ) -> None:
        self.version = version
        self.deterministic = deterministic
        self.max_concurrent_calls = max_concurrent_calls
        self._start = start
        self._what = what
        self._log = log
        self._stall_timeout_s = stall_timeout_s
        self._max_restarts = max_restarts
        self._cancelled = threading.Event()
        self._closed = threading.Event()
        self._changing = threading.Lock()
        self._failures = 0
        self._produced_samples: set[EngineProcess] = set()
        """The current process, once it has produced a sample. (A call may still read samples of an earlier process
        while a new one fails; they must not count as the new one's success.)"""
        self._cause = ""
        self._failed: EngineFailedError | None = None
        self._process: EngineProcess | None = None
        self._process = self._start_process()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """End the process and all calls."""
        self._closed.set()
        self._cancelled.set()
        with self._changing:
            if self._process is not None:
                self._process.end("the engine was closed")
                self._process = None

    def cancel(self) -> None:
        """End all calls of `sample` for good."""
        self._cancelled.set()
        process = self._process
        if process is not None:
            process.end("sampling was cancelled")

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """Yield every requested sample exactly once, even if processes fail.

        Raises:
            UserError: something that only the user can fix.
            EngineFailedError: more than `max_restarts` failures in a row.
            SamplingCancelledError: `cancel` was called, or the engine was closed.
        """
        missing = Missing(requests)
        while missing.count:
            process = self._running_process()
            try:
                with closing(process.sample(missing.requests(), sampling)) as drawing:
                    for samples in drawing:
                        missing.take(samples)
                        self._produced_samples.add(process)
                        yield samples
                if missing.count:
                    raise EngineProcessError(f"it reports that it is done, but {missing.count} samples are missing")  # noqa: TRY301
            except EngineProcessError as error:
                self._on_failure(process, str(error))

    def _running_process(self) -> EngineProcess:
        """The current process; starts one if there is none."""
        with self._changing:
            self._raise_if_cancelled()
            if self._failed is not None:
                raise self._failed
            if self._process is None:
                self._process = self._start_process()
                self._raise_if_cancelled()  # while it was starting
            return self._process

    def _start_process(self) -> EngineProcess:
        """Start a process, with retries."""
        while True:
            if self._failures:
                delay = min(2.0 ** (self._failures - 1), MAX_RESTART_DELAY_S)
                progress.get().say(f"{self._what} restarts in {delay:.0f} s: {self._cause}")
                self._cancelled.wait(delay)
            self._raise_if_cancelled()
            try:
                return self._start(self._cancelled)
            except EngineProcessError as error:
                self._count_failure(str(error))
                if self._failed is not None:
                    raise self._failed from error

    def _on_failure(self, process: EngineProcess, cause: str) -> None:
        """A call found that a process is dead or broken; the first call to find it ends the process."""
        with self._changing:
            self._raise_if_cancelled()
            if self._process is process:
                process.end(cause)
                self._process = None
                if process in self._produced_samples:
                    self._failures = 0
                self._produced_samples.clear()
                self._count_failure(cause)

    def _count_failure(self, cause: str) -> None:
        self._cause = cause
        self._failures += 1
        if self._failures > self._max_restarts:
            times = f"{self._failures} times in a row" if self._failures > 1 else "and engine.max_restarts is 0"
            self._failed = EngineFailedError(f"{self._what} failed {times}: {cause}; its log: {self._log}")

    def _raise_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise SamplingCancelledError("sampling was cancelled")

    def _watch(self) -> None:
        """End a process that hangs, and one that has exited without its calls noticing."""
        seen: tuple[EngineProcess, Heartbeat | None] | None = None
        stalled_s = 0.0
        while not self._closed.wait(POLL_S):
            process = self._process
            if process is None:
                continue
            if (cause := process.exit_reason()) is not None:
                process.end(cause)
                continue
            before = time.monotonic()
            heartbeat = process.heartbeat()
            answered_s = time.monotonic() - before
            idle = heartbeat is not None and not heartbeat.busy
            if idle or seen is None or seen[0] is not process or (heartbeat is not None and heartbeat != seen[1]):
                seen, stalled_s = (process, heartbeat), 0.0
                continue
            # Polls are counted instead of reading a clock, which runs on while both processes are stopped together (a
            # frozen container, Ctrl-Z).
            stalled_s += POLL_S + answered_s
            if stalled_s > self._stall_timeout_s:
                process.end(f"it hangs: no token for {self._stall_timeout_s:g} s (engine.stall_timeout_s)")


class Missing:
    """The samples of a call that have not arrived yet."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._requests = [request for request in requests if request.stop > request.start]
        self._missing: dict[str, set[int]] = {}
        for request in self._requests:
            self._missing.setdefault(request.problem_id, set()).update(range(request.start, request.stop))

    @property
    def count(self) -> int:
        """The number of missing samples."""
        return sum(map(len, self._missing.values()))

    def requests(self) -> list[Request]:
        """Requests for exactly the missing samples."""
        return [
            Request(request.problem_id, request.prompt, start, stop)
            for request in self._requests
            for start, stop in _runs(self._missing[request.problem_id], request.start, request.stop)
        ]

    def take(self, samples: Sequence[Sample]) -> None:
        """Remove samples that have arrived.

        Raises:
            EngineProcessError: one was not requested, is a duplicate, or is impossible; none is removed then.
        """
        arrived: set[tuple[str, int]] = set()
        for sample in samples:
            key = sample.problem_id, sample.index
            if sample.index not in self._missing.get(sample.problem_id, ()) or key in arrived:
                raise EngineProcessError(
                    f"malformed response: sample {sample.index} of {sample.problem_id!r} was not requested"
                )
            arrived.add(key)
            if (fault := _fault(sample)) is not None:
                raise EngineProcessError(
                    f"malformed response: sample {sample.index} of {sample.problem_id!r} has {fault}"
                )
        for problem_id, index in arrived:
            self._missing[problem_id].discard(index)


def _fault(sample: Sample) -> str | None:
    """What is impossible about a sample; values from another process may have any type."""
    if not isinstance(sample.text, str):
        return "no text"
    if sample.logprob is not None and not (math.isfinite(sample.logprob) and sample.logprob <= 1e-3):
        return f"a log-probability of {sample.logprob}"
    if sample.tokens is not None and sample.tokens < 0:
        return f"{sample.tokens} tokens"
    if sample.finish_reason not in {"stop", "length", None}:
        return f"the finish reason {sample.finish_reason!r}"
    return None


def _runs(missing: set[int], start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The maximal ranges [a, b) of missing indices in [start, stop)."""
    first: int | None = None
    for index in range(start, stop):
        if index in missing:
            first = index if first is None else first
        elif first is not None:
            yield first, index
            first = None
    if first is not None:
        yield first, stop
