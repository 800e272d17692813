"""The confirmation of a proof that a warm process has accepted, in processes that have run nothing else.

0. `coqc` compiles the header's own definitions as a library (`header`), once for all proofs.
1. `coqc` compiles header, statement and proof. Its exit status says whether that is a proof.
2. `coqc` compiles a file of ours, which loads the compiled proof without importing anything from it, replays header and
   statement, and proves the statement by the theorem of that name: what was proved is what the problem states. The file
   lists the axioms that this rests on, and all of them must be allowed.
3. `coqchk`, an independent checker of compiled files, replays the compiled proof, and must find no axiom and no unsafe
   definition in it.

Each runs in a new sandbox. Only step 1 reads what a model wrote, and its output is not read: exit statuses decide,
and the output of steps 2 and 3, in which no sentence of the proof runs.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from sandboxes import Status
from sandboxes.confined_command import ConfinedCommand, Finished
from sandboxes.scratch import scratch_folder
from tasks.provers import Attempt, PlacedProof
from tasks.provers.compiled_proof import copy_compiled
from tasks.provers.coq.header import LIBRARY as HEADER
from tasks.provers.coq.header import compiled, divided
from tasks.provers.coq.installation import Installation
from tasks.provers.coq.warm import CRASHES, OPTIONS
from tasks.records import Verdict

_STANDARD = """
Coq.Logic.Classical_Prop.classic
Coq.Logic.FunctionalExtensionality.functional_extensionality_dep
Coq.Logic.PropExtensionality.propositional_extensionality
Coq.Logic.ProofIrrelevance.proof_irrelevance
Coq.Logic.Eqdep.Eq_rect_eq.eq_rect_eq
Coq.Logic.JMeq.JMeq_eq
Coq.Logic.ClassicalEpsilon.constructive_indefinite_description
Coq.Logic.IndefiniteDescription.constructive_indefinite_description
Coq.Logic.Description.constructive_definite_description
Coq.Logic.ClassicalUniqueChoice.dependent_unique_choice
Coq.Logic.RelationalChoice.relational_choice
Coq.Reals.ClassicalDedekindReals.sig_forall_dec
Coq.Reals.ClassicalDedekindReals.sig_not_dec
"""
AXIOMS = {"standard": frozenset(_STANDARD.split()), "none": frozenset[str]()}
"""The full names of axioms that proofs may rest on: the standard library's for real numbers and classical logic
(Standard library of Coq 8.16, `theories/Logic` and `theories/Reals`), or none."""

LIBRARY = "MonkeysProof"
"""The name of the compiled proof."""

_CONFIRMATION = "MonkeysConfirmation"
_MAX_OUTPUT_BYTES = 4 * 1024 * 1024
# CPU seconds that `coqchk` may take more than ten times the proof's.
_CHECKING_S = 600.0
_ASSUMPTIONS = re.compile(r"^(?:Closed under the global context|Axioms:)$", re.MULTILINE)
# Exit statuses above 128 with which Rocq itself ends: a crash, and an error that it did not expect (129).
_ENDED = CRASHES | {129}
_SUMMARY = ("* Axioms:", "type-in-type:", "unsafe (co)fixpoints:", "positivity is assumed:")
_FAULT = re.compile(r"System error|Stack overflow|Out of memory|Anomaly", re.IGNORECASE)
"""What Rocq reports where it is not the comparison that fails. No sentence of a proof runs there, and `first` drops
what its tactics report, which may quote the statement."""
_SYSTEM_ERROR = re.compile(r"\s*(?:System error:|Fatal error: exception Sys_error)")
"""How the first error begins where the machine is at fault, such as a disk that is full. What a tactic of a proof
reports begins otherwise (`Tactic failure:`)."""
_VERDICT_OF = {Status.TIME_LIMIT: Verdict.TIME_LIMIT, Status.MEMORY_LIMIT: Verdict.MEMORY_LIMIT}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a proof may use: megabytes for each process, axioms, by their full names, and CPU seconds beyond its own for
    loading libraries."""

    memory_mb: int
    axioms: frozenset[str]
    loading_s: float = 60.0


