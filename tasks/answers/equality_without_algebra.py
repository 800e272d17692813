"""What can be said of two spelt answers without algebra: the same number, the same word, another kind of thing."""

import re
from fractions import Fraction

from tasks.answers.structure import choice, equation

_POWER_OF_TEN = r"(?:[eE]|\\(?:times|cdot) ?10\^)\{?(?P<power>[-+]?\d{1,3})\}?"
_DECIMAL = re.compile(rf"^(?P<value>[-+]?(?:\d+\.?\d*|\.\d+))(?:{_POWER_OF_TEN})?$")
_REPEATING = re.compile(r"^(?P<sign>[-+]?)(?P<whole>\d*)\.(?P<fixed>\d*)\\(?:overline|bar|dot)\{?(?P<again>\d+)\}?$")
_COLON = re.compile(r"^(\d{1,9}):(\d{1,9})$")
_CLOCK = re.compile(r"^\d{1,2}:\d\d$")
_RELATION = re.compile(r"[<>]|\\(?:le|ge|ne)(?![a-zA-Z])")
_RATIO = re.compile(
    r"^(?P<sign>[-+]?)(?P<whole>\d*)(?:\\frac\{(?P<a>-?\d+)\}\{(?P<b>-?\d+)\}|(?P<c>(?<!\d)\d+)/(?P<d>\d+))$"
)
_IN_HALF_DAY = re.compile(r"\d[ap]m$")
# Numerals in a base: of two that differ, algebra would see no more than a symbol with a subscript.
_BASED = re.compile(r"^-?[0-9A-F]+(?:\.[0-9A-F]+)?_(?:\d|\{\d+\})$")
# Parsers read 1 2 as 12.
_SEVERAL = re.compile(r"^-?\d+(?: \d+)+$")
# Beyond this no number is meant, and arithmetic on it costs.
_MAX_DIGITS = 1_000
_LONGEST_PRODUCT = 3


def equal_without_algebra(gold: str, answer: str) -> bool | None:
    """Whether two spelt answers are the same; None where that is not to be seen without algebra."""
    if gold == answer:
        return True
    values = as_values(gold, answer)
    if values is None:
        return None
    for rule in (_by_value, _by_digits, _by_word, _by_choice):
        if (known := rule(*values)) is not None:
            return known
    return None


def as_values(gold: str, answer: str) -> tuple[str, str] | None:
    """The two texts whose values decide: without "x =", where both name the same thing or one names nothing. None
    where whole equations have to be compared."""
    ours, theirs = equation(gold), equation(answer)
    if ours is not None and theirs is not None:
        return (ours.right, theirs.right) if ours.name is not None and ours.name == theirs.name else None
    if theirs is not None:
        return None if theirs.value is None else (gold, theirs.value)
    if ours is not None:
        return None if ours.name is None else (ours.right, answer)
    return gold, answer


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
    chosen = choice(answer)
    if said == answer.removeprefix("(").removesuffix(")").casefold() or (chosen and said == chosen[0].casefold()):
        return True
    # ab and xyz may be products, too.
    return None if gold.islower() and len(gold) <= _LONGEST_PRODUCT else False


def _by_choice(gold: str, answer: str) -> bool | None:
    """The letter or the value of a choice is enough, but its letter must be right where both have one."""
    ours, theirs = choice(gold), choice(answer)
    if ours is not None and theirs is not None and ours[0] != theirs[0]:
        return False
    if theirs is not None and ours is None:
        return gold == theirs[0] or equal_without_algebra(gold, theirs[1]) or None
    if ours is not None and theirs is None:
        letter = answer.removeprefix("(").removesuffix(")").casefold()
        return letter == ours[0].casefold() or equal_without_algebra(ours[1], answer) or None
    return None
