"""Warm processes of Rocq, as many as there are workers, and the confirmation of what they accept."""

import atexit
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeVar

from sandboxes import SandboxUnavailableError
from tasks.provers import Attempt, PlacedProof, ProverFailedError
from tasks.provers.coq.confirmation import Rules, confirm
from tasks.provers.coq.installation import Installation, installation
from tasks.provers.coq.warm import WarmProcess
from tasks.provers.vernacular.placing import header_and_statement
from tasks.provers.warm_pool import WarmPool
from tasks.records import TheoremCheck

T = TypeVar("T")


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
        self._cpu_s, self._memory_mb = cpu_s, memory_mb
        self._tactic_cpu_s = tactic_cpu_s
        self._rules = None if axioms is None else Rules(memory_mb, axioms)
        self._pool = WarmPool[WarmProcess](workers, proofs_per_process)

    def load(self, theorem: TheoremCheck) -> None:
        """See `tasks.provers.ProverSession.load`."""
        header, statement = header_and_statement(theorem)
        wanted = (*header, statement)
        with self._pool.free:
            self._ask(wanted, lambda process: process.load(wanted))

    def propose(self, proof: PlacedProof, limit_s: float | None = None) -> Attempt:
        """See `tasks.provers.ProverSession.propose`."""
        with self._pool.free:
            limits = (limit_s or self._cpu_s, self._tactic_cpu_s)
            return self._ask(proof.pieces, lambda process: process.prove(proof, *limits))

    def confirm(self, proof: PlacedProof, limit_s: float | None = None) -> Attempt | None:
        """See `tasks.provers.ProverSession.confirm`."""
        if self._rules is None:
            return None
        with self._pool.free:
            try:
                return confirm(proof, self._installation, limit_s or self._cpu_s, self._rules)
            except SandboxUnavailableError as error:
                raise ProverFailedError(str(error)) from error

    def _ask(self, wanted: Sequence[str], use: Callable[[WarmProcess], T]) -> T:
        """What a process says: the idle one that has loaded most of these sentences, or a fresh one."""
        return self._pool.ask(
            lambda idle: max(idle, key=lambda each: each.in_common(wanted), default=None),
            lambda: WarmProcess(self._installation, self._memory_mb),
            use,
        )

    @property
    def _installation(self) -> Installation:
        return installation()

    def close(self) -> None:
        """End the idle processes; a later proof starts new ones."""
        self._pool.close()


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