def confirm(proof: PlacedProof, rocq: Installation, cpu_s: float, rules: Rules) -> Attempt:
    """The verdict on a proof, from fresh processes.

    Args:
        proof: the proof in its place.
        rocq: the programs.
        cpu_s: CPU seconds that the proof may take.
        rules: what else it may use.

    Raises:
        SandboxUnavailableError: bubblewrap cannot run here.
        TheoremFaultError, ProverFailedError: the header's definitions cannot be compiled as a library.
    """
    text = "\n".join((*divided(proof.header).sentences, proof.statement, *proof.proof)) + "\n"
    return confirm_text(text, proof, rocq, cpu_s, rules)


def confirm_text(text: str, proof: PlacedProof, rocq: Installation, cpu_s: float, rules: Rules) -> Attempt:
    """As `confirm`, of a whole file that claims to prove the statement: it need not keep to any form."""
    header = divided(proof.header)
    with scratch_folder() as shared, scratch_folder() as first, scratch_folder() as second:
        compiler = (rocq.compiler, *OPTIONS, "-noglob", "-Q", str(shared), "")
        shown = (*rocq.shown, str(shared))
        if header.library is not None:
            _provide(shared, compiled(header.library, rocq, rules.memory_mb))
        source = first / f"{LIBRARY}.v"
        source.write_text(text, encoding="utf-8")
        command = ConfinedCommand((*compiler, str(source)), shown, rules.memory_mb, first)
        finished = command.run(cpu_s + rules.loading_s, _MAX_OUTPUT_BYTES)
        attempt = _of_proof(finished)
        if attempt is not None:
            return attempt
        used_s = finished.cpu_s
        fault = copy_compiled(first / f"{LIBRARY}.vo", second)
        if fault is not None:
            return Attempt(Verdict.WRONG, f"not confirmed: {fault}", used_s)
        ours, path = second / f"{_CONFIRMATION}.v", ("-Q", str(second), "")
        ours.write_text(_confirmation(proof, header.sentences), encoding="utf-8")
        command = ConfinedCommand((*compiler, *path, str(ours)), shown, rules.memory_mb, second)
        stated = command.run(cpu_s + rules.loading_s, _MAX_OUTPUT_BYTES)
        used_s += stated.cpu_s
        attempt = _of_statement(stated, rules.axioms)
        if attempt is None and rocq.checker is not None:
            arguments = (rocq.checker, "-silent", "-o", "-Q", str(shared), "", *path, "-norec", LIBRARY)
            command = ConfinedCommand(arguments, shown, rules.memory_mb, second, merged=True)
            checked = command.run(10 * cpu_s + _CHECKING_S, _MAX_OUTPUT_BYTES)
            used_s += checked.cpu_s
            attempt = _of_checker(checked)
        return (attempt or Attempt(Verdict.CORRECT))._replace(cpu_s=used_s)


def _provide(folder: Path, library: bytes) -> None:
    """Put the header's library where the user inside can read it, and not write to it."""
    folder.chmod(0o755)
    file = folder / f"{HEADER}.vo"
    file.write_bytes(library)
    file.chmod(0o644)


def _confirmation(proof: PlacedProof, header: tuple[str, ...]) -> str:
    """The file that proves the statement by the compiled theorem. Its binders may have become hypotheses."""
    revert = "repeat match goal with h : _ |- _ => revert h end"
    return "\n".join(
        [
            f"Require {LIBRARY}.",
            *header,
            'Set Default Proof Mode "Classic".',  # A header may load another language of tactics.
            proof.statement,
            "Proof.",
            f"first [exact (@{LIBRARY}.{proof.name}) | {revert}; exact (@{LIBRARY}.{proof.name})].",
            "Qed.",
            f"Print Assumptions {proof.name}.\n",
        ]
    )


