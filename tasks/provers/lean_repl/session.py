"""Processes of the REPL, as many as there are workers, and the confirmation of what they accept.

A proof is confirmed in two processes that have run nothing else. The first compiles it and writes what that declares to
a file; the second, which never sees the proof's text, has the kernel check all of it again, compares the theorem with
the statement, and lists its axioms.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandboxes import SandboxUnavailableError
from sandboxes.scratch import scratch_folder
from tasks.provers import Attempt, PlacedProof, ProverFailedError, TheoremFaultError
from tasks.provers.lean4.placing import header_and_statement
from tasks.provers.lean_repl.installation import ReplInstallation
from tasks.provers.lean_repl.process import HEADER_CPU_S, Ran, ReplProcess
from tasks.provers.lean_repl.replies import one_line, outcome
from tasks.provers.lean_repl.texts import (
    Mark,
    confirmation_text,
    confirmed,
    header_text,
    new_mark,
    theorem_text,
    unproved_text,
)
from tasks.provers.warm_pool import BLAMED_WHEN_FRESH, TRIES, ProcessLostError, WarmPool
from tasks.records import TheoremCheck, Verdict


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How proofs are confirmed: the axioms that they may rest on, and whether a second process checks the first."""

    axioms: frozenset[str]
    replay: bool


class ReplSession:
    """The processes of one machine with the same settings (`tasks.provers.ProverSession`).

    Args:
        what: the REPL.
        workers: how many proofs run at once.
        limit_s: CPU seconds that a proof may take.
        memory_mb: megabytes that a process may use, with what its header loads.
        proofs_per_process: how many proofs a process runs before a fresh one takes its place.
        confirmation: how proofs are confirmed; None: not at all.
    """

    def __init__(
        self,
        what: ReplInstallation,
        *,
        workers: int,
        limit_s: float,
        memory_mb: int,
        proofs_per_process: int,
        confirmation: Confirmation | None,
    ) -> None:
        self.workers = workers
        self._what, self._limit_s, self._memory_mb = what, limit_s, memory_mb
        self._confirmation = confirmation
        self._pool = WarmPool[ReplProcess](workers, proofs_per_process)
        self._loaded: set[tuple[str, str]] = set()

    def load(self, theorem: TheoremCheck) -> None:
        """See `tasks.provers.ProverSession.load`."""
        header, statement = header_and_statement(theorem)
        with self._pool.free:
            self._require_loaded(header_text((header,)), statement)

    def propose(self, proof: PlacedProof, limit_s: float | None) -> Attempt:
        """See `tasks.provers.ProverSession.propose`."""
        header = header_text(proof.header)
        with self._pool.free:
            self._require_loaded(header, proof.statement)
            ran = self._run(header, theorem_text(proof), limit_s or self._limit_s)
            return _attempted(ran)

    def confirm(self, proof: PlacedProof, limit_s: float | None) -> Attempt | None:
        """See `tasks.provers.ProverSession.confirm`."""
        if self._confirmation is None:
            return None
        with self._pool.free:
            try:
                return self._confirmed(proof, limit_s or self._limit_s, self._confirmation)
            except ProcessLostError as error:
                if error.blame:
                    return Attempt(Verdict.WRONG, f"not confirmed: {error.blame}")
                raise ProverFailedError(f"the REPL cannot confirm: {error}") from error
            except SandboxUnavailableError as error:
                raise ProverFailedError(f"the REPL cannot confirm: {error}") from error

    def _confirmed(self, proof: PlacedProof, limit_s: float, how: Confirmation) -> Attempt:
        header, mark = header_text(proof.header), new_mark()
        comparison = confirmation_text(proof.statement, proof.name, mark)
        text = theorem_text(proof) if how.replay else f"{theorem_text(proof)}\n\n{comparison}"
        with scratch_folder() as folder:
            folder.chmod(0o711)
            file = folder / "proof" / "environment.olean"
            file.parent.mkdir(mode=0o755)
            with _process(self._what, self._memory_mb, writable=file.parent) as process:
                ran = process.run(header, text, limit_s)
                made = _attempted(ran) if how.replay else _compared(ran, mark, how)
                if made.verdict is Verdict.ERROR:
                    return made._replace(verdict=Verdict.WRONG, detail=f"not confirmed: {made.detail}")
                if made.verdict is not Verdict.CORRECT or not how.replay or ran.reply is None or ran.reply.env is None:
                    return made
                process.run_in(ran.reply.env, "", limit_s)  # Nothing that the proof has written is left.
                process.pickle(ran.reply.env, file)
            with _process(self._what, self._memory_mb, readable=file) as process:
                # The libraries are loaded again, which `unpickle` does without the proof's limit.
                checked = process.run_in(process.unpickle(file), comparison, HEADER_CPU_S)
        again = _compared(checked, mark, how)
        return again._replace(cpu_s=made.cpu_s + again.cpu_s, wall_s=made.wall_s + again.wall_s)

    def _require_loaded(self, header: str, statement: str) -> None:
        if (header, statement) in self._loaded:
            return
        ran = self._run(header, unproved_text(statement), HEADER_CPU_S)
        if ran.reply is None:
            raise TheoremFaultError(_attempted(ran).detail)
        if ran.reply.errors:
            raise TheoremFaultError(one_line(ran.reply.errors[0]))
        self._loaded.add((header, statement))

    def _run(self, header: str, text: str, limit_s: float) -> Ran:
        """What a warm process says. One that was lost, or that ended after other proofs, says nothing: a fresh one is
        asked."""
        lost = ProcessLostError("no process of it could be kept")
        for attempt in range(TRIES):
            try:
                with self._pool.process(
                    lambda idle: next((each for each in idle if each.has(header)), None),
                    lambda: ReplProcess(self._what, self._memory_mb),
                    fresh=attempt > 0,
                ) as process:
                    ran = process.run(header, text, limit_s)
                    if ran.limit is not None and process.proofs > 1 and ran.limit.verdict in BLAMED_WHEN_FRESH:
                        continue
                    return ran
            except ProcessLostError as error:
                lost = error
            except SandboxUnavailableError as error:
                raise ProverFailedError(str(error)) from error
        if lost.blame:
            return Ran(None, Attempt(Verdict.ERROR, lost.blame), 0.0, 0.0)
        raise ProverFailedError(f"the REPL: {lost}") from lost

    def close(self) -> None:
        """See `tasks.provers.ProverSession.close`."""
        self._pool.close()


@contextmanager
def _process(
    what: ReplInstallation, memory_mb: int, *, writable: Path | None = None, readable: Path | None = None
) -> Iterator[ReplProcess]:
    process = ReplProcess(what, memory_mb, writable=writable, readable=readable)
    try:
        yield process
    finally:
        process.close()


def _attempted(ran: Ran) -> Attempt:
    """Whether a proof was accepted."""
    made = ran.limit or Attempt(Verdict.ERROR, "no reply")
    if ran.reply is not None:
        made = Attempt(*outcome(ran.reply))
    return made._replace(cpu_s=ran.cpu_s, wall_s=ran.wall_s)


def _compared(ran: Ran, mark: Mark, how: Confirmation) -> Attempt:
    """Whether the comparison with the statement, which follows a proof, was accepted."""
    made = ran.limit or Attempt(Verdict.ERROR, "no reply")
    if ran.reply is not None:
        made = confirmed(ran.reply, mark, how.axioms)
    return made._replace(cpu_s=ran.cpu_s, wall_s=ran.wall_s)
