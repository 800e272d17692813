r"""Final answers as people and models write them, brought to one spelling, and taken apart.

Pure text, no algebra: `spell` sets aside what never carries meaning in an answer (dollar signs, spacing, sizes of
brackets, faces, units and degrees after a number, commas within a number); `number` and `parts` read what is left.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from tasks.answers.minerva import boxed, final_answer
from tasks.answers.plain_math import to_latex

_OPENING, _CLOSING = "final answer is", "i hope it is correct"
_SAID = re.compile(r"\banswer\s*(?:is|:|=)[:*\s]*", re.IGNORECASE)
_INLINE = re.compile(r"^(\$\$?|\\\(|\\\[)(.+?)(?:\$\$?|\\\)|\\\])", re.DOTALL)
_MARKED = re.compile(r"####[^\S\n]*(\S[^\n]*)")

_SAME_COMMAND = (
    (re.compile(r"\\[dtc]frac(?![a-zA-Z])"), r"\\frac"),
    (re.compile(r"\\(?:left|right|[bB]igg?[lrm]?|displaystyle|textstyle|limits)(?![a-zA-Z])"), ""),
    (re.compile(r"\\(?:leq|leqslant)(?![a-zA-Z])"), r"\\le"),
    (re.compile(r"\\(?:geq|geqslant)(?![a-zA-Z])"), r"\\ge"),
    (re.compile(r"\\neq(?![a-zA-Z])"), r"\\ne"),
    (re.compile(r"\\varnothing(?![a-zA-Z])"), r"\\emptyset"),
    (re.compile(r"\\langle(?![a-zA-Z])"), "("),
    (re.compile(r"\\rangle(?![a-zA-Z])"), ")"),
    (re.compile(r"\\(?:lbrace)(?![a-zA-Z])"), r"\\{"),
    (re.compile(r"\\(?:rbrace)(?![a-zA-Z])"), r"\\}"),
    (re.compile(r"\\(?:quad|qquad|,|;|:|!| )|~|\\\$|\$|\\\(|\\\)|\\\[|\\\](?![0-9])"), " "),
    (re.compile(r"\\?%|\^\s*(?:\{\s*)?\\(?:circ|degree)(?![a-zA-Z])(?:\s*\})?|\\degree(?![a-zA-Z])"), " "),
)
# A row's end must outlive what is done to a backslash before a space.
_NEW_ROW = re.compile(r"\\\\(?:\[[^\]]*\])?")
_FACE = re.compile(
    r"\\(?:text|textbf|textit|textrm|textnormal|mathrm|mathbf|mbox|operatorname|boxed|fbox)\s*\{([^{}]*)\}"
)
_ARGUMENTS = re.compile(
    r"\\frac\s*([^\s{\\])\s*([^\s{\\])|\\frac\s*(\{[^{}]*\})\s*([^\s{\\])|\\frac\s*([^\s{\\])\s*(\{)"
)
_ROOT = re.compile(r"\\sqrt\s*([^\s{\[\\])")
_NUMERAL = r"^(-?[\d.,]+|-?\\frac\{-?[\d.]+\}\{[\d.]+\})"
_AMOUNT = r"^(-?(?:[\d.,]|\\pi\s*|\\sqrt\{[\d.]+\}|\\frac\{[^{}]*\}\{[^{}]*\})+)"
# A unit in its own typeface, or in words of at least two letters: 5x has no unit.
_UNIT = re.compile(_AMOUNT + r"\s*\\(?:text|textrm|mbox|mathrm)\s*\{[^{}]*\}\s*(?:\^\{?\d\}?)?[.\s]*$")
_UNIT_IN_WORDS = re.compile(_NUMERAL + r"\s+[a-zA-Z]{2}[a-zA-Z.\s^\d]*$")
_NAMED = re.compile(r"^(?:[a-zA-Z]|\\[a-z]+)(?:_\w|\([a-z]\))?\s*(?:=|\\in(?![a-z]))\s*(?!.*=)(.+)$", re.DOTALL)
_NAMED_LAST = re.compile(r"^([^=a-zA-Z]+)=\s*[a-zA-Z]$")
# 5 p.m. is not 5 a.m.: no unit that may be left out.
_HALF = r"\s*([ap])\.?\s?m\b\.?"
_HALF_DAY = re.compile(
    rf"(?<=\d)(?::00)?\s*(?:\\(?:text|textrm|mathrm|mbox)\s*\{{{_HALF}\s*\}}|{_HALF})", re.IGNORECASE
)
_IN_HALF_DAY = re.compile(r"\d[ap]m$")
_BASES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "twelve": 12}
_IN_BASE = re.compile(rf"^\(?([0-9A-F]+)\)?\s*(?:_\{{?|\s(?:in )?base[-\s]*)\s*\(?({'|'.join(_BASES)}|\d+)\)?\s*\}}?$")
_THOUSANDS = re.compile(r"^-?\d{1,3}(?:,\s?\d{3})+(?:\.\d+)?$")
_BRACED_LETTER = re.compile(r"([_^])\{(\w)\}")
_MIXED = re.compile(r"(\d)\s+(\d+)/(\d+)")
_SPACED_THOUSANDS = re.compile(r"^-?\d{1,3}(?:\s\d{3})+$")
_SPACE = re.compile(r"(\\[a-zA-Z]+|(?<=\d))\s+(?=[a-zA-Z]|\d)|\s+")

_POWER_OF_TEN = r"(?:[eE]|\\(?:times|cdot) ?10\^)\{?(?P<power>[-+]?\d{1,3})\}?"
_DECIMAL = re.compile(rf"^(?P<value>[-+]?(?:\d+\.?\d*|\.\d+))(?:{_POWER_OF_TEN})?$")
_REPEATING = re.compile(r"^(?P<sign>[-+]?)(?P<whole>\d*)\.(?P<fixed>\d*)\\(?:overline|bar|dot)\{?(?P<again>\d+)\}?$")
_COLON = re.compile(r"^(\d{1,9}):(\d{1,9})$")
_CLOCK = re.compile(r"^\d{1,2}:\d\d$")
_RELATION = re.compile(r"[<>]|\\(?:le|ge|ne|lt|gt)(?![a-zA-Z])")
_RATIO = re.compile(
    r"^(?P<sign>[-+]?)(?P<whole>\d*)(?:\\frac\{(?P<a>-?\d+)\}\{(?P<b>-?\d+)\}|(?P<c>(?<!\d)\d+)/(?P<d>\d+))$"
)
_MATRIX = re.compile(r"^[(\[]?\\begin\{([bpvB]?matrix|array)\}(?:\{[lcr|]*\})?(.*)\\end\{\1\}[)\]]?$", re.DOTALL)
# Numerals in a base: of two that differ, algebra would see no more than a symbol with a subscript.
_BASED = re.compile(r"^-?[0-9A-F]+_(?:\d|\{\d+\})$")
# Parsers read 1 2 as 12.
_SEVERAL = re.compile(r"^-?\d+(?: \d+)+$")
# Beyond this no number is meant, and arithmetic on it costs.
_MAX_DIGITS = 1_000
_LONGEST_PRODUCT = 3


def find(text: str) -> str | None:
    r"""The final answer of a sample: as Minerva marks it, or else in the last `\boxed{}`, or else what follows the last
    "answer is" or "answer:" on its line, or else the first `####`; None where there is none of these."""
    marked = final_answer(text)
    if marked is None:
        marked = _closed(text)
    if marked is None:
        marked = boxed(text)
    if marked is None:
        marked = _said(text)
    if marked is None and (hashes := _MARKED.search(text)):
        marked = hashes[1]
    return marked if marked and marked.strip() else None


def _closed(text: str) -> str | None:
    """What stands between Minerva's words where they are written otherwise, or on several lines."""
    lower = text.lower()
    start = lower.find(_OPENING)
    end = lower.find(_CLOSING, start) if start >= 0 else -1
    # Some letters change their number when they are lowered: then the places are not the text's.
    if end < 0 or len(lower) != len(text):
        return None
    return text[start + len(_OPENING) : end].strip().removeprefix(":").removesuffix(".").strip()


