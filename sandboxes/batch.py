"""Runs many programs in one sandbox, each on its tests in order, and yields their results as they finish.

Every job gets exactly one result. An execution that fails because of the sandbox is retried. If it still fails, the
result says so, and never blames the program. Duplicate programs of one group, with the same limits, run once and share
the result. Programs are duplicates if they differ only in line endings or in trailing whitespace, which no program can
observe. Nothing else is normalized, because a program can observe its line numbers and its names.

Memory does not grow with the number of jobs: both the cache of results and the number of jobs that are started ahead of
a slow one are limited.
"""

import hashlib
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Hashable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from queue import SimpleQueue
from typing import Generic, TypeVar

from sandboxes import Limits, Outcome, Sandbox, Status

Key = TypeVar("Key")

# The number of bytes that a result keeps of an output that failed its test. Outputs that passed are not kept.
KEPT_BYTES = 4096
# Size of the cache of results for later duplicates; the least recently used are dropped first.
CACHE_BYTES = 128 * 1024 * 1024
# Approximate size of an outcome without its streams.
_OUTCOME_BYTES = 300


@dataclass(frozen=True, slots=True)
class Job(Generic[Key]):
    """One program and the tests that it must pass.

    `accept(i, outcome)` decides, outside the sandbox, whether test i is passed; it is called from several threads.
    Jobs of one `group` must have the same tests: duplicate programs of a group run once (None: always run).
    """

    key: Key
    program: str
    stdins: Sequence[bytes]
    accept: Callable[[int, Outcome], bool]
    limits: Limits
    group: Hashable | None = None


@dataclass(frozen=True, slots=True)
class CheckedJob(Generic[Key]):
    """One program and the checker that runs with it (`Sandbox.run_checked`). Its result has two outcomes, the
    checker's and the program's, and no failed test: the caller interprets them."""

    key: Key
    program: str
    checker: str
    limits: Limits
    group: Hashable | None = None
    reusable_process: bool = False


@dataclass(frozen=True, slots=True)
class Result(Generic[Key]):
    """The result of one job: an outcome for each test that was run, in order, and which of them failed.

    `deduplicated` marks a result copied from a duplicate program: its `cpu_s` and `wall_s` are 0.
    """

    key: Key
    outcomes: tuple[Outcome, ...]
    failed: tuple[int, ...]
    cpu_s: float
    wall_s: float
    deduplicated: bool = False

    @property
    def passed(self) -> bool:
        """Whether every test was passed."""
        return not self.failed

    @property
    def infrastructure(self) -> Outcome | None:
        """The first infrastructure failure, if there is one. The result then says nothing about the program."""
        return next((outcome for outcome in self.outcomes if outcome.status is Status.INFRASTRUCTURE), None)


@dataclass
class Batch:
    """Runs jobs through a sandbox, as many concurrently as it has workers.

    Args:
        sandbox: an open sandbox.
        stop_early: skip a program's remaining tests once it has failed one.
        retries: how often an execution is retried after an infrastructure failure.
        pause_s: seconds before the first retry; each further pause is four times as long.
        window: how many jobs may be started, counted from the oldest one without a result. A caller that restores the
            order of the jobs holds at most this many results.
    """

    sandbox: Sandbox
    stop_early: bool = True
    retries: int = 2
    pause_s: float = 0.1
    window: int = 10_000
    executions: int = 0
    """Outcomes so far; attempts that were retried are not counted."""
    deduplicated: int = 0
    """Jobs so far whose result was copied from a duplicate program."""
    executions_saved: int = 0
    """Executions that these jobs would have needed."""

    def run(self, jobs: Iterable[Job[Key] | CheckedJob[Key]]) -> Generator[Result[Key], None, None]:
        """Yield one result for each job, in the order in which they finish. Jobs are taken as workers become free."""
        state: _RunState[Key] = _RunState()
        with ThreadPoolExecutor(self.sandbox.workers, thread_name_prefix="sandbox") as pool:
            try:
                for number, job in enumerate(jobs):
                    self._take(number, job, state, pool)
                    # One more job than there are workers, so that no worker is idle.
                    while state.ready or len(state.running) > self.sandbox.workers or state.width(number) > self.window:
                        if not state.ready:
                            self._collect(state)
                        while state.ready:
                            yield state.ready.popleft()
                while state.running:
                    self._collect(state)
                    while state.ready:
                        yield state.ready.popleft()
            finally:
                # Otherwise, leaving the pool would wait for the remaining tests of each program.
                state.given_up.set()
                for future in state.running:
                    future.cancel()

    def _take(
        self, number: int, job: Job[Key] | CheckedJob[Key], state: "_RunState[Key]", pool: ThreadPoolExecutor
    ) -> None:
        """Copy the result of a finished duplicate, queue the job behind a running duplicate, or start it."""
        identity = None if job.group is None else _identity(job)
        known = None if identity is None else state.cache.get(identity)
        if known is not None:
            state.ready.append(self._share(known, job.key))
            return
        state.open[number] = None
        if identity is not None and identity in state.waiting:
            state.waiting[identity].append((number, job.key))
            return
        if identity is not None:
            state.waiting[identity] = []
        future = pool.submit(self._work, job, state.given_up)
        state.running[future] = (number, identity)
        future.add_done_callback(state.ended.put)

    def _collect(self, state: "_RunState[Key]") -> None:
        """Wait for a job to finish; move its result, and those of waiting duplicates, to `ready`."""
        future = state.ended.get()
        number, identity = state.running.pop(future)
        result = future.result()
        self.executions += len(result.outcomes)
        state.ready.append(result)
        del state.open[number]
        if identity is not None:
            if not result.infrastructure:
                state.cache.put(identity, result)
            for waiting, key in state.waiting.pop(identity):
                state.ready.append(self._share(result, key))
                del state.open[waiting]

    def _share(self, result: Result[Key], key: Key) -> Result[Key]:
        self.deduplicated += 1
        self.executions_saved += len(result.outcomes)
        return replace(result, key=key, cpu_s=0.0, wall_s=0.0, deduplicated=True)

    def _work(self, job: Job[Key] | CheckedJob[Key], given_up: threading.Event) -> Result[Key]:
        if isinstance(job, CheckedJob):
            run = partial(self.sandbox.run_checked, reusable_process=job.reusable_process)
            outcomes = self._execute(partial(run, job.checker, job.program, job.limits), given_up)
            return _result(job.key, [_shortened(outcome) for outcome in outcomes], [])
        kept: list[Outcome] = []
        failed: list[int] = []
        for number, stdin in enumerate(job.stdins):
            (outcome,) = self._execute(partial(self._run, job, stdin), given_up)
            passed = outcome.status is not Status.INFRASTRUCTURE and job.accept(number, outcome)
            kept.append(replace(outcome, stdout=b"") if passed else _shortened(outcome))
            if not passed:
                failed.append(number)
                if self.stop_early:
                    break
            if given_up.is_set():
                break
        return _result(job.key, kept, failed)

    def _run(self, job: Job[Key], stdin: bytes) -> tuple[Outcome]:
        return (self.sandbox.run(job.program, stdin, job.limits),)

    def _execute(self, run: Callable[[], Sequence[Outcome]], given_up: threading.Event) -> Sequence[Outcome]:
        for attempt in range(self.retries + 1):
            outcomes = run()
            if all(outcome.status is not Status.INFRASTRUCTURE for outcome in outcomes):
                break
            if attempt < self.retries and given_up.wait(self.pause_s * 4**attempt):
                break
        return outcomes


