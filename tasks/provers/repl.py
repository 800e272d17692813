"""Lean 4 through its REPL (leanprover-community/repl): confined processes, each with a header loaded."""

import atexit
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from sandboxes import SandboxUnavailableError
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.config import Config
from tasks.errors import UserError
from tasks.provers import UNCONFIRMED, PlacedProof, Probe
from tasks.provers.lean4.axioms import AXIOMS, AllowedAxioms
from tasks.provers.lean4.placing import place
from tasks.provers.lean_repl.installation import BUILD, ReplInstallation, installation
from tasks.provers.lean_repl.process import ReplProcess
from tasks.provers.lean_repl.session import Confirmation, ReplSession
from tasks.provers.lean_repl.texts import PROBE, check_theorem, version_ingredients, version_text
from tasks.provers.settings import CpuLimit, Workers
from tasks.provers.warm_pool import ProcessLostError
from tasks.records import TheoremCheck


class ReplProver(Config):
    """Lean 4 through leanprover-community/repl: warm processes confined by bubblewrap."""

    operational: ClassVar[frozenset[str]] = frozenset({"repl", "project", "workers", "proofs_per_process"})
    name: Literal["repl"] = "repl"
    repl: str = Field("repl", description="The REPL's program: a path, or a name on the search path")
    project: Path | None = Field(
        None,
        description="The Lake project whose built libraries headers import, such as mathlib4; without, only Lean's",
    )
    workers: Workers = None
    time_limit_s: CpuLimit = 60.0
    memory_limit_mb: int = Field(
        8192, ge=256, description="Megabytes of memory that a process may use, with what headers load."
    )
    proofs_per_process: int = Field(
        200,
        ge=1,
        description="Proofs that a process runs before a fresh one takes its place: it keeps every environment.",
    )
    confirm: bool = Field(
        True,
        description="Compile every accepted proof again in a fresh process, compare what it proves with the statement,"
        " and list its axioms; without this, correct proofs are marked as not confirmed",
    )
    replay: bool = Field(
        True,
        description="Compare in a second process, which never sees the proof and has the kernel check again what it"
        " declared; this needs a REPL that can pickle environments",
    )
    axioms: AllowedAxioms = "standard"

    @property
    def probe(self) -> Probe:
        """See `tasks.provers.Prover.probe`."""
        return PROBE

    def check(self) -> None:
        """See `tasks.provers.Prover.check`."""
        found = self._installation()
        try:
            BubblewrapConfig().check()
            built = _built_with(found)
        except (SandboxUnavailableError, ProcessLostError) as error:
            raise UserError(f"prover: repl does not run: {error}") from error
        if built != found.lean:
            raise UserError(
                f"prover: repl was built with Lean {built or 'of another version'}, and the project has {found.lean}:"
                f" {BUILD}"
            )

    def check_theorem(self, theorem: TheoremCheck) -> None:
        """See `tasks.provers.Prover.check_theorem`."""
        check_theorem(theorem)

    def ingredients(self) -> Mapping[str, Any]:
        """See `tasks.provers.Prover.ingredients`."""
        found = self._installation()
        libraries = {"libraries": found.libraries} if found.libraries else {}
        return {**version_ingredients(found.lean), **libraries, **({} if self.confirm else {UNCONFIRMED: True})}

    def description(self) -> str:
        """See `tasks.provers.Prover.description`."""
        checked = "the kernel checks proofs again in a second process" if self.replay else "no independent checker"
        return f"{version_text(self._installation().lean)}, {checked}"

    def place(self, text: str, theorem: TheoremCheck) -> PlacedProof:
        """See `tasks.provers.Prover.place`."""
        return place(text, theorem)

    def session(self) -> ReplSession:
        """See `tasks.provers.Prover.session`."""
        return _session(self)

    def _installation(self) -> ReplInstallation:
        return installation(self.repl, self.project)


@cache
def _session(prover: ReplProver) -> ReplSession:
    """The one session of this process with these settings."""
    session = ReplSession(
        installation(prover.repl, prover.project),
        workers=prover.workers or len(os.sched_getaffinity(0)),
        limit_s=prover.time_limit_s,
        memory_mb=prover.memory_limit_mb,
        proofs_per_process=prover.proofs_per_process,
        confirmation=Confirmation(AXIOMS[prover.axioms], prover.replay) if prover.confirm else None,
    )
    atexit.register(session.close)
    return session


@cache
def _built_with(what: ReplInstallation) -> str:
    """The version of Lean that the REPL was built with."""
    process = ReplProcess(what, 4096)
    try:
        return process.version()
    finally:
        process.close()
