"""The texts that are sent to a Lean process that answers many requests, and what its replies to them must contain.

Every text ends in a line with a *mark*, a name that nobody has seen before. Lean's error about the unknown name shows
that a reply is the one to this text, to its end, and not one that an earlier proof has printed.

The confirmation of a proof states the theorem again, as an axiom with such a name; proves that by the theorem, which
compares the two types; and lists the axioms that this rests on.
"""

import re
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tasks.provers import Attempt, PlacedProof, Probe, UnplaceableError
from tasks.provers.lean4.installation import is_sound
from tasks.provers.lean4.placing import header_and_statement
from tasks.provers.lean4.tokens import tokens
from tasks.provers.lean_repl.replies import Reply, one_line
from tasks.records import TheoremCheck, Verdict

FAULTS = "kernel with known faults"
"""The ingredient of verdicts by a version of Lean whose kernel has accepted proofs of false statements."""

PROBE = Probe(
    TheoremCheck("lean", "", "monkeys_probe", "theorem monkeys_probe (p q : Prop) (hp : p) (hq : q) : p ∧ q := by"),
    right="exact ⟨hp, hq⟩",
    wrong="exact ⟨hq, hp⟩",
)
"""A theorem that needs no library."""

_KEYWORDS = ("theorem", "lemma")
_ENDING = re.compile(r":=\s*(?:by\s*)?\Z")
_DEPENDS = re.compile(r"'(\S+)' depends on axioms: \[(.*)\]", re.DOTALL)
_NO_AXIOMS = re.compile(r"'(\S+)' does not depend on any axioms")


def version_ingredients(version: str) -> dict[str, Any]:
    """What verdicts depend on where Lean has this version."""
    return {"lean": version} if is_sound(version) else {"lean": version, FAULTS: True}


def version_text(version: str) -> str:
    """The version of Lean, and whether its kernel is known to accept proofs of false statements."""
    fault = "" if is_sound(version) else ", whose kernel is known to accept false proofs: use 4.32.2 or later"
    return f"Lean {version}{fault}"


def header_text(header: Sequence[str]) -> str:
    """What stands before a statement, as a text that is whole by itself: without a documentation comment of the
    theorem at its end."""
    text = "\n".join(header).strip()
    last = deque(tokens(text), maxlen=1)
    return text[: last[0].start].rstrip() if last and last[0].kind == "doc" else text


def theorem_text(proof: PlacedProof) -> str:
    """The statement with its proof."""
    return "\n".join((proof.statement, *proof.proof))


def unproved_text(statement: str) -> str:
    """The statement with `sorry` for its proof."""
    return f"{statement}\n  sorry"


@dataclass(frozen=True, slots=True)
class Mark:
    """A name that nobody has seen before."""

    name: str

    @property
    def line(self) -> str:
        """The line at the end of a text."""
        return f"\n\n#check {self.name}"

    def removed(self, reply: Reply) -> Reply | None:
        """The reply without the error about the mark; None if it is not the reply to a text with this mark."""
        other = tuple(each for each in reply.messages if each.severity != "error" or self.name not in each.text)
        return reply._replace(messages=other) if len(other) == len(reply.messages) - 1 else None


def new_mark() -> Mark:
    """A mark for one text."""
    return Mark(f"monkeys_{secrets.token_hex(16)}")


def check_theorem(theorem: TheoremCheck) -> None:
    """Make sure, by reading it, that a proof of a theorem can be placed, and that its statement can be restated; raises
    UnplaceableError where not."""
    if theorem.system != "lean":
        raise UnplaceableError(f"its statement is for {theorem.system}, not for lean")
    _, statement = header_and_statement(theorem)
    _signature(statement, theorem.name)


def confirmation_text(statement: str, name: str, mark: Mark) -> str:
    """The lines that compare the theorem of this name with the statement, and list its axioms."""
    return (
        f"axiom {mark.name}_statement{_signature(statement, name)}\n"
        f"theorem {mark.name}_proof : type_of% @{mark.name}_statement := @{name}\n"
        f"#print axioms {mark.name}_proof"
    )


def confirmed(reply: Reply, mark: Mark, allowed: frozenset[str]) -> Attempt:
    """What a reply to `confirmation_text`, without its mark, says of a proof: `correct`, or `wrong` and why."""
    if reply.errors:
        return Attempt(Verdict.WRONG, f"not confirmed: {one_line(reply.errors[0])}")
    if reply.uses_sorry:
        return Attempt(Verdict.WRONG, "not confirmed: it uses sorry")
    wanted = f"{mark.name}_proof"
    for message in reply.messages:
        if message.severity != "info":
            continue
        if (match := _NO_AXIOMS.fullmatch(message.text.strip())) and match[1] == wanted:
            return Attempt(Verdict.CORRECT)
        if (match := _DEPENDS.fullmatch(message.text.strip())) and match[1] == wanted:
            found = {each.strip() for each in match[2].split(",")}
            if excess := sorted(found - allowed):
                return Attempt(Verdict.WRONG, f"not confirmed: it rests on {one_line(', '.join(excess))}")
            return Attempt(Verdict.CORRECT)
    return Attempt(Verdict.WRONG, "not confirmed: its axioms are not listed")


def _signature(statement: str, name: str) -> str:
    """What a statement says after the theorem's name: its hypotheses and its claim."""
    words = statement.split(None, 1)
    if len(words) < 2 or words[0] not in _KEYWORDS or not words[1].startswith(name):
        raise UnplaceableError(f"its statement does not begin with `theorem {name}`")
    ending = _ENDING.search(words[1])
    if ending is None:
        raise UnplaceableError("its statement does not end in `:= by`")
    signature = words[1][len(name) : ending.start()].rstrip()
    if signature[:1] not in {"", " ", "\n", "\t", ":", "(", "{", "[", "⦃"} and not signature.startswith(".{"):
        raise UnplaceableError(f"its statement does not begin with `theorem {name}`")
    return signature