def _of_proof(finished: Finished) -> Attempt | None:
    """The verdict if the proof does not compile."""
    if finished.limit in _VERDICT_OF:
        return Attempt(_VERDICT_OF[finished.limit], "not confirmed: over the limit in a fresh process", finished.cpu_s)
    if finished.limit is Status.OUTPUT_LIMIT:
        return Attempt(Verdict.OUTPUT_LIMIT, "not confirmed: too much output", finished.cpu_s)
    if finished.exit_code == 0:
        return None
    if _failed_itself(finished) or _SYSTEM_ERROR.match(_error(finished)):
        return Attempt(Verdict.INFRASTRUCTURE, f"coqc did not run to its end: {_said(finished)}", finished.cpu_s)
    return Attempt(Verdict.ERROR, f"not confirmed: {_said(finished) or 'coqc fails'}", finished.cpu_s)


def _of_statement(finished: Finished, axioms: frozenset[str]) -> Attempt | None:
    """The verdict if the compiled theorem is not the statement, or rests on more axioms than it may."""
    if finished.limit is not None or _failed_itself(finished) or _FAULT.search(finished.stderr):
        return Attempt(Verdict.INFRASTRUCTURE, f"the statement could not be compared: {_reason(finished)}")
    if finished.exit_code != 0:
        return Attempt(Verdict.WRONG, f"not confirmed: it proves something else: {_said(finished)}")
    found = assumptions(finished.stdout.decode(errors="replace"))
    if found is None:
        return Attempt(Verdict.INFRASTRUCTURE, "the axioms of the proof could not be read")
    refused = next((name for name in found if not any(_is_end_of(name, full) for full in axioms)), None)
    return None if refused is None else Attempt(Verdict.WRONG, f"not confirmed: it rests on {refused}")


def _of_checker(finished: Finished) -> Attempt | None:
    """The verdict if `coqchk` refuses the compiled proof, or finds something unsafe in it."""
    output = finished.stdout.decode(errors="replace")
    if finished.limit is not None or _failed_itself(finished):
        return Attempt(Verdict.INFRASTRUCTURE, f"coqchk did not finish: {_reason(finished)}")
    if finished.exit_code != 0:
        said = " ".join(output.split())[-200:]
        return Attempt(Verdict.WRONG, f"not confirmed: coqchk refuses it: {said}")
    if not all(head in output for head in _SUMMARY):
        return Attempt(Verdict.INFRASTRUCTURE, "the summary of coqchk could not be read")
    unsafe = re.search(rf"^\s+{LIBRARY}\..*$", output, re.MULTILINE)
    return None if unsafe is None else Attempt(Verdict.WRONG, f"not confirmed: coqchk finds {unsafe[0].strip()}")


def assumptions(output: str) -> list[str] | None:
    """The names that the last `Print Assumptions` in an output lists, as short as Rocq prints them; a line that is not
    known counts as a name. None where there is no list."""
    heads = list(_ASSUMPTIONS.finditer(output))
    if not heads:
        return None
    lines = output[heads[-1].end() :].splitlines()
    if heads[-1][0] != "Axioms:":
        return [line for line in lines if line.strip()]
    return [line.split(" :")[0].strip() for line in lines if line.strip() and not line[0].isspace()]


def _is_end_of(name: str, full: str) -> bool:
    return full == name or full.endswith(f".{name}")


def _failed_itself(finished: Finished) -> bool:
    """Whether a program did not run to its end, for a reason that is not known to be the proof's."""
    code = finished.exit_code
    return code is None or (code > 128 and code not in _ENDED)


def _reason(finished: Finished) -> str:
    return finished.limit or _said(finished) or f"exit status {finished.exit_code}"


def _said(finished: Finished) -> str:
    """The error that Rocq reported, in one line."""
    return " ".join(_error(finished).split())[:200]


def _error(finished: Finished) -> str:
    """What Rocq wrote after its first `Error:`, or all that it wrote."""
    return finished.stderr.partition("Error:")[2] or finished.stderr
