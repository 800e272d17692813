"""A placed proof cut into its tactics, which `Dojo.run_tac` takes one by one."""

from collections.abc import Sequence

from tasks.provers import PlacedProof
from tasks.provers.lean4.tokens import Token, tokens

_CONTINUING = frozenset(
    {"_", "at", "by", "do", "else", "from", "fun", "generalizing", "only", "then", "using", "where", "with"}
)
"""Words that begin no tactic: a line that begins with one continues the tactic before it."""
_OPENING = frozenset({"(", "{", "·", "."})
"""Symbols that begin a tactic."""


def steps(proof: PlacedProof) -> list[str]:
    """The tactics of a proof that `lean4.placing` has placed. Each is in parentheses, in which more than one may follow
    on a line, and keeps its lines and their columns."""
    (text,) = proof.proof
    lines = text.split("\n")[1:-1]  # Those between the braces.
    found = list(tokens("\n".join(lines), strict=True))
    least = min(len(line) - len(line.lstrip(" ")) for line in lines)
    starts = _starts(lines, found, least)
    pieces = [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    return ["(\n" + "\n".join(line[least:] for line in piece) + "\n)" for piece in pieces]


def _starts(lines: Sequence[str], found: Sequence[Token], column: int) -> list[int]:
    """The numbers of the lines that begin a tactic: those at this column, outside of brackets and of text that spans
    lines, that do not begin with what continues a tactic."""
    starts, depth, position = [0], 0, 0
    first_of = {}
    for number, line in enumerate(lines):
        first_of[position + column] = number
        position += len(line) + 1
    for token in found:
        number = first_of.get(token.start, 0)
        if number and depth == 0 and _begins_tactic(token):
            starts.append(number)
        if token.kind == "symbol":
            depth += sum(each in "([{⟨" for each in token.text) - sum(each in ")]}⟩" for each in token.text)
    return starts


def _begins_tactic(token: Token) -> bool:
    if token.kind == "word":
        return token.text not in _CONTINUING
    return token.text[:1] in _OPENING