@dataclass
class _ResultCache(Generic[Key]):
    """Results by the identity of their job; the least recently used are dropped when it is full."""

    results: OrderedDict[Hashable, Result[Key]] = field(default_factory=OrderedDict)
    held_bytes: int = 0

    def get(self, identity: Hashable) -> Result[Key] | None:
        result = self.results.get(identity)
        if result is not None:
            self.results.move_to_end(identity)
        return result

    def put(self, identity: Hashable, result: Result[Key]) -> None:
        self.results[identity] = result
        self.held_bytes += _size(result)
        while self.held_bytes > CACHE_BYTES:
            self.held_bytes -= _size(self.results.popitem(last=False)[1])


@dataclass
class _RunState(Generic[Key]):
    """The state of `Batch.run`.

    `running`: futures with the number and identity of their job; `ended`: those that have ended, in order; `waiting`:
    jobs that wait for a running duplicate; `open`: the numbers of jobs without a result, in order; `ready`: results
    that have not been yielded yet; `given_up`: set when the caller stops asking for results.
    """

    running: dict[Future[Result[Key]], tuple[int, Hashable | None]] = field(default_factory=dict)
    ended: SimpleQueue[Future[Result[Key]]] = field(default_factory=SimpleQueue)
    waiting: dict[Hashable, list[tuple[int, Key]]] = field(default_factory=dict)
    open: OrderedDict[int, None] = field(default_factory=OrderedDict)
    ready: deque[Result[Key]] = field(default_factory=deque)
    cache: _ResultCache[Key] = field(default_factory=_ResultCache)
    given_up: threading.Event = field(default_factory=threading.Event)

    def width(self, newest: int) -> int:
        """How many jobs were taken, counted from the oldest without a result."""
        return 1 + newest - next(iter(self.open)) if self.open else 0


def _identity(job: Job[Key] | CheckedJob[Key]) -> Hashable:
    program = hashlib.sha256(normalized(job.program).encode("utf-8", "surrogatepass")).digest()
    return type(job), job.group, program, job.limits


def normalized(text: str) -> str:
    """A program's text as it is when duplicates are looked for.

    The compiler reads CR LF as LF, even inside strings, and ignores trailing whitespace unless it follows a
    backslash. Whitespace of other kinds is an error to it.
    """
    text = text.replace("\r\n", "\n")
    stripped = text.rstrip(" \t\n\f")
    return text if stripped.endswith("\\") else stripped


def _size(result: Result[Key]) -> int:
    return _OUTCOME_BYTES + sum(
        _OUTCOME_BYTES + len(outcome.stdout) + len(outcome.stderr) for outcome in result.outcomes
    )


def _shortened(outcome: Outcome) -> Outcome:
    return replace(outcome, stdout=outcome.stdout[:KEPT_BYTES])


def _result(key: Key, outcomes: list[Outcome], failed: list[int]) -> Result[Key]:
    cpu_s, wall_s = sum(outcome.cpu_s for outcome in outcomes), sum(outcome.wall_s for outcome in outcomes)
    return Result(key, tuple(outcomes), tuple(failed), cpu_s, wall_s)
