"""Work on the texts of samples that may take long on some of them, run in processes that can be killed.

Called by name (`tasks.answers.isolated`); arguments and values are JSON.
"""

import difflib
import html
import re
import warnings
from collections.abc import Iterator

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from tasks.viewer.mathematics import with_formulas

_FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_LOOKS_LIKE_PYTHON = re.compile(r"^(?:def |class |import |from \w|for |while |print\(|\w+ = )", re.MULTILINE)


def marked_up(text: str) -> str:
    """A text as HTML: code with its syntax marked by classes, formulas between code as MathML, all else escaped."""
    return "".join(_parts(text))


def _parts(text: str) -> Iterator[str]:
    at = 0
    for fence in _FENCE.finditer(text):
        yield with_formulas(text[at : fence.start(2)])
        yield _code(fence[2], fence[1].lower() or "python")
        at = fence.end(2)
    if not at and _is_python(text):
        yield _code(text, "python")
    else:
        yield with_formulas(text[at:])


def _is_python(text: str) -> bool:
    if _LOOKS_LIKE_PYTHON.search(text) is None:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "sample", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return False
    return True


def _code(code: str, language: str) -> str:
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return html.escape(code)
    marked: str = highlight(code, lexer, HtmlFormatter(nowrap=True, classprefix="t-"))
    return marked if code.endswith("\n") else marked.removesuffix("\n")


def aligned_lines(left: str, right: str) -> list[tuple[str, str | None, str | None]]:
    """The lines of two texts next to each other: how they relate (`equal`, `replace`, `delete` or `insert`), and each
    text's line, None where it has none."""
    a, b = left.splitlines(), right.splitlines()
    rows: list[tuple[str, str | None, str | None]] = []
    for kind, a1, a2, b1, b2 in difflib.SequenceMatcher(None, a, b, autojunk=True).get_opcodes():
        for at in range(max(a2 - a1, b2 - b1)):
            mine = a[a1 + at] if a1 + at < a2 else None
            theirs = b[b1 + at] if b1 + at < b2 else None
            rows.append(("delete" if theirs is None else "insert" if mine is None else kind, mine, theirs))
    return rows
