"""Rocq (Coq): proofs by tactics, between `Proof.` and `Qed.`"""

import os
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from sandboxes.config import Config
from tasks.provers import UNCONFIRMED, PlacedProof, Probe, UnplaceableError
from tasks.provers.coq.confirmation import AXIOMS
from tasks.provers.coq.installation import installation
from tasks.provers.coq.session import RocqSession, shared_session
from tasks.provers.settings import CpuLimit, Workers, require_bubblewrap
from tasks.provers.vernacular.placing import header_and_statement, place
from tasks.records import TheoremCheck


class RocqProver(Config):
    """Rocq, the prover formerly called Coq: warm processes confined by bubblewrap."""

    operational: ClassVar[frozenset[str]] = frozenset({"workers", "proofs_per_process"})
    name: Literal["rocq"] = "rocq"
    workers: Workers = None
    time_limit_s: CpuLimit = 30.0
    tactic_time_limit_s: float | None = Field(
        None,
        gt=0,
        le=86_400,
        description="CPU seconds for each sentence of a proof, in addition; 10 as in the paper, empty: no such limit.",
    )
    memory_limit_mb: int = Field(
        2048, ge=256, description="Megabytes of memory that a process of the prover may use, with what headers load."
    )
    proofs_per_process: int = Field(
        1000, ge=1, description="Proofs that a warm process runs before a fresh one takes its place."
    )

    confirm: bool = Field(
        True,
        description="Compile every accepted proof again in fresh processes, compare what it proves with the statement,"
        " list its axioms, and replay it with coqchk; without this, correct proofs are marked as not confirmed",
    )
    axioms: Literal["standard", "none"] = Field(
        "standard",
        description="Axioms that a proof may rest on: those of the standard library's real numbers and classical logic,"
        " or none at all",
    )

    @property
    def probe(self) -> Probe:
        """See `tasks.provers.Prover.probe`."""
        theorem = TheoremCheck("rocq", "", "probe", "Theorem probe : forall n : nat, n + 0 = n.")
        return Probe(theorem, right="induction n; simpl; congruence.", wrong="reflexivity.")

    def check(self) -> None:
        """See `tasks.provers.Prover.check`."""
        installation()
        require_bubblewrap(self.name)

    def check_theorem(self, theorem: TheoremCheck) -> None:
        """See `tasks.provers.Prover.check_theorem`."""
        if theorem.system != self.name:
            raise UnplaceableError(f"its statement is for {theorem.system}, not for {self.name}")
        header_and_statement(theorem)

    def ingredients(self) -> Mapping[str, Any]:
        """See `tasks.provers.Prover.ingredients`."""
        found = installation()
        mark = {} if self.confirm else {UNCONFIRMED: True}
        return {"rocq": found.version, "checker": found.checker is not None and self.confirm, **mark}

    def description(self) -> str:
        """See `tasks.provers.Prover.description`."""
        found = installation()
        return f"{found.version}, independent checker {'coqchk' if found.checker else 'none'}"

    def place(self, text: str, theorem: TheoremCheck) -> PlacedProof:
        """See `tasks.provers.Prover.place`."""
        return place(text, theorem)

    def session(self) -> RocqSession:
        """See `tasks.provers.Prover.session`."""
        return shared_session(
            workers=self.workers or len(os.sched_getaffinity(0)),
            cpu_s=self.time_limit_s,
            memory_mb=self.memory_limit_mb,
            proofs_per_process=self.proofs_per_process,
            axioms=AXIOMS[self.axioms] if self.confirm else None,
            tactic_cpu_s=self.tactic_time_limit_s,
        )