def _said(text: str) -> str | None:
    """What follows the last "answer is" on its line, or the formula that it begins with."""
    places = [match.end() for match in _SAID.finditer(text)]
    if not places:
        return None
    rest = text[places[-1] :].partition("\n")[0]
    inline = _INLINE.match(rest)
    return inline[2] if inline else rest


def spell(answer: str) -> str:
    """The answer in one spelling; two answers of one spelling are the same."""
    answer = _NEW_ROW.sub("\0", to_latex(answer))
    for pattern, replacement in _SAME_COMMAND:
        answer = pattern.sub(replacement, answer)
    answer = _ROOT.sub(r"\\sqrt{\1}", _ARGUMENTS.sub(_braced, answer))
    answer = _HALF_DAY.sub(lambda half: f"{(half[1] or half[2]).lower()}m", answer)
    if (unit := _UNIT.match(answer.strip())) is not None:
        answer = unit[1]
    while (unwrapped := _FACE.sub(r" \1 ", answer)) != answer:
        answer = unwrapped
    answer = re.sub(r",?\s+(?:and|or)\s+", ",", answer)
    answer = answer.replace("{,}", ",").strip().strip("*").rstrip(".").strip()
    answer = _ROOT.sub(r"\\sqrt{\1}", _ARGUMENTS.sub(_braced, answer))
    if (based := _IN_BASE.match(answer)) is not None:
        answer = f"{based[1]}_{{{_BASES.get(based[2], based[2])}}}"
    if (value := _NAMED.match(answer) or _NAMED_LAST.match(answer)) is not None:
        answer = value[1]
    answer = re.sub(r"\bdegrees?\b", " ", answer).strip()
    if (unit := _UNIT_IN_WORDS.match(answer)) is not None:
        answer = unit[1]
    if _THOUSANDS.match(answer) or _SPACED_THOUSANDS.match(answer):
        answer = re.sub(r"[,\s]", "", answer)
    answer = _MIXED.sub(r"\1\\frac{\2}{\3}", answer)
    answer = _SPACE.sub(_spaced, answer)
    return _BRACED_LETTER.sub(r"\1\2", answer).replace("\0", r"\\")


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


