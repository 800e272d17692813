r"""Numbers as final answers, in the many forms in which models give them.

Where the answer stands: after the first `####` that is not a heading; or else in the last `\boxed{}`; or else after the
last "answer is" or `A:` (also "Answer:") that begins a line; or else it is the last number of the text. There it is the
first number, or, where a calculation stands, its result. What is compared: values, exactly. $18, 18.0, 18.00 dollars,
36/2, 17 2/2 and 18 are one, as are 1,800, 1 800, 1{,}800 and 1.8e3; 18 % is 18; 17.99 is not 18.
"""

import re
from fractions import Fraction
from typing import ClassVar, Literal

from tasks.answers.finding import boxed, hashed
from tasks.graders import Decided
from tasks.graders.base.answer_grader import AnswerGrader
from tasks.graders.base.verdicts import shortened
from tasks.records import Verdict

_SAID = re.compile(
    r"(?:^[ \t*#]*(?:A|Answer|Final answer)[ \t*]*:|\banswer[*_]{0,3}[ \t]*(?:is\b|=)"
    r"(?:[ \t]+(?:therefore|thus|then|hence|so|simply|just)\b,?)?[ \t:*]*)([^\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER = re.compile(
    r"-?\s?(?:[$€£]\s?)?(?:(?:(?P<whole>\d+)\s?)?\\frac\{(?P<above>\d+)\}\{(?P<below>\d+)\}"
    r"|(?P<full>\d+) (?P<part>\d+)/(?P<of>\d+)"
    r"|(?P<value>\d{1,3}(?:[, ]\d{3})+(?![\d])(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?:[eE](?P<power>[-+]?\d{1,3})(?!\w)|\s?/\s?(?P<by>\d+))?)"
)
# "3 + 4 = 7", and not "7 = 3 + 4" or "7 (where x = 3)".
_CALCULATION = re.compile(r"[\s$*(]*(?:\w+\s*=\s*)?-?[$€£]?[\d.,]+[\w\s]*[-+*/×÷]\s*[$€£]?\d[^=]*=")
# How LaTeX, typesetters, and people who have other keys, write what a number is made of.
_WRITTEN = (
    (re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]"), " "),
    (re.compile(r"\{,\}|,\\!|(?<=\d)\\[,;: ](?=\d{3})"), ","),
    (re.compile(r"[−–](?=\s?[$€£]?\s?\d)"), "-"),
    (re.compile(r"\\[dtc]frac(?![a-zA-Z])"), r"\\frac"),
    (re.compile(r"\\frac\s*(\d)\s*(\d)"), r"\\frac{\1}{\2}"),
    (re.compile(r"(?<=\d)\s?(?:[xX]|\\times|\\cdot)\s?(?=[$€£]?\d)"), " × "),
)
# A number of more digits is an answer to nothing, and costs time to read.
_LONGEST = 1_000
# The number of characters at the end of a text in which its last number is looked for.
_TAIL = 2_000


class Gsm8kTolerantGrader(AnswerGrader):
    """Grades the number that a sample gives as its answer, in whatever form."""

    version: ClassVar[int] = 3
    name: Literal["gsm8k_tolerant"] = "gsm8k_tolerant"

    def decide(self, gold: str, text: str) -> Decided:
        """See `AnswerGrader`; `no_answer` where there is no number."""
        found = find(text)
        if found is None:
            return Verdict.NO_ANSWER, "no number", None
        got = value(found)
        if got is None:
            return Verdict.WRONG, f"answered {shortened(found)}", None
        if got == value(gold):
            return Verdict.CORRECT, "", str(got)
        return Verdict.WRONG, f"answered {shortened(found)}", str(got)


def find(text: str) -> str | None:
    """The number that a text gives as its answer, as it is written there; None where there is none."""
    # The first that is marked counts, with or without a number: whatever a sample goes on to say cannot change it.
    marked = next(iter(hashed(text)), None)
    if marked is not None:
        return _first(marked)
    inside = boxed(text)
    if inside is not None and (found := _first(inside)) is not None:
        return found
    for said in reversed(_SAID.findall(text)):
        if (found := _first(said)) is not None:
            return found
    numbers = list(_NUMBER.finditer(_plain(text[-_TAIL:])))
    return numbers[-1][0] if numbers else None


def value(written: str) -> Fraction | None:
    """The value of a number; None where it has none, or more than 1,000 characters."""
    match = _NUMBER.search(_plain(written)) if len(written) <= _LONGEST else None
    if match is None:
        return None
    whole = match["whole"] or match["full"] or 0
    above = match["above"] or match["part"] or re.sub("[, ]", "", match["value"])
    below = Fraction(match["below"] or match["of"] or match["by"] or 1)
    sign = -1 if match[0].startswith("-") else 1
    power = Fraction(10) ** int(match["power"] or 0)
    return sign * (int(whole) + Fraction(above) / below) * power if below else None


def _first(text: str) -> str | None:
    """The first number of a text, or the result of the calculation that it begins with."""
    plain = _plain(text)
    match = _NUMBER.search(plain.rpartition("=")[2]) if _CALCULATION.match(plain[:_TAIL]) else None
    match = match or _NUMBER.search(plain)
    return match[0] if match else None


def _plain(text: str) -> str:
    for pattern, replacement in _WRITTEN:
        text = pattern.sub(replacement, text)
    return text
