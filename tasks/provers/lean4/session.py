"""Warm processes of Lean, one header each and as many at once as there are workers, and the confirmation of what they
accept."""

import atexit
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

from sandboxes import SandboxUnavailableError
from tasks.provers import Attempt, PlacedProof, ProverFailedError
from tasks.provers.lean4.confirmation import Rules, confirm
from tasks.provers.lean4.installation import Installation
from tasks.provers.lean4.placing import header_and_statement
from tasks.provers.lean4.worker import Worker, WorkerLostError
from tasks.records import TheoremCheck, Verdict

T = TypeVar("T")

_TRIES = 3
_BLAMED_WHEN_FRESH = {Verdict.MEMORY_LIMIT, Verdict.ERROR}
"""Verdicts with which a process ends, and that may be the doing of earlier proofs."""


class LeanSession:
    """The processes of one machine with the same settings (`tasks.provers.ProverSession`).

    Args:
        lean: the programs.
        workers: how many proofs run at once.
        cpu_s: CPU seconds that a proof may take.
        proofs_per_process: how many proofs a process runs before a fresh one takes its place.
        rules: what a proof may use.
        confirms: whether accepted proofs are confirmed.
    """

    def __init__(
        self, lean: Installation, *, workers: int, cpu_s: float, proofs_per_process: int, rules: Rules, confirms: bool
    ) -> None:
        self.workers = workers
        self._lean, self._cpu_s, self._most = lean, cpu_s, proofs_per_process
        self._rules, self._confirms = rules, confirms
        self._idle: list[Worker] = []
        self._choosing = threading.Lock()
        self._free = threading.Semaphore(workers)

    def load(self, theorem: TheoremCheck) -> None:
        """See `tasks.provers.ProverSession.load`."""
        header, statement = header_and_statement(theorem)
        with self._free:
            self._tried(header, lambda worker: worker.load(statement))

    def propose(self, proof: PlacedProof, limit_s: float | None = None) -> Attempt:
        """See `tasks.provers.ProverSession.propose`."""
        with self._free:
            return self._tried(
                proof.header[0], lambda worker: worker.prove(proof, limit_s or self._cpu_s, self._rules.axioms)
            )

    def confirm(self, proof: PlacedProof, limit_s: float | None = None) -> Attempt | None:
        """See `tasks.provers.ProverSession.confirm`."""
        if not self._confirms:
            return None
        with self._free:
            try:
                return confirm(proof, self._lean, limit_s or self._cpu_s, self._rules)
            except SandboxUnavailableError as error:
                raise ProverFailedError(str(error)) from error

    def _tried(self, header: str, use: Callable[[Worker], T]) -> T:
        """What a warm process says. One that was lost, or failed after other proofs, says nothing: a fresh process is
        asked."""
        fault = "no process of the prover could be kept"
        for tries in range(_TRIES):
            try:
                with self._worker(header, fresh=tries > 0) as worker:
                    said = use(worker)
                    blamed = isinstance(said, Attempt) and said.verdict in _BLAMED_WHEN_FRESH
                    if not worker.usable and worker.proofs > 1 and blamed:
                        continue
                    return said
            except (WorkerLostError, SandboxUnavailableError) as error:
                fault = f"a process of Lean was lost: {error}"
        raise ProverFailedError(fault)

    @contextmanager
    def _worker(self, header: str, *, fresh: bool) -> Iterator[Worker]:
        """An idle process that has loaded this header, or a fresh one."""
        with self._choosing:
            found = None if fresh else next((each for each in self._idle if each.header == header), None)
            if found is not None:
                self._idle.remove(found)
        worker = found or Worker(self._lean, header, self._rules.memory_mb)
        try:
            yield worker
        except BaseException:
            worker.close()
            raise
        if not worker.usable or worker.proofs >= self._most:
            worker.close()
            return
        with self._choosing:
            self._idle.append(worker)
            surplus = [self._idle.pop(0)] if len(self._idle) > self.workers else []
        for each in surplus:
            each.close()

    def close(self) -> None:
        """End the idle processes; a later proof starts new ones."""
        with self._choosing:
            idle, self._idle = self._idle, []
        for each in idle:
            each.close()


@cache
def shared_session(
    lean: Installation, *, workers: int, cpu_s: float, proofs_per_process: int, rules: Rules, confirms: bool
) -> LeanSession:
    """The one session of this process with these settings."""
    session = LeanSession(
        lean, workers=workers, cpu_s=cpu_s, proofs_per_process=proofs_per_process, rules=rules, confirms=confirms
    )
    atexit.register(session.close)
    return session
