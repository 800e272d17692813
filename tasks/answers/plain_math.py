r"""Mathematics as people type it without LaTeX, brought into LaTeX: √10, x², ½, full-width digits, pi/2, 3*x, 10^-7."""

import re
import unicodedata
from collections.abc import Callable

_SYMBOLS = str.maketrans({"−": "-", "–": "-", "π": "\\pi ", "∞": "\\infty ", "×": "\\times ", "·": "\\cdot ", "°": ""})
_SYMBOLS |= str.maketrans({"≤": "\\le ", "≥": "\\ge ", "∪": "\\cup ", "√": "\\sqrt ", "θ": "\\theta ", "±": "\\pm "})
_SYMBOLS |= str.maketrans({"≠": "\\ne ", "∅": "\\emptyset ", "⟨": "(", "⟩": ")"})
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def _vulgar(match: re.Match[str]) -> str:
    above, _, below = unicodedata.normalize("NFKC", match[0]).partition("⁄")
    return f"\\frac{{{above}}}{{{below}}}"


_ROOT = r"(?:√|(?<![a-zA-Z\\])sqrt)\s*(?:\(([^()]*)\)|\{([^{}]*)\}|(\d+))"
_TYPED: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+"), lambda match: f"^{{{match[0].translate(_RAISED)}}}"),
    (re.compile("[¼½¾⅐-⅞]"), _vulgar),
    (re.compile(_ROOT), lambda match: f"\\sqrt{{{match[match.lastindex or 0]}}}"),
    (re.compile(r"(?<![a-zA-Z\\])pi(?![a-zA-Z])"), lambda _: "\\pi "),
    (re.compile(r"(?<=[\w)}])\s*\*\s*(?=[\w(\\])"), lambda _: "\\cdot "),
    (re.compile(r"\^\s*(-\d+)"), lambda match: f"^{{{match[1]}}}"),
    (re.compile(r"\\not\s*=|!="), lambda _: "\\ne "),
)


def to_latex(answer: str) -> str:
    """The answer in LaTeX, where single characters and names say how."""
    for pattern, replacement in _TYPED:
        answer = pattern.sub(replacement, answer)
    return (answer if answer.isascii() else unicodedata.normalize("NFKC", answer)).translate(_SYMBOLS)
