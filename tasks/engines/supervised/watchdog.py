"""An engine that runs in a separate process, watched: what dies, hangs or returns malformed data is restarted.

Each index of a request is yielded exactly once. What a process has not delivered when it ends is asked of the next
one; all calls of `sample` that run at the same time share that one. A process is given up for

- dead: it ended by itself;
- hung: samples are wanted of it, and for `stall_timeout_s` seconds it has not got one token further;
- broken: a sample that nobody asked for, or whose numbers are not finite.

It is restarted after 1, 2, 4, … up to 60 seconds. After more than `max_restarts` failures in a row without one sample
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

LOOK_EVERY_S = 0.5
LONGEST_WAIT_S = 60.0


class EngineProcessError(RuntimeError):
    """A process that draws has ended, or must be; one line with the cause."""


class Heartbeat(NamedTuple):
    """Whether samples are wanted of a process, and a number that changes whenever it gets further."""

    busy: bool
    number: int


class EngineProcess(Protocol):
    """One process that draws, from its start to its end."""

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """As an engine does; raises EngineProcessError if the process ends. Several calls may run at once."""
        ...

    def heartbeat(self) -> Heartbeat | None:
        """Where it stands; None where it does not even answer that."""
        ...

    def exit_reason(self) -> str | None:
        """What the process died of, in one line; None while it runs."""
        ...

    def end(self, cause: str) -> None:
        """End the process and all calls of `sample`, with this cause as an EngineProcessError. Calling it again does
        nothing."""
        ...


Start = Callable[[threading.Event], EngineProcess]
"""Starts a process and waits until it can draw, or gives up when the event is set. Raises UserError where only the
user can fix what is wrong, EngineProcessError otherwise, and SamplingCancelledError."""


class SupervisedEngine:
    """An engine made of processes, one after another."""

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
        self._given_up = threading.Event()
        self._closed = threading.Event()
        self._changing = threading.Lock()
        self._failures = 0
        self._produced_samples: set[EngineProcess] = set()
        """The process that draws, once it has given a sample. (Calls that still read what an earlier one gave, while a
        new one fails, must not pass for its success.)"""
        self._cause = ""
        self._failed: EngineFailedError | None = None
        self._process: EngineProcess | None = None
        self._process = self._begin()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """End the process."""
        self._closed.set()
        self._given_up.set()
        with self._changing:
            if self._process is not None:
                self._process.end("the engine was closed")
                self._process = None

    def cancel(self) -> None:
        """End all calls of `sample` for good."""
        self._given_up.set()
        process = self._process
        if process is not None:
            process.end("sampling was given up")

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """Yield every requested sample, each once, whatever happens to the process meanwhile.

        Raises:
            UserError: something that only the user can fix.
            EngineFailedError: more than `max_restarts` failures in a row.
            SamplingCancelledError: `cancel` was called.
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
                    raise EngineProcessError(f"it says that it is done, and {missing.count} samples are missing")  # noqa: TRY301
            except EngineProcessError as error:
                self._on_failure(process, str(error))

    def _running_process(self) -> EngineProcess:
        """The process that draws; a new one where there is none."""
        with self._changing:
            self._stop_if_given_up()
            if self._failed is not None:
                raise self._failed
            if self._process is None:
                self._process = self._begin()
                self._stop_if_given_up()  # perhaps just then
            return self._process

    def _begin(self) -> EngineProcess:
        """Start a process, again and again if need be."""
        while True:
            if self._failures:
                delay = min(2.0 ** (self._failures - 1), LONGEST_WAIT_S)
                progress.get().say(f"{self._what} starts again in {delay:.0f} s: {self._cause}")
                self._given_up.wait(delay)
            self._stop_if_given_up()
            try:
                return self._start(self._given_up)
            except EngineProcessError as error:
                self._count(str(error))
                if self._failed is not None:
                    raise self._failed from error

    def _on_failure(self, process: EngineProcess, cause: str) -> None:
        """A call has found this process dead or broken; the first to do so ends it."""
        with self._changing:
            self._stop_if_given_up()
            if self._process is process:
                process.end(cause)
                self._process = None
                if process in self._produced_samples:
                    self._failures = 0
                self._produced_samples.clear()
                self._count(cause)

    def _count(self, cause: str) -> None:
        self._cause = cause
        self._failures += 1
        if self._failures > self._max_restarts:
            times = f"{self._failures} times in a row" if self._failures > 1 else "and may not be started again"
            self._failed = EngineFailedError(f"{self._what} failed {times}: {cause}; its log: {self._log}")

    def _stop_if_given_up(self) -> None:
        if self._given_up.is_set():
            raise SamplingCancelledError("sampling was given up")

    def _watch(self) -> None:
        """End a process that hangs, or of which only the calls' other ends are left."""
        seen: tuple[EngineProcess, Heartbeat | None] | None = None
        stalled_s = 0.0
        while not self._closed.wait(LOOK_EVERY_S):
            process = self._process
            if process is None:
                continue
            if (cause := process.exit_reason()) is not None:
                process.end(cause)
                continue
            asked = time.monotonic()
            heartbeat = process.heartbeat()
            answered_s = time.monotonic() - asked
            idle = heartbeat is not None and not heartbeat.busy
            if idle or seen is None or seen[0] is not process or (heartbeat is not None and heartbeat != seen[1]):
                seen, stalled_s = (process, heartbeat), 0.0
                continue
            # The looks are counted, and no clock is asked: where this process and that one stood still together (a
            # frozen container, Ctrl-Z), the clock went on.
            stalled_s += LOOK_EVERY_S + answered_s
            if stalled_s > self._stall_timeout_s:
                process.end(f"it hangs: no token for {self._stall_timeout_s:g} s (engine.stall_timeout_s)")


class Missing:
    """The samples of a call that have not come yet."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._requests = [request for request in requests if request.stop > request.start]
        self._missing: dict[str, set[int]] = {}
        for request in self._requests:
            self._missing.setdefault(request.problem_id, set()).update(range(request.start, request.stop))

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(map(len, self._missing.values()))

    def requests(self) -> list[Request]:
        """Requests for exactly these."""
        return [
            Request(request.problem_id, request.prompt, start, stop)
            for request in self._requests
            for start, stop in _runs(self._missing[request.problem_id], request.start, request.stop)
        ]

    def take(self, samples: Sequence[Sample]) -> None:
        """These have come.

        Raises:
            EngineProcessError: one was not requested, came before, or has numbers that are not finite; none is taken.
        """
        came: set[tuple[str, int]] = set()
        for sample in samples:
            key = sample.problem_id, sample.index
            if sample.index not in self._missing.get(sample.problem_id, ()) or key in came:
                raise EngineProcessError(
                    f"malformed response: sample {sample.index} of {sample.problem_id!r} was not requested"
                )
            came.add(key)
            if (wrong := _wrong(sample)) is not None:
                raise EngineProcessError(
                    f"malformed response: sample {sample.index} of {sample.problem_id!r} has {wrong}"
                )
        for problem_id, index in came:
            self._missing[problem_id].discard(index)


def _wrong(sample: Sample) -> str | None:
    """What cannot be true of a sample; what comes over a wire may be of any type."""
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
    """The stretches [a, b) of [start, stop) that are missing."""
    first: int | None = None
    for index in range(start, stop):
        if index in missing:
            first = index if first is None else first
        elif first is not None:
            yield first, index
            first = None
    if first is not None:
        yield first, stop
