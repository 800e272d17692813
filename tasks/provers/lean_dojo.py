"""Lean 4 through LeanDojo (lean-dojo on PyPI): confined processes, each with a `Dojo`."""

import atexit
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from sandboxes import SandboxUnavailableError
from sandboxes.config import Config
from tasks.errors import UserError
from tasks.provers import UNCONFIRMED, PlacedProof, Probe
from tasks.provers.dojo.installation import DojoInstallation, compiled_repl, dojo_installation
from tasks.provers.dojo.session import DojoSession, Limits
from tasks.provers.lean4.axioms import AXIOMS, AllowedAxioms
from tasks.provers.lean4.confirmation import Confirm, Rules, check_theorem
from tasks.provers.lean4.installation import Checker, Installation, checked_by, installation
from tasks.provers.lean4.placing import place
from tasks.provers.lean_repl.texts import PROBE, version_ingredients, version_text
from tasks.provers.settings import CpuLimit, Workers, require_bubblewrap
from tasks.records import TheoremCheck


class LeanDojoProver(Config):
    """Lean 4 through LeanDojo: warm processes with a `Dojo`, confined by bubblewrap."""

    operational: ClassVar[frozenset[str]] = frozenset(
        {"python", "program", "project", "checker", "workers", "proofs_per_process"}
    )
    name: Literal["lean_dojo"] = "lean_dojo"
    python: str = Field(
        ".venv-lean-dojo/bin/python",
        description="The Python of an environment with lean-dojo, such as the one of infra/lean_dojo_env.sh",
    )
    program: str = Field("lean", description="The name or the path of `lean`, or of elan's")
    project: Path | None = Field(
        None,
        description="A folder with a Lake project that is built, such as one with Mathlib, or with compiled files"
        " (.olean): what headers may import beyond Lean's own library. It need not be traced",
    )
    workers: Workers = None
    time_limit_s: CpuLimit = 60.0
    tactic_time_limit_s: float | None = Field(
        None,
        gt=0,
        le=86_400,
        description="Run proofs tactic by tactic, with CPU seconds for each in addition; 10 as in the paper, empty: a"
        " proof runs whole, as one command.",
    )
    memory_limit_mb: int = Field(
        8192,
        ge=256,
        description="Megabytes of memory that a process may use, with LeanDojo and what headers load.",
    )
    proofs_per_process: int = Field(
        200,
        ge=1,
        description="Proofs that a process runs before a fresh one takes its place: it keeps every state.",
    )
    confirm: Confirm = True
    checker: Checker = None
    axioms: AllowedAxioms = "standard"

    @property
    def probe(self) -> Probe:
        """See `tasks.provers.Prover.probe`."""
        return PROBE

    def check(self) -> None:
        """See `tasks.provers.Prover.check`."""
        dojo, lean = self._installations()
        require_bubblewrap(self.name)
        try:
            compiled_repl(dojo, lean)
        except SandboxUnavailableError as error:
            raise UserError(f"prover: lean_dojo does not run: {error}") from error

    def check_theorem(self, theorem: TheoremCheck) -> None:
        """See `tasks.provers.Prover.check_theorem`."""
        check_theorem(theorem)

    def ingredients(self) -> Mapping[str, Any]:
        """See `tasks.provers.Prover.ingredients`."""
        dojo, lean = self._installations()
        mark = {} if self.confirm else {UNCONFIRMED: True}
        libraries = {"libraries": lean.revision} if lean.revision else {}
        checked = checked_by(lean, self.checker) if self.confirm else False
        return {**version_ingredients(lean.version), "lean-dojo": dojo.version, **libraries, "checker": checked, **mark}

    def description(self) -> str:
        """See `tasks.provers.Prover.description`."""
        dojo, lean = self._installations()
        return f"lean-dojo {dojo.version}, {version_text(lean.version)}, independent checker {lean.checker_name}"

    def place(self, text: str, theorem: TheoremCheck) -> PlacedProof:
        """See `tasks.provers.Prover.place`."""
        return place(text, theorem)

    def session(self) -> DojoSession:
        """See `tasks.provers.Prover.session`."""
        dojo, lean = self._installations()
        return _session(self, dojo, lean)

    def _installations(self) -> tuple[DojoInstallation, Installation]:
        return dojo_installation(self.python), installation(self.program, self.project, self.checker)


@cache
def _session(prover: LeanDojoProver, dojo: DojoInstallation, lean: Installation) -> DojoSession:
    """The one session of this process with these settings."""
    session = DojoSession(
        dojo,
        lean,
        workers=prover.workers or len(os.sched_getaffinity(0)),
        limits=Limits(prover.time_limit_s, prover.tactic_time_limit_s),
        proofs_per_process=prover.proofs_per_process,
        rules=Rules(prover.memory_limit_mb, AXIOMS[prover.axioms]),
        confirms=prover.confirm,
    )
    atexit.register(session.close)
    return session
