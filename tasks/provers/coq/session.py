"""Warm processes of Rocq, as many as there are workers, and the confirmation of what they accept."""

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sandboxes import SandboxUnavailableError
from tasks.provers import Attempt, PlacedProof
from tasks.provers.coq.installation import Installation, installation
from tasks.provers.coq.warm import TheoremFaultError, WarmLostError, WarmProcess
from tasks.records import Verdict

_TRIES = 3


class RocqSession:
    """The processes of one machine with the same settings (`tasks.provers.ProverSession`).

    Args:
        workers: how many proofs run at once.
        cpu_s: CPU seconds that a proof may take.
        memory_mb: megabytes that a process may use, with what its header loads.
        proofs_per_process: how many proofs a process runs before a fresh one takes its place.
    """

    def __init__(self, *, workers: int, cpu_s: float, memory_mb: int, proofs_per_process: int) -> None:
        self.workers = workers
        self._cpu_s, self._memory_mb, self._most = cpu_s, memory_mb, proofs_per_process
        self._idle: list[WarmProcess] = []
        self._choosing = threading.Lock()
        self._free = threading.Semaphore(workers)

    def prove(self, proof: PlacedProof, cpu_s: float | None = None) -> Attempt:
        """See `tasks.provers.ProverSession.prove`."""
        allowed_s = cpu_s or self._cpu_s
        with self._free:
            return self._propose(proof, allowed_s)

    def _propose(self, proof: PlacedProof, cpu_s: float) -> Attempt:
        """What a warm process says. One that was lost, or was short of memory after other proofs, says nothing: a fresh
        process is asked."""
        fault = ""
        for attempt in range(_TRIES):
            try:
                with self._process(proof, fresh=attempt > 0) as process:
                    attempted = process.prove(proof, cpu_s)
                    if attempted.verdict is Verdict.MEMORY_LIMIT and process.proofs > 1:
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
def shared_session(*, workers: int, cpu_s: float, memory_mb: int, proofs_per_process: int) -> RocqSession:
    """The one session of this process with these settings."""
    session = RocqSession(workers=workers, cpu_s=cpu_s, memory_mb=memory_mb, proofs_per_process=proofs_per_process)
    atexit.register(session.close)
    return session
