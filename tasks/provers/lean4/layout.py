"""The columns of tactics: Lean takes tactics that follow one another only at the same column."""

from tasks.provers.lean4.tokens import Token, tokens
from tasks.provers.lean4.words import TACTICS

_LOST = 2
"""Columns in which the first tactic of a sample has lost its indentation."""


def laid_out(bare: str, start: int, first: Token, indent: int) -> str:
    """The tactics from `start` to the end of a text, with `indent` spaces before the first. Lines keep their place
    relative to one another, and blank ones are left out.

    The first tactic may stand after `by` on its line, or have lost its indentation where a sample continues a line of
    its prompt (then it is in the first or the second column). Its column says nothing there: it is that of the lines
    that follow, if a tactic begins one of them, and else these continue the first.

    Args:
        bare: the text, without comments.
        start: where the tactics begin.
        first: the first token from there on.
        indent: columns.
    """
    begin = bare.rfind("\n", 0, first.start) + 1
    own_line = begin >= start or not bare[begin:start].strip()
    head, *rest = [line.rstrip() for line in bare[first.start :].split("\n")]
    rest = [line for line in rest if line]
    if not rest:
        return " " * indent + head
    least = min(len(line) - len(line.lstrip(" ")) for line in rest)
    column = first.start - begin if own_line else None
    continues_line = column is None or (column < min(least, _LOST) and begin <= start)
    if continues_line and any(_begins_tactic(line) for line in rest if line[least] != " "):
        column = least
    elif column is None:
        column = max(least - 2, 0)
        rest = ["  " + line for line in rest] if least < 2 else rest
    lowest = min(column, *(len(line) - len(line.lstrip(" ")) for line in rest))
    return "\n".join(" " * indent + line[lowest:] for line in (" " * column + head, *rest))


def _begins_tactic(line: str) -> bool:
    first = next(tokens(line, strict=True), None)
    return first is not None and (first.text in TACTICS or first.text == "·")
