"""Programs in Markdown fences: where they are, and which of several a sample means.

Finding them is pure text, in linear time. Choosing among several parses text that a model wrote: `choose` is to be
called where it can be killed (`tasks.answers.isolated`).
"""

import ast
import builtins
import re
import symtable
import warnings
from collections.abc import Set as AbstractSet
from typing import NamedTuple

# Words may stand before a fence of backticks, as in "Answer: ```python", if nothing but a label comes after it.
_OPENING = re.compile(
    r"[ \t]*(?P<ticks>`{3,}|~{3,})[ \t]*(?P<label>[\w+#.-]*)(?:[ \t{:][^`]*)?"
    r"|[^`]*?(?P<late_ticks>`{3,})(?P<late_label>[\w+#.-]*)[ \t]*"
)
_PYTHON = {"python", "py", "python3", "py3", "python2", "ipython", "pycon"}
_MAX_LINE = 1_000
"""Characters of a line that may open or close a fence: a longer one is code or prose."""

_KNOWN = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__"}


class Fence(NamedTuple):
    """The code between two fences, or between one and the end of the text."""

    start: int
    """Where the line of the opening fence begins."""
    label: str
    """What the opening fence says the code is, in lower case."""
    code: str
    closed: bool


def fences(text: str) -> list[Fence]:
    """The fenced parts of a text, in order, by the rules of CommonMark, except that words may stand before a fence of
    backticks. The last one may be open."""
    found: list[Fence] = []
    start, ticks, label, place = 0, "", "", 0
    inside: list[str] = []
    for line in text.splitlines(keepends=True):
        may_be_fence = len(line) <= _MAX_LINE and ("```" in line or "~~~" in line)
        if not ticks and may_be_fence:
            if (match := _OPENING.fullmatch(line.rstrip("\r\n"))) is not None:
                ticks, label = match["ticks"] or match["late_ticks"], match["label"] or match["late_label"] or ""
                start = place
        elif ticks and may_be_fence and _closes(line.strip(), ticks):
            found.append(Fence(start, label.lower(), "".join(inside), True))
            ticks, inside = "", []
        elif ticks:
            inside.append(line)
        place += len(line)
    if ticks:
        found.append(Fence(start, label.lower(), "".join(inside), False))
    return found


def _closes(line: str, ticks: str) -> bool:
    return len(line) >= len(ticks) and line == ticks[0] * len(line)


def candidates(text: str) -> list[str]:
    """The texts that may be the program of a sample, in order: what is fenced as Python, or else without saying as
    what, or else anyhow; only closed fences, if there are any. Empty where there is no fence.

    Where the only fence has no end, it may itself be the end of a program that began with the text; and where a fence
    stands in a docstring, all of the text may be the program.
    """
    found = fences(text)
    if not found:
        return []
    python = [fence for fence in found if fence.label in _PYTHON]
    kept = python or [fence for fence in found if not fence.label] or found
    kept = [fence for fence in kept if fence.closed] or kept
    before = text[: found[0].start]
    whole = [text] if any(before.count(quotes) % 2 for quotes in ('"""', "'''")) else []
    ended = [before] if len(found) == 1 and not found[0].label and not found[0].closed and before.strip() else []
    return [*ended, *(fence.code for fence in kept), *whole]


def last_code(text: str, labels: AbstractSet[str]) -> str:
    """The last fenced part with one of these labels, or else without a label: with code and closed, if there are such.
    The whole text where there is none, and what stands before the only fence where that seems to end code that began
    with the text.
    """
    found = [fence for fence in fences(text) if fence.label in labels or not fence.label]
    if not found:
        return text
    if len(found) == 1 and not found[0].label and not found[0].closed and text[: found[0].start].strip():
        return text[: found[0].start]
    found = [fence for fence in found if fence.code.strip()] or found
    found = [fence for fence in found if fence.label] or found
    found = [fence for fence in found if fence.closed] or found
    return found[-1].code


def choose(codes: list[str], entry_point: str | None) -> int:
    """The position of the last complete program, or else the last one of those that come nearest to it.

    With an entry point, a text is complete if it is Python and defines that name at its top level; without one, if it
    is Python, calls something, and uses no name that it does not define, as an example of a call would.
    """
    return max(range(len(codes)), key=lambda place: (_completeness(codes[place], entry_point), place))


def _completeness(code: str, entry_point: str | None) -> int:
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(code)
            names = symtable.symtable(code, "<sample>", "exec")
    except (SyntaxError, ValueError):
        mentioned = entry_point is not None and re.search(rf"\bdef\s+{re.escape(entry_point)}\b", code)
        return 1 if mentioned else 0
    if entry_point is not None:
        return 3 if _defines(names, entry_point) else 0
    if not any(isinstance(node, ast.Call) for node in ast.walk(tree)):
        return 0
    return 3 if not _undefined(tree, names) else 2


def _defines(names: symtable.SymbolTable, name: str) -> bool:
    return name in names.get_identifiers() and _is_bound(names.lookup(name))


def _is_bound(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported()


def _undefined(tree: ast.Module, names: symtable.SymbolTable) -> set[str]:
    """The global names that a program reads and nowhere binds."""
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(tree)):
        return set()
    bound, read = set(_KNOWN), set()
    tables = [names]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            top = table is names
            if (top or symbol.is_declared_global()) and _is_bound(symbol):
                bound.add(symbol.get_name())
            if symbol.is_referenced() and (top or symbol.is_global()):
                read.add(symbol.get_name())
    return read - bound
