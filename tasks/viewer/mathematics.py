r"""Formulas in texts as MathML, which browsers set without a font or script of ours.

A formula stands between `$` and `$`, `$$` and `$$`, `\(` and `\)`, or `\[` and `\]`. As in Pandoc, a single `$` opens
one only before a character that is not whitespace, and closes one only after such a character and before no digit, so
that amounts of money stay text. What latex2mathml makes of a hostile formula is not trusted: only known elements and
attributes pass, and all text is escaped. A formula that it cannot read stays as it is.
"""

import html
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from latex2mathml import exceptions
from latex2mathml.converter import convert_to_element

_FORMULA = re.compile(
    r"\$\$(?P<display>[^$]{1,2000}?)\$\$"
    r"|\\\[(?P<bracket>.{1,2000}?)\\\]"
    r"|\\\((?P<inline>.{1,2000}?)\\\)"
    r"|(?<![\\$\w])\$(?P<dollar>(?![\s$])(?:[^$\n\\]|\\.){1,500}?(?<!\s))\$(?![\d$])",
    re.DOTALL,
)
_MAX_ELEMENTS, _MAX_DEPTH = 20_000, 60
_ELEMENTS = frozenset(
    ("math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup",
     "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "mtable", "mtr", "mtd", "mstyle", "mpadded",
     "mphantom", "merror", "none")
)  # fmt: skip
_VALUES = {
    "display": re.compile("block|inline"),
    "mathvariant": re.compile("normal"),
    "linethickness": re.compile(r"0|[0-9](\.[0-9]{1,2})?(em|ex|px|pt)"),
    "width": re.compile(r"-?[0-9](\.[0-9]{1,4})?(em|ex|px|pt)"),
    **dict.fromkeys(
        ("stretchy", "fence", "separator", "displaystyle", "accent", "accentunder", "movablelimits", "largeop"),
        re.compile("true|false"),
    ),
}
# What the library raises on formulas that it cannot read: its own errors, and those of code that expects another token.
_UNREADABLE: tuple[type[Exception], ...] = (
    *(each for each in vars(exceptions).values() if isinstance(each, type) and issubclass(each, Exception)),
    *(ValueError, LookupError, TypeError, AttributeError, StopIteration, RuntimeError, ArithmeticError),
)


class _TooDeepError(ValueError):
    """A formula is nested too deeply."""


def with_formulas(text: str) -> str:
    """A text as HTML: its formulas as MathML, all else escaped."""
    return "".join(_parts(text))


def _parts(text: str) -> Iterator[str]:
    at, room = 0, _MAX_ELEMENTS
    for found in _FORMULA.finditer(text):
        source = found[found.lastgroup or 0]
        kind = "block" if found.lastgroup in ("display", "bracket") else "inline"
        try:
            root = convert_to_element(source, display=kind)
            room -= sum(1 for _ in root.iter())
            if room < 0:
                break
            shown = _checked(root, 0)
        except _UNREADABLE:
            continue
        yield html.escape(text[at : found.start()])
        yield shown
        at = found.end()
    yield html.escape(text[at:])


def _checked(element: Element, depth: int) -> str:
    """An element as HTML, with what is not known left out: of an unknown element its content stays."""
    if depth > _MAX_DEPTH:
        raise _TooDeepError
    inner = _escaped(element.text) + "".join(_checked(child, depth + 1) + _escaped(child.tail) for child in element)
    name = element.tag.rpartition("}")[2]
    if name == "menclose":
        return f'<mrow class="boxed">{inner}</mrow>' if element.get("notation") == "box" else f"<mrow>{inner}</mrow>"
    if name not in _ELEMENTS:
        return f"<mrow>{inner}</mrow>"
    kept = [(key, value) for key, value in element.items() if key in _VALUES and _VALUES[key].fullmatch(value)]
    attributes = "".join(f' {key}="{value}"' for key, value in kept)
    return f"<{name}{attributes}>{inner}</{name}>"


def _escaped(text: str | None) -> str:
    """Text of the library, which writes special characters as references."""
    return html.escape(html.unescape(text or ""))
