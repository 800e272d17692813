"""The confirmation of a proof in Lean that a warm process has accepted, in processes that have run nothing else.

1. `lean` compiles header and statement alone, with `sorry` for the proof, under another name. No proof is near it. It
   is done once for each theorem.
2. `lean` compiles header, statement and proof. Its exit status says whether that is a proof.
3. An independent checker, `leanchecker` or `lean4checker`, replays the compiled proof where one is installed.
4. `lean` compiles a file of ours, which imports both, and proves the type of our statement, for all of its universe
   levels, by the theorem: what was proved is what the problem states. The file lists the axioms that this rests on, and
   all of them must be allowed.

Each runs in a new sandbox. Only the second reads what a model wrote, and its output decides nothing.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from sandboxes import Status
from sandboxes.confined_command import ConfinedCommand, Finished
from sandboxes.scratch import scratch_folder
from tasks.provers import Attempt, PlacedProof, ProverFailedError, TheoremFaultError, UnplaceableError
from tasks.provers.compiled_proof import copy_compiled
from tasks.provers.lean4.axioms import reported
from tasks.provers.lean4.imports import require_only_scopes, with_imports
from tasks.provers.lean4.installation import THREADS, Installation
from tasks.provers.lean4.placing import header_and_statement, without_proof
from tasks.provers.lean4.tokens import tokens
from tasks.provers.lean4.worker import HEADER_CPU_S
from tasks.records import TheoremCheck, Verdict

PROOF, STATEMENT, CONFIRMATION = "MonkeysProof", "MonkeysStatement", "MonkeysConfirmation"
"""The modules, and the names of our theorems in the second and the third."""

_MAX_OUTPUT_BYTES = 4 * 1024 * 1024
_CHECKING_S = 600.0
"""CPU seconds that a checker may take more than ten times the proof's."""

_VERDICT_OF = {
    Status.TIME_LIMIT: Verdict.TIME_LIMIT,
    Status.MEMORY_LIMIT: Verdict.MEMORY_LIMIT,
    Status.OUTPUT_LIMIT: Verdict.OUTPUT_LIMIT,
}
_CRASHED = 128
_FILES = ("failed to write", "failed to read", "failed to create", "object file", "could not")
"""How an error begins that is about a file, and not about what is compiled: the disk may be full."""
_stating = threading.Lock()

