"""Lean 4: proofs by tactics, after `:= by`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from sandboxes.config import Config
from tasks.provers import UNCONFIRMED, PlacedProof, Probe
from tasks.provers.lean4.axioms import AXIOMS, AllowedAxioms
from tasks.provers.lean4.confirmation import Confirm, Rules, check_theorem
from tasks.provers.lean4.installation import Checker, Installation, checked_by, installation
from tasks.provers.lean4.placing import place
from tasks.provers.lean4.session import LeanSession, shared_session
from tasks.provers.settings import CpuLimit, Workers, require_bubblewrap
from tasks.records import TheoremCheck


class LeanProver(Config):
    """Lean 4 on this machine: warm processes of its language server, confined by bubblewrap."""

    operational: ClassVar[frozenset[str]] = frozenset(
        {"program", "project", "checker", "workers", "proofs_per_process"}
    )
    name: Literal["lean"] = "lean"
    program: str = Field("lean", description="The name or the path of `lean`, or of elan's")
    project: Path | None = Field(
        None,
        description="A folder with a Lake project that is built, such as one with Mathlib, or with compiled files"
        " (.olean): what headers may import beyond Lean's own library",
    )
    workers: Workers = None
    time_limit_s: CpuLimit = 60.0
    memory_limit_mb: int = Field(
        8192, ge=256, description="Megabytes of memory that a process of Lean may use, with what headers load."
    )
    proofs_per_process: int = Field(
        1000, ge=1, description="Proofs that a warm process runs before a fresh one takes its place."
    )

    confirm: Confirm = True
    checker: Checker = None
    axioms: AllowedAxioms = "standard"

    @property
    def probe(self) -> Probe:
        """See `tasks.provers.Prover.probe`."""
        theorem = TheoremCheck("lean", "", "probe", "theorem probe (p q : Prop) : p ∧ q → q ∧ p := by")
        return Probe(theorem, right="intro h\nexact ⟨h.2, h.1⟩", wrong="intro h\nexact h")

    def check(self) -> None:
        """See `tasks.provers.Prover.check`."""
        self._installation()
        require_bubblewrap(self.name)

    def check_theorem(self, theorem: TheoremCheck) -> None:
        """See `tasks.provers.Prover.check_theorem`."""
        check_theorem(theorem)

    def ingredients(self) -> Mapping[str, Any]:
        """See `tasks.provers.Prover.ingredients`."""
        found = self._installation()
        mark = {} if self.confirm else {UNCONFIRMED: True}
        unsound = {} if found.is_sound else {"kernel with known faults": True}
        libraries = {"libraries": found.revision} if found.revision else {}
        checked = checked_by(found, self.checker) if self.confirm else False
        return {"lean": found.version, **libraries, "checker": checked, **unsound, **mark}

    def description(self) -> str:
        """See `tasks.provers.Prover.description`."""
        found = self._installation()
        fault = "" if found.is_sound else ", whose kernel is known to accept false proofs: use 4.32.2 or later"
        return f"{found.version}{fault}, independent checker {found.checker_name}"

    def place(self, text: str, theorem: TheoremCheck) -> PlacedProof:
        """See `tasks.provers.Prover.place`."""
        return place(text, theorem)

    def session(self) -> LeanSession:
        """See `tasks.provers.Prover.session`."""
        return shared_session(
            self._installation(),
            workers=self.workers or len(os.sched_getaffinity(0)),
            cpu_s=self.time_limit_s,
            proofs_per_process=self.proofs_per_process,
            rules=Rules(self.memory_limit_mb, AXIOMS[self.axioms]),
            confirms=self.confirm,
        )

    def _installation(self) -> Installation:
        return installation(self.program, self.project, self.checker)
