r"""Mathematics as people type it without LaTeX, brought into LaTeX: √10, x², ½, full-width digits, pi/2, 3*x, 10^-7,
2**10, sin(x), log_2(3), sqrt(2), (-inf, 2) U (3, inf)."""

import re
import unicodedata
from collections.abc import Callable

_SYMBOLS = str.maketrans({"−": "-", "–": "-", "π": "\\pi ", "∞": "\\infty ", "×": "\\times ", "·": "\\cdot ", "°": ""})
_SYMBOLS |= str.maketrans({"≤": "\\le ", "≥": "\\ge ", "∪": "\\cup ", "√": "\\sqrt ", "θ": "\\theta ", "±": "\\pm "})
_SYMBOLS |= str.maketrans(
    {"≠": "\\ne ", "∅": "\\emptyset ", "⟨": "(", "⟩": ")", "÷": "\\div ", "≈": "=", "∩": "\\cap "}
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def _vulgar(match: re.Match[str]) -> str:
    above, _, below = unicodedata.normalize("NFKC", match[0]).partition("⁄")
    return f"\\frac{{{above}}}{{{below}}}"


_FUNCTIONS = "arcsin|arccos|arctan|sinh|cosh|tanh|sin|cos|tan|cot|sec|csc|ln|log|exp"
# √2, sqrt(2), \sqrt(2): LaTeX itself would take the parenthesis alone.
_ROOT = r"(?:√|\\sqrt|(?<![a-zA-Z\\])sqrt)\s*(?:\(([^()]*)\)|\{([^{}]*)\}|(\d+))"
_TYPED: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+"), lambda match: f"^{{{match[0].translate(_RAISED)}}}"),
    (re.compile("[¼½¾⅐-⅞]"), _vulgar),
    (re.compile(r"(?<![a-zA-Z\\])pi(?![a-zA-Z])"), lambda _: "\\pi "),
    (re.compile(r"(?<![a-zA-Z\\])inf(?:inity|ty)?(?![a-zA-Z])"), lambda _: "\\infty "),
    (
        # Of letters alone, "log" is a word; a function has something to be applied to.
        re.compile(rf"(?<![a-zA-Z\\])({_FUNCTIONS})(?=\s*[(_^\\{{\d]|\s+[a-zA-Z](?![a-zA-Z]))"),
        lambda match: f"\\{match[1]} ",
    ),
    (re.compile(r"(?<=[\w)}])\s*\*\*\s*(?=[\w(\\-])"), lambda _: "^"),
    (re.compile(r"(?<=[\w)}])\s*\*\s*(?=[\w(\\])"), lambda _: "\\cdot "),
    (re.compile(r"\^\s*(-?\d+|\((?:[^()]{1,50})\))(?!\d)"), lambda match: f"^{{{_bare(match[1])}}}"),
    (re.compile(r"\\not\s*=|!="), lambda _: "\\ne "),
    (re.compile(r"<="), lambda _: "\\le "),
    (re.compile(r">="), lambda _: "\\ge "),
    (re.compile(r"(?<=[)\]])\s*[Uu]\s*(?=[(\[])"), lambda _: "\\cup "),
)
_ROOTS = re.compile(_ROOT)
# Roots within roots are rewritten from the inside.
_DEEPEST = 10


def _bare(exponent: str) -> str:
    return exponent[1:-1] if exponent.startswith("(") else exponent


def to_latex(answer: str) -> str:
    """The answer in LaTeX, where single characters and names say how."""
    for _ in range(_DEEPEST):
        rewritten = _ROOTS.sub(lambda match: f"\\sqrt{{{match[match.lastindex or 0]}}}", answer)
        if rewritten == answer:
            break
        answer = rewritten
    for pattern, replacement in _TYPED:
        answer = pattern.sub(replacement, answer)
    return (answer if answer.isascii() else unicodedata.normalize("NFKC", answer)).translate(_SYMBOLS)