Confirm = Annotated[
    bool,
    Field(
        description="Compile every accepted proof again in fresh processes, compare what it proves with the statement,"
        " list its axioms, and replay it with the checker; without this, correct proofs are marked as not confirmed",
    ),
]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a proof may use: megabytes for each process, axioms, and CPU seconds beyond its own for loading
    libraries."""

    memory_mb: int
    axioms: frozenset[str]
    loading_s: float = HEADER_CPU_S


def check_theorem(theorem: TheoremCheck) -> None:
    """Make sure, by reading it, that proofs of a theorem can be placed and confirmed; raises UnplaceableError where
    not."""
    if theorem.system != "lean":
        raise UnplaceableError(f"its statement is for {theorem.system}, not for lean")
    header, _ = header_and_statement(theorem)
    require_only_scopes(header)


def confirm(proof: PlacedProof, lean: Installation, cpu_s: float, rules: Rules) -> Attempt:
    """The verdict on a proof, from fresh processes.

    Args:
        proof: the proof in its place.
        lean: the programs.
        cpu_s: CPU seconds that the proof may take.
        rules: what else it may use.

    Raises:
        SandboxUnavailableError: bubblewrap cannot run here.
        TheoremFaultError: the header or the statement does not load.
        ProverFailedError: a process did not run to its end, for a reason that is not the proof's.
    """
    text = "\n".join((proof.header[0], "", proof.statement, *proof.proof, ""))
    return confirm_text(text, proof, lean, cpu_s, rules)


def confirm_text(text: str, proof: PlacedProof, lean: Installation, cpu_s: float, rules: Rules) -> Attempt:
    """As `confirm`, of a whole file that claims to prove the statement: it need not keep to any form."""
    compiler = Compiler(lean, rules.memory_mb, cpu_s + rules.loading_s)
    with scratch_folder() as first, scratch_folder() as second:
        with _stating:
            stated = _statement(proof.header[0], _renamed(proof.statement, proof.name), compiler)
        compiled = compiler.compile(first, PROOF, text)
        attempt = _of_proof(compiled)
        if attempt is not None:
            return attempt
        used_s = compiled.cpu_s
        fault = copy_compiled(first / f"{PROOF}.olean", second)
        if fault is not None:
            return Attempt(Verdict.WRONG, f"not confirmed: {fault}", used_s)
        (second / f"{STATEMENT}.olean").write_bytes(stated)
        if lean.checker is not None:
            checked = _checked(second, PROOF, lean, cpu_s, rules)
            used_s += checked.cpu_s
            if checked.exit_code != 0:
                said = " ".join(checked.stdout.decode(errors="replace").split())[-200:]
                if _checked(second, STATEMENT, lean, cpu_s, rules).exit_code != 0:
                    raise ProverFailedError(f"{lean.checker} does not even accept the compiled statement: {said}")
                return Attempt(Verdict.WRONG, f"not confirmed: {Path(lean.checker).name} refuses it: {said}", used_s)
        compared = compiler.compile(second, CONFIRMATION, _confirmation(proof))
        attempt = _of_comparison(compared, rules.axioms)
        return (attempt or Attempt(Verdict.CORRECT))._replace(cpu_s=used_s + compared.cpu_s)


class Compiler(NamedTuple):
    """`lean`, and what one run of it may use."""

    lean: Installation
    memory_mb: int
    cpu_s: float

    def compile(self, folder: Path, module: str, text: str) -> Finished:
        """Write a module into a folder, and compile it there; it can import what the folder has."""
        source = folder / f"{module}.lean"
        source.write_text(text, encoding="utf-8")
        output = ("-R", str(folder), "-o", str(folder / f"{module}.olean"))
        command = (self.lean.program, THREADS, "--json", *output, str(source))
        environment = self.lean.with_libraries(str(folder))
        confined = ConfinedCommand(command, self.lean.shown, self.memory_mb, folder, environment=environment)
        return confined.run(self.cpu_s, _MAX_OUTPUT_BYTES)


@lru_cache(maxsize=256)
def _statement(header: str, renamed: str, compiler: Compiler) -> bytes:
    """The compiled statement that has our name."""
    with scratch_folder() as folder:
        finished = compiler._replace(cpu_s=HEADER_CPU_S).compile(folder, STATEMENT, f"{header}\n\n{renamed}\n")
        if _failed_itself(finished):
            raise ProverFailedError(f"the statement could not be compiled: {reason(finished)}")
        if finished.exit_code != 0:
            raise TheoremFaultError(_said(finished) or "Lean refuses its statement")
        return (folder / f"{STATEMENT}.olean").read_bytes()


def _renamed(statement: str, name: str) -> str:
    """The statement with our name, in the root namespace, and without a proof."""
    keyword = next(tokens(statement))
    at = statement.index(name, keyword.end)
    return without_proof(f"theorem _root_.{STATEMENT}{statement[at + len(name) :]}")


def _checked(folder: Path, module: str, lean: Installation, cpu_s: float, rules: Rules) -> Finished:
    """An independent checker that has replayed a compiled module."""
    environment = lean.with_libraries(str(folder))
    command = (lean.checker or "", module)
    confined = ConfinedCommand(command, lean.shown, rules.memory_mb, folder, merged=True, environment=environment)
    finished = confined.run(10 * cpu_s + _CHECKING_S, _MAX_OUTPUT_BYTES)
    if _failed_itself(finished):
        raise ProverFailedError(f"{lean.checker} did not finish: {reason(finished)}")
    return finished


def _confirmation(proof: PlacedProof) -> str:
    """The file that proves the type of our statement by the theorem."""
    return "\n".join(
        [
            with_imports(proof.header[0], PROOF, STATEMENT),
            "",
            f"theorem _root_.{CONFIRMATION} : type_of% @_root_.{STATEMENT} := @{proof.name}",
            f"#print axioms _root_.{CONFIRMATION}",
            "",
        ]
    )


def _of_proof(finished: Finished) -> Attempt | None:
    """The verdict if the proof does not compile."""
    if finished.limit is not None:
        detail = "not confirmed: over the limit in a fresh process"
        return Attempt(_VERDICT_OF[finished.limit], detail, finished.cpu_s)
    if finished.exit_code == 0:
        return None
    if finished.exit_code is None or _is_about_files(finished):
        raise ProverFailedError(f"lean did not run to its end: {reason(finished)}")
    crashed = finished.exit_code > _CRASHED
    said = "Lean crashes on it" if crashed else _said(finished) or "Lean refuses it"
    return Attempt(Verdict.ERROR, f"not confirmed: {said}", finished.cpu_s)


def _of_comparison(finished: Finished, axioms: frozenset[str]) -> Attempt | None:
    """The verdict if the compiled theorem is not the statement, or rests on more axioms than it may."""
    if _failed_itself(finished):
        raise ProverFailedError(f"the statement could not be compared: {reason(finished)}")
    if finished.exit_code != 0:
        return Attempt(Verdict.WRONG, f"not confirmed: it proves something else: {_said(finished)}")
    found = [text for severity, text in _messages(finished) if severity == "information"]
    reports = [names for text in found if (names := reported(text)) is not None]
    if len(reports) != 1:
        return Attempt(Verdict.WRONG, "not confirmed: it changes what Lean reports of it")
    refused = next((name for name in reports[0] if name not in axioms), None)
    return None if refused is None else Attempt(Verdict.WRONG, f"not confirmed: it rests on {refused}")


def _messages(finished: Finished) -> Iterator[tuple[str, str]]:
    """The severity and the text of each message that Lean has written."""
    for line in finished.stdout.decode(errors="replace").splitlines():
        try:
            found = json.loads(line)
            yield str(found["severity"]), str(found["data"])
        except (ValueError, KeyError, TypeError):
            continue


def _failed_itself(finished: Finished) -> bool:
    """Whether a process that runs no line of the proof did not get to its end."""
    crashed = finished.exit_code is None or finished.exit_code > _CRASHED
    return finished.limit is not None or crashed or _is_about_files(finished)


def _is_about_files(finished: Finished) -> bool:
    """Whether a process failed because it could not write or read a file, such as on a full disk."""
    return finished.exit_code != 0 and _said(finished).startswith(_FILES)


def reason(finished: Finished) -> str:
    """Why a process of Lean did not succeed, in one line."""
    return finished.limit or _said(finished) or f"exit status {finished.exit_code}"


def _said(finished: Finished) -> str:
    """The first error that Lean has reported, in one line."""
    said = next((text for severity, text in _messages(finished) if severity == "error"), finished.stderr)
    return " ".join(said.split())[:200]
