r"""Final answers as people and models write them, in one normal form.

Pure text, no algebra. What never carries meaning in an answer is left out: dollar signs and those of other currencies,
spacing, sizes of brackets, faces, degrees, units, "th" after a number, commas within a number. What an answer says that
it is the value of stays ("x = 3"): `tasks.answers.structure` takes it apart.
"""

import re

from tasks.answers.plain_math import to_latex
from tasks.answers.units import split_unit

_SAME_COMMAND = (
    (re.compile(r"\\[dtc]frac(?![a-zA-Z])"), r"\\frac"),
    (re.compile(r"\\(?:left|right|[bB]igg?[lrm]?|displaystyle|textstyle|limits)(?![a-zA-Z])"), ""),
    (re.compile(r"\\(?:leq|leqslant)(?![a-zA-Z])"), r"\\le"),
    (re.compile(r"\\(?:geq|geqslant)(?![a-zA-Z])"), r"\\ge"),
    (re.compile(r"\\lt(?![a-zA-Z])"), "<"),
    (re.compile(r"\\gt(?![a-zA-Z])"), ">"),
    (re.compile(r"\\neq(?![a-zA-Z])"), r"\\ne"),
    (re.compile(r"\\(?:approx|simeq)(?![a-zA-Z])"), "="),
    (re.compile(r"\\varnothing(?![a-zA-Z])"), r"\\emptyset"),
    (re.compile(r"\\langle(?![a-zA-Z])"), "("),
    (re.compile(r"\\rangle(?![a-zA-Z])"), ")"),
    (re.compile(r"\\(?:lbrace)(?![a-zA-Z])"), r"\\{"),
    (re.compile(r"\\(?:rbrace)(?![a-zA-Z])"), r"\\}"),
    (re.compile(r"\\dbinom|\\tbinom"), r"\\binom"),
    (re.compile(r"\\(?:pounds|euro)(?![a-zA-Z])|[€£¥₹]"), " "),
    (re.compile(r"\\(?:quad|qquad|,|;|:|!| )|~|\\\$|\$|\\\(|\\\)|\\\[|\\\](?![0-9])"), " "),
    (re.compile(r"\\?%|\^\s*(?:\{\s*)?\\(?:circ|degree)(?![a-zA-Z])(?:\s*\})?|\\degree(?![a-zA-Z])"), " "),
)
# A row's end must outlive what is done to a backslash before a space.
_NEW_ROW = re.compile(r"\\\\(?:\[[^\]]*\])?")
_FACE = re.compile(
    r"\\(?:text|textbf|textit|textrm|textsf|texttt|textnormal|emph|underline|mathrm|mathbf|mathit|mathsf|boldsymbol|bold"
    r"|mbox|operatorname\*?|boxed|fbox)\s*\{([^{}]*)\}"
)
_FACE_SWITCH = re.compile(r"\\(?:rm|bf|it|sf|tt)(?![a-zA-Z])\s*")
# 5^{\text{th}} is 5.
_ORDINAL = re.compile(
    r"(?<=\d)\s*(?:\^\s*)?(?:\{\s*)?(?:\\(?:text|textrm|mathrm|mbox|textsuperscript)\s*\{\s*|\\rm\s+)?(?:st|nd|rd|th)"
    r"(?![a-zA-Z])(?:\s*\})?(?:\s*\})?"
)
_ARGUMENTS = re.compile(
    r"\\frac\s*([^\s{\\])\s*([^\s{\\])|\\frac\s*(\{[^{}]*\})\s*([^\s{\\])|\\frac\s*([^\s{\\])\s*(\{)"
)
_ROOT = re.compile(r"\\sqrt\s*([^\s{\[\\(])")
# 5 p.m. is not 5 a.m.: no unit that may be left out.
_HALF = r"\s*([ap])\.?\s?m\b\.?"
_HALF_DAY = re.compile(
    rf"(?<=\d)(?::00)?\s*(?:\\(?:text|textrm|mathrm|mbox)\s*\{{{_HALF}\s*\}}|{_HALF})", re.IGNORECASE
)
_BASES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "twelve": 12}
_IN_BASE = re.compile(
    rf"^\(?([0-9A-F]+(?:\.[0-9A-F]+)?)\)?\s*(?:_\{{?|\s(?:in )?base[-\s]*)\s*\(?({'|'.join(_BASES)}|\d+)\)?\s*\}}?$"
)
_THOUSANDS = re.compile(r"^-?\d{1,3}(?:,\s?\d{3})+(?:\.\d+)?$")
_SPACED_THOUSANDS = re.compile(r"^-?\d{1,3}(?:\s\d{3})+$")
_BRACED_LETTER = re.compile(r"([_^])\{(\w)\}")
_MIXED = re.compile(r"(\d)\s+(\d+)/(\d+)")
_SPACE = re.compile(r"(\\[a-zA-Z]+|(?<=\d))\s+(?=[a-zA-Z]|\d)|\s+")


def normalize(answer: str) -> str:
    """The answer in its normal form; two answers with the same normal form are the same."""
    answer = _NEW_ROW.sub("\0", to_latex(answer))
    for pattern, replacement in _SAME_COMMAND:
        answer = pattern.sub(replacement, answer)
    answer = _ORDINAL.sub("", answer)
    answer = _with_braces(answer)
    answer = _HALF_DAY.sub(lambda half: f"{(half[1] or half[2]).lower()}m", answer)
    if (amount := split_unit(answer.strip())) is not None:
        answer = amount.value
    answer = _FACE_SWITCH.sub("", answer)
    while (unwrapped := _FACE.sub(r" \1 ", answer)) != answer:
        answer = unwrapped
    answer = re.sub(r",?\s+(?:and|or)\s+", ",", answer)
    answer = answer.replace("{,}", ",").strip().strip("*").rstrip(".").strip().removeprefix("=").strip()
    answer = _with_braces(answer)
    if (based := _IN_BASE.match(answer)) is not None:
        answer = f"{based[1]}_{{{_BASES.get(based[2], based[2])}}}"
    answer = re.sub(r"\bdegrees?\b", " ", answer).strip()
    if (amount := split_unit(answer)) is not None:
        answer = amount.value
    answer = answer.strip()
    if _THOUSANDS.match(answer) or _SPACED_THOUSANDS.match(answer):
        answer = re.sub(r"[,\s]", "", answer)
    answer = _MIXED.sub(r"\1\\frac{\2}{\3}", answer)
    answer = _SPACE.sub(_spaced, answer)
    return _BRACED_LETTER.sub(r"\1\2", answer).replace("\0", r"\\")


def _with_braces(answer: str) -> str:
    return _ROOT.sub(r"\\sqrt{\1}", _ARGUMENTS.sub(_braced, answer))


def _spaced(match: re.Match[str]) -> str:
    """A space stays after a command's name, and between two digits; elsewhere it means nothing."""
    before, after = match[1], match.string[match.end() : match.end() + 1]
    if before is None:
        return ""
    return f"{before} " if before.startswith("\\") or after.isdigit() else before


def _braced(match: re.Match[str]) -> str:
    first, second = [part for part in match.groups() if part is not None]
    first = first if first.startswith("{") else f"{{{first}}}"
    if second == "{":
        return f"\\frac{first}{{"
    return f"\\frac{first}{{{second}}}"
