"""Processes with a `Dojo`, one header or statement each and as many at once as there are workers, and the confirmation
of what they accept."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from sandboxes import SandboxUnavailableError
from tasks.provers import Attempt, PlacedProof, ProverFailedError
from tasks.provers.dojo.installation import DojoInstallation
from tasks.provers.dojo.process import DojoProcess, Start
from tasks.provers.lean4.confirmation import Rules, confirm
from tasks.provers.lean4.installation import Installation
from tasks.provers.lean4.placing import header_and_statement
from tasks.provers.lean_repl.texts import header_text
from tasks.provers.warm_pool import TRIES, ProcessLostError, WarmPool
from tasks.records import TheoremCheck, Verdict

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """CPU seconds that a proof may take, and each of its tactics (None: the proof runs whole, as one command)."""

    proof_s: float
    tactic_s: float | None


class DojoSession:
    """The processes of one machine with the same settings (`tasks.provers.ProverSession`).

    Args:
        dojo: LeanDojo.
        lean: the programs of Lean.
        workers: how many proofs run at once.
        limits: what a proof may take.
        proofs_per_process: how many proofs a process runs before a fresh one takes its place.
        rules: what a proof may use.
        confirms: whether accepted proofs are confirmed.
    """

    def __init__(
        self,
        dojo: DojoInstallation,
        lean: Installation,
        *,
        workers: int,
        limits: Limits,
        proofs_per_process: int,
        rules: Rules,
        confirms: bool,
    ) -> None:
        self.workers = workers
        self._dojo, self._lean, self._limits = dojo, lean, limits
        self._rules, self._confirms = rules, confirms
        self._pool = WarmPool[DojoProcess](workers, proofs_per_process, lost="a process of LeanDojo was lost: ")

    def load(self, theorem: TheoremCheck) -> None:
        """See `tasks.provers.ProverSession.load`."""
        header, statement = header_and_statement(theorem)
        with self._pool.free:
            self._ask(self._start(header, theorem.name, statement), lambda process: process.load(statement))

    def propose(self, proof: PlacedProof, limit_s: float | None = None) -> Attempt:
        """See `tasks.provers.ProverSession.propose`."""
        blames: list[str] = []

        def prove(process: DojoProcess) -> Attempt:
            try:
                return process.prove(proof, limit_s or self._limits.proof_s, self._rules.axioms)
            except ProcessLostError as error:
                blames.append(error.blame)
                raise

        with self._pool.free:
            try:
                return self._ask(self._start(proof.header[0], proof.name, proof.statement), prove)
            except ProverFailedError:
                if len(blames) == TRIES and all(blames):
                    return Attempt(Verdict.ERROR, blames[-1])
                raise

    def confirm(self, proof: PlacedProof, limit_s: float | None = None) -> Attempt | None:
        """See `tasks.provers.ProverSession.confirm`."""
        if not self._confirms:
            return None
        # As in Dojo, a proof is bounded by time, and not by the number of heartbeats.
        header = f"{header_text(proof.header)}\n\nset_option maxHeartbeats 0"
        with self._pool.free:
            try:
                unbounded = replace(proof, header=(header,))
                return confirm(unbounded, self._lean, limit_s or self._limits.proof_s, self._rules)
            except SandboxUnavailableError as error:
                raise ProverFailedError(str(error)) from error

    def _start(self, header: str, name: str, statement: str) -> Start:
        return Start(header) if self._limits.tactic_s is None else Start(header, name, statement)

    def _ask(self, start: Start, use: Callable[[DojoProcess], T]) -> T:
        """What a process says: an idle one that starts there, or a fresh one."""
        return self._pool.ask(
            lambda idle: next((each for each in idle if each.start == start), None),
            lambda: DojoProcess(self._dojo, self._lean, start, self._rules.memory_mb, self._limits.tactic_s),
            use,
        )

    def close(self) -> None:
        """End the idle processes; a later proof starts new ones."""
        self._pool.close()
