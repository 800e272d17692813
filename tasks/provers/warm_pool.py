"""The warm processes of a session: as many in use at once as there are workers, and idle ones kept for later proofs."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from sandboxes import SandboxUnavailableError
from tasks.provers import Attempt, ProverFailedError
from tasks.records import Verdict

TRIES = 3
"""How many processes are asked about one proof, should each be lost."""

BLAMED_WHEN_FRESH = {Verdict.MEMORY_LIMIT, Verdict.ERROR}
"""Verdicts with which a process ends, and that may be the doing of earlier proofs."""


class ProcessLostError(RuntimeError):
    """The process has ended or does not answer as it should; nothing is known of the proof.

    Args:
        cause: what happened.
        blame: what is to be said of the proof if fresh processes do the same on it; empty if it is not to blame.
    """

    def __init__(self, cause: str, blame: str = "") -> None:
        super().__init__(cause)
        self.blame = blame


class WarmProcess(Protocol):
    """A process that runs one proof after another."""

    usable: bool
    """Whether it can run another proof."""

    proofs: int
    """How many it has run."""

    def close(self) -> None:
        """End it."""
        ...


AnyProcess = TypeVar("AnyProcess", bound=WarmProcess)
T = TypeVar("T")


class WarmPool(Generic[AnyProcess]):
    """The processes of one session. May be used from many threads at once.

    Args:
        workers: how many processes are in use at once, by those who hold `free`.
        proofs_per_process: how many proofs a process runs before a fresh one takes its place.
        lost: what a message about a lost process begins with.
    """

    def __init__(self, workers: int, proofs_per_process: int, lost: str = "") -> None:
        self.free = threading.Semaphore(workers)
        self.idle: list[AnyProcess] = []
        self._workers, self._most, self._lost = workers, proofs_per_process, lost
        self._choosing = threading.Lock()

    def ask(
        self,
        choose: Callable[[Sequence[AnyProcess]], AnyProcess | None],
        start: Callable[[], AnyProcess],
        use: Callable[[AnyProcess], T],
    ) -> T:
        """What a process says. One that was lost, or failed after other proofs, says nothing: a fresh one is asked.

        Args:
            choose: the idle process that fits, if one does.
            start: a fresh process.
            use: asks it.

        Raises:
            ProverFailedError: no process could be kept.
        """
        fault = "no process of the prover could be kept"
        for tries in range(TRIES):
            try:
                with self.process(choose, start, fresh=tries > 0) as process:
                    said = use(process)
                    blamed = isinstance(said, Attempt) and said.verdict in BLAMED_WHEN_FRESH
                    if not process.usable and process.proofs > 1 and blamed:
                        continue
                    return said
            except (ProcessLostError, SandboxUnavailableError) as error:
                fault = f"{self._lost}{error}"
        raise ProverFailedError(fault)

    @contextmanager
    def process(
        self,
        choose: Callable[[Sequence[AnyProcess]], AnyProcess | None],
        start: Callable[[], AnyProcess],
        *,
        fresh: bool,
    ) -> Iterator[AnyProcess]:
        """The idle process that is chosen, or a fresh one. It is kept afterwards if it can run another proof."""
        with self._choosing:
            found = None if fresh else choose(self.idle)
            if found is not None:
                self.idle.remove(found)
        process = found or start()
        try:
            yield process
        except BaseException:
            process.close()
            raise
        if not process.usable or process.proofs >= self._most:
            process.close()
            return
        with self._choosing:
            self.idle.append(process)
            surplus = [self.idle.pop(0)] if len(self.idle) > self._workers else []
        for each in surplus:
            each.close()

    def close(self) -> None:
        """End the idle processes; a later proof starts new ones."""
        with self._choosing:
            idle, self.idle = self.idle, []
        for each in idle:
            each.close()
