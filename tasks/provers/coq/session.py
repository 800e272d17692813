"""Warm processes of Rocq, as many as there are workers, and the confirmation of what they accept."""

import atexit
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sandboxes import SandboxUnavailableError
from tasks.provers import Attempt, PlacedProof
from tasks.provers.coq.confirmation import Rules, confirm
from tasks.provers.coq.installation import Installation, installation
from tasks.provers.coq.warm import TheoremFaultError, WarmLostError, WarmProcess
from tasks.records import Verdict

UNCONFIRMED = "not confirmed: only the warm process accepted it"
"""The detail of a correct proof where confirmation is off."""

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
    """

    def __init__(
        self,
        *,
        workers: int,
        cpu_s: float,
        memory_mb: int,
        proofs_per_process: int,
        axioms: frozenset[str] | None = None,
    ) -> None:
        self.workers = workers
        self._cpu_s, self._memory_mb, self._most = cpu_s, memory_mb, proofs_per_process
        self._rules = None if axioms is None else Rules(memory_mb, axioms)
        self._idle: list[WarmProcess] = []
        self._choosing = threading.Lock()
        self._free = threading.Semaphore(workers)

    def prove(self, proof: PlacedProof, cpu_s: float | None = None) -> Attempt:
        """See `tasks.provers.ProverSession.prove`."""
        allowed_s = cpu_s or self._cpu_s
        with self._free:
            proposed = self._propose(proof, allowed_s)
            if proposed.verdict is not Verdict.CORRECT:
                return proposed
            if self._rules is None:
                return proposed._replace(detail=UNCONFIRMED)
            started = time.monotonic()
            try:
                confirmed = confirm(proof, self._installation, allowed_s, self._rules)
            except SandboxUnavailableError as error:
                confirmed = Attempt(Verdict.INFRASTRUCTURE, str(error))
            wall_s = proposed.wall_s + time.monotonic() - started
            return confirmed._replace(cpu_s=proposed.cpu_s + confirmed.cpu_s, wall_s=wall_s)

    def _propose(self, proof: PlacedProof, cpu_s: float) -> Attempt:
        """What a warm process says. One that was lost, or was short of memory after other proofs, says nothing: a fresh
        process is asked."""
        fault = ""
        for attempt in range(_TRIES):
            try:
                with self._process(proof, fresh=attempt > 0) as process:
                    attempted = process.prove(proof, cpu_s)
                    if not process.usable and process.proofs > 1 and attempted.verdict in _BLAMED_WHEN_FRESH:
                        continue
                    return attempted
            except (WarmLostError, SandboxUnavailableError) as error:
                fault = str(error)
            except TheoremFaultError as error:
                return Attempt(Verdict.INFRASTRUCTURE, f"the theorem does not load: {error}")
        return Attempt(Verdict.INFRASTRUCTURE, fault or "no process of the prover could be kept")

    @contextmanager
    def _process(self, proof: PlacedProof, *, fresh: bool) -> Iterator[WarmProcess]:
        """The idle process that has loaded most of the theorem, or a fresh one."""
        with self._choosing:
            best = None if fresh else max(self._idle, key=lambda each: each.in_common(proof), default=None)
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
    *, workers: int, cpu_s: float, memory_mb: int, proofs_per_process: int, axioms: frozenset[str] | None
) -> RocqSession:
    """The one session of this process with these settings."""
    session = RocqSession(
        workers=workers, cpu_s=cpu_s, memory_mb=memory_mb, proofs_per_process=proofs_per_process, axioms=axioms
    )
    atexit.register(session.close)
    return session