def number(spelt: str) -> Fraction | None:
    """The value of a decimal, a fraction of whole numbers or a mixed number; None if it is not one of these, or longer
    than 1,000 characters."""
    if len(spelt) > _MAX_DIGITS:
        return None
    if (decimal := _DECIMAL.match(spelt)) is not None:
        return Fraction(decimal["value"]) * Fraction(10) ** int(decimal["power"] or 0)
    if (repeating := _REPEATING.match(spelt)) is not None:
        return _repeating(**repeating.groupdict())
    ratio = _RATIO.match(spelt)
    if ratio is None or not int(ratio["b"] or ratio["d"]):
        return None
    part = Fraction(int(ratio["a"] or ratio["c"]), int(ratio["b"] or ratio["d"]))
    return (-1 if ratio["sign"] == "-" else 1) * (int(ratio["whole"] or 0) + part)


def _repeating(sign: str, whole: str, fixed: str, again: str) -> Fraction:
    shifted = int(f"{whole}{fixed}{again}") - int(f"0{whole}{fixed}")
    value = Fraction(shifted, 10 ** len(fixed) * (10 ** len(again) - 1))
    return -value if sign == "-" else value


def word(spelt: str) -> str | None:
    """The answer in lower case where it is words alone, or a choice such as (B); None where it is not."""
    bare = spelt.removeprefix("(").removesuffix(")")
    return bare.casefold() if bare.isalpha() and (len(bare) > 1 or bare != spelt) else None


def equal_without_algebra(gold: str, answer: str) -> bool | None:
    """Whether two spelt answers are the same; None where that is not to be seen without algebra."""
    if gold == answer:
        return True
    for rule in (_by_value, _by_digits, _by_word):
        if (known := rule(gold, answer)) is not None:
            return known
    return None


