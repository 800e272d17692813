"""Warm processes of Lean, one header each and as many at once as there are workers, and the confirmation of what they
accept."""

import atexit
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from sandboxes import SandboxUnavailableError
from tasks.provers import Attempt, PlacedProof, ProverFailedError
from tasks.provers.lean4.confirmation import Rules, confirm
from tasks.provers.lean4.installation import Installation
from tasks.provers.lean4.placing import header_and_statement
from tasks.provers.lean4.worker import Worker
from tasks.provers.warm_pool import WarmPool
from tasks.records import TheoremCheck

T = TypeVar("T")


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
        self._lean, self._cpu_s = lean, cpu_s
        self._rules, self._confirms = rules, confirms
        self._pool = WarmPool[Worker](workers, proofs_per_process, lost="a process of Lean was lost: ")

    def load(self, theorem: TheoremCheck) -> None:
        """See `tasks.provers.ProverSession.load`."""
        header, statement = header_and_statement(theorem)
        with self._pool.free:
            self._ask(header, lambda worker: worker.load(statement))

    def propose(self, proof: PlacedProof, limit_s: float | None = None) -> Attempt:
        """See `tasks.provers.ProverSession.propose`."""
        with self._pool.free:
            return self._ask(
                proof.header[0], lambda worker: worker.prove(proof, limit_s or self._cpu_s, self._rules.axioms)
            )

    def confirm(self, proof: PlacedProof, limit_s: float | None = None) -> Attempt | None:
        """See `tasks.provers.ProverSession.confirm`."""
        if not self._confirms:
            return None
        with self._pool.free:
            try:
                return confirm(proof, self._lean, limit_s or self._cpu_s, self._rules)
            except SandboxUnavailableError as error:
                raise ProverFailedError(str(error)) from error

    def _ask(self, header: str, use: Callable[[Worker], T]) -> T:
        """What a process says: an idle one that has loaded this header, or a fresh one."""
        return self._pool.ask(
            lambda idle: next((each for each in idle if each.header == header), None),
            lambda: Worker(self._lean, header, self._rules.memory_mb),
            use,
        )

    def close(self) -> None:
        """End the idle processes; a later proof starts new ones."""
        self._pool.close()


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
