"""Warm processes of Rocq, as many as there are workers, and the confirmation of what they accept."""

import atexit
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

from sandboxes import SandboxUnavailableError
from tasks.provers import Attempt, PlacedProof, ProverFailedError
from tasks.provers.coq.confirmation import Rules, confirm
from tasks.provers.coq.installation import Installation, installation
from tasks.provers.coq.warm import WarmLostError, WarmProcess
from tasks.provers.vernacular.placing import header_and_statement
from tasks.records import TheoremCheck, Verdict

T = TypeVar("T")

_TRIES = 3
_BLAMED_WHEN_FRESH = {Verdict.MEMORY_LIMIT, Verdict.ERROR}
"""Verdicts with which a process ends, and that may be the doing of earlier proofs."""


class RocqSession:
    """The processes of one machine with the same settings (`tasks.provers.ProverSession`).

    Args:
        workers: how many proofs run at once.
        cpu_s: CPU seconds that a proof may take.
        memory_mb: megabytes that a process may use, with what its header loads.
        proofs_per_process: how many proofs a process runs before a fresh one takes its place.
        axioms: those that a proof may rest on (`confirmation`); None: nothing is confirmed.
        tactic_cpu_s: CPU seconds that a sentence of a proof may take; None: only the proof as a whole is limited.
    """

    def __init__(
        self,
        *,
        workers: int,
        cpu_s: float,
        memory_mb: int,
        proofs_per_process: int,
        axioms: frozenset[str] | None = None,
        tactic_cpu_s: float | None = None,
    ) -> None:
        self.workers = workers
        self._cpu_s, self._memory_mb, self._most = cpu_s, memory_mb, proofs_per_process
        self._tactic_cpu_s = tactic_cpu_s
        self._rules = None if axioms is None else Rules(memory_mb, axioms)
        self._idle: list[WarmProcess] = []
        self._choosing = threading.Lock()
        self._free = threading.Semaphore(workers)

    def load(self, theorem: TheoremCheck) -> None:
        """See `tasks.provers.ProverSession.load`."""
        header, statement = header_and_statement(theorem)
        wanted = (*header, statement)
        with self._free:
            self._tried(wanted, lambda process: process.load(wanted))

    def propose(self, proof: PlacedProof, limit_s: float | None = None) -> Attempt:
        """See `tasks.provers.ProverSession.propose`."""
        with self._free:
            limits = (limit_s or self._cpu_s, self._tactic_cpu_s)
            return self._tried(proof.pieces, lambda process: process.prove(proof, *limits))

    def confirm(self, proof: PlacedProof, limit_s: float | None = None) -> Attempt | None:
        """See `tasks.provers.ProverSession.confirm`."""
        if self._rules is None:
            return None
        with self._free:
            try:
                return confirm(proof, self._installation, limit_s or self._cpu_s, self._rules)
            except SandboxUnavailableError as error:
                raise ProverFailedError(str(error)) from error

    def _tried(self, wanted: Sequence[str], use: Callable[[WarmProcess], T]) -> T:
        """What a warm process says. One that was lost, or was short of memory after other proofs, says nothing: a fresh
        process is asked."""
        fault = "no process of the prover could be kept"
        for tries in range(_TRIES):
            try:
                with self._process(wanted, fresh=tries > 0) as process:
                    said = use(process)
                    blamed = isinstance(said, Attempt) and said.verdict in _BLAMED_WHEN_FRESH
                    if not process.usable and process.proofs > 1 and blamed:
                        continue
                    return said
            except (WarmLostError, SandboxUnavailableError) as error:
                fault = str(error)
        raise ProverFailedError(fault)

    @contextmanager
    def _process(self, wanted: Sequence[str], *, fresh: bool) -> Iterator[WarmProcess]:
        """The idle process that has loaded most of these sentences, or a fresh one."""
        with self._choosing:
            best = None if fresh else max(self._idle, key=lambda each: each.in_common(wanted), default=None)
            if best is not None:
                self._idle.remove(best)
        process = best or WarmProcess(self._installation, self._memory_mb)
        try:
            yield process
        except BaseException:
            process.close()
            raise
        if not process.usable or process.proofs >= self._most:
            process.close()
            return
        with self._choosing:
            self._idle.append(process)
            surplus = [self._idle.pop(0)] if len(self._idle) > self.workers else []
        for each in surplus:
            each.close()

    @property
    def _installation(self) -> Installation:
        return installation()

    def close(self) -> None:
        """End the idle processes; a later proof starts new ones."""
        with self._choosing:
            idle, self._idle = self._idle, []
        for each in idle:
            each.close()


@cache
def shared_session(
    *,
    workers: int,
    cpu_s: float,
    memory_mb: int,
    proofs_per_process: int,
    axioms: frozenset[str] | None,
    tactic_cpu_s: float | None,
) -> RocqSession:
    """The one session of this process with these settings."""
    session = RocqSession(
        workers=workers,
        cpu_s=cpu_s,
        memory_mb=memory_mb,
        proofs_per_process=proofs_per_process,
        axioms=axioms,
        tactic_cpu_s=tactic_cpu_s,
    )
    atexit.register(session.close)
    return session