def _by_value(gold: str, answer: str) -> bool | None:
    ours, theirs = _quotient(gold), _quotient(answer)
    if ours is not None and theirs is not None:
        # 4:30 is half past four, and not 9:60.
        return ours == theirs and not _CLOCK.match(gold)
    return False if _differ_in_kind(gold, answer) or _differ_in_kind(answer, gold) else None


def _quotient(spelt: str) -> Fraction | None:
    """The value of a number, or of a ratio such as 2:1."""
    ratio = _COLON.match(spelt)
    if ratio is None:
        return number(spelt)
    return Fraction(int(ratio[1]), int(ratio[2])) if int(ratio[2]) else None


def _differ_in_kind(one: str, other: str) -> bool:
    """Whether the first says that something is less, more or other than a value, and the second is a value. (Parsers
    read the value alone.)"""
    relation = _RELATION.search(one)
    if relation is None or _RELATION.search(other) is not None:
        return False
    return relation.start() == 0 or number(other) is not None


def _by_digits(gold: str, answer: str) -> bool | None:
    if _BASED.match(gold):
        # The question has said which base: the digits alone will do.
        return gold.partition("_")[0] == answer
    if _IN_HALF_DAY.search(gold) and _IN_HALF_DAY.search(answer):
        return False
    return False if _BASED.match(answer) or _SEVERAL.match(gold) or _SEVERAL.match(answer) else None


def _by_word(gold: str, answer: str) -> bool | None:
    said = word(gold)
    if said is None:
        return None
    if said == answer.removeprefix("(").removesuffix(")").casefold():
        return True
    # ab and xyz may be products, too.
    return None if gold.islower() and len(gold) <= _LONGEST_PRODUCT else False


def named(element: str) -> str | None:
    """What an element of a list says that it is the value of; None where it says nothing."""
    name, equals, _ = element.partition("=")
    return name.strip() if equals else None


class Parts(NamedTuple):
    """What an answer is made of: `brackets` around it (empty for a list without any), and its elements in order.

    A matrix has the brackets `matrix`, a row's elements are separated by the rows' number in `rows`.
    """

    brackets: str
    elements: tuple[str, ...]
    rows: int = 1

    @property
    def ordered(self) -> bool:
        """Whether the order of the elements means something: not in sets and plain lists."""
        return self.brackets not in {"", "{}"}


def parts(spelt: str) -> Parts | None:
    """A tuple, interval, set, list or matrix, taken apart; None for anything else."""
    matrix = _MATRIX.match(spelt)
    if matrix is not None:
        rows = [row.split("&") for row in re.split(r"\\\\", matrix[2]) if row.strip()]
        if not rows or len({len(row) for row in rows}) != 1:
            return None
        return Parts("matrix", tuple(cell for row in rows for cell in row), len(rows))
    inside = spelt.replace("\\{", "{").replace("\\}", "}")
    if inside and inside[0] in "([{" and inside[-1] in ")]}" and _closes_at(inside) == len(inside) - 1:
        elements = _split(inside[1:-1])
        if len(elements) > 1 or inside[0] == "{":
            return Parts(inside[0] + inside[-1], tuple(elements))
        return None
    elements = [signed for element in _split(spelt) for signed in _both_signs(element)]
    return Parts("", tuple(elements)) if len(elements) > 1 else None


def _both_signs(element: str) -> tuple[str, ...]:
    if element.count("\\pm") != 1:
        return (element,)
    return element.replace("\\pm", "+").removeprefix("+").strip(), element.replace("\\pm", "-").strip()


def _closes_at(text: str) -> int:
    """Where the first bracket of a text closes; intervals may close with the other kind."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0:
            return place
    return -1


def _split(text: str) -> list[str]:
    """At the commas that no bracket encloses."""
    found, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter in ",;" and depth == 0:
            found.append(text[start:place])
            start = place + 1
    found.append(text[start:])
    return [element.strip() for element in found]
