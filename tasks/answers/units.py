r"""The unit after an answer: `12\text{ cm}^2`, `12 square centimeters`, `\$12`.

An answer without its unit, or with a unit that nobody knows here, is not wrong for that. One with another unit is:
12 feet are not 12 inches, and 12 cm² not 12 cm³.
"""

import re
from typing import NamedTuple

_NUMERAL = r"-?[\d.,]+|-?\\frac\{-?[\d.]+\}\{[\d.]+\}"
_AMOUNT = r"-?(?:[\d.,]|\\pi\s*|\\sqrt\{[\d.]+\}|\\frac\{[^{}]*\}\{[^{}]*\})+"
_POWER = r"\^\s*(?:\{\s*(?P<braced>\d)\s*\}|(?P<bare>\d))"
_FACE = r"\\(?:text|textrm|textnormal|mbox|mathrm|operatorname)"
# A unit in its own typeface, or in words of at least two letters: 5x has no unit. Digits may only be its exponent.
_IN_FACE = re.compile(
    rf"^(?P<amount>{_AMOUNT})\s*{_FACE}\s*\{{(?P<words>[^{{}}\d^]*)(?:\^?(?P<inner>[23]))?[.\s]*\}}\s*(?:{_POWER})?[.\s]*$"
)
_IN_WORDS = re.compile(
    rf"^(?P<amount>{_NUMERAL})(?:\s+(?P<words>(?!(?:in\s+)?base\b)[a-zA-Z]{{2}}[a-zA-Z./\s]*?)|(?P<close>cm|mm|km|ft|mph)\b)\.?"
    rf"(?:(?<=[a-zA-Z])(?P<inner>[23])|\s*{_POWER})?[.\s]*$"
)
_NAMES = {
    "inch": ("in", "inch", "inches"),
    "foot": ("ft", "foot", "feet"),
    "yard": ("yd", "yard", "yards"),
    "mile": ("mi", "mile", "miles"),
    "millimeter": ("mm", "millimeter", "millimeters", "millimetres"),
    "centimeter": ("cm", "centimeter", "centimeters", "centimetres"),
    "meter": ("m", "meter", "meters", "metre", "metres"),
    "kilometer": ("km", "kilometer", "kilometers", "kilometres"),
    "gram": ("g", "gram", "grams"),
    "kilogram": ("kg", "kilogram", "kilograms"),
    "pound": ("lb", "lbs", "pound", "pounds"),
    "ounce": ("oz", "ounce", "ounces"),
    "second": ("s", "sec", "second", "seconds"),
    "minute": ("min", "minute", "minutes"),
    "hour": ("h", "hr", "hrs", "hour", "hours"),
    "day": ("day", "days"),
    "week": ("week", "weeks"),
    "month": ("month", "months"),
    "year": ("year", "years"),
    "dollar": ("dollar", "dollars"),
    "cent": ("cent", "cents"),
    "million": ("million",),
    "billion": ("billion",),
}
_NAME_OF = {word: name for name, words in _NAMES.items() for word in words}
_DIMENSIONS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}


class Unit(NamedTuple):
    """A unit's name in the singular, None where it is not one of those known here; its power, None where not said."""

    name: str | None
    power: int | None


class Amount(NamedTuple):
    """An answer without its unit, and the unit."""

    value: str
    unit: Unit


def split_unit(answer: str) -> Amount | None:
    """The amount in front of a unit, and the unit; None where no unit follows."""
    match = _IN_FACE.match(answer)
    if match is None:
        match = _IN_WORDS.match(answer)
    if match is None:
        return None
    words = re.findall(r"[a-z]+", (match["words"] or match.groupdict().get("close") or "").lower())
    said = match["inner"] or match["braced"] or match["bare"]
    power = int(said) if said else next((_DIMENSIONS[word] for word in words if word in _DIMENSIONS), None)
    named = [word for word in words if word not in _DIMENSIONS]
    name = _NAME_OF.get(named[0]) if len(named) == 1 else None
    return Amount(match["amount"], Unit(name, power))


def unit_of(answer: str) -> Unit:
    """The unit of an answer; unknown in every respect where it has none."""
    amount = split_unit(answer.strip().removeprefix("$").removesuffix("$").strip())
    if amount is not None:
        return amount.unit
    return Unit("dollar" if answer.lstrip("$ ").startswith("\\$") else None, None)


def differ(one: Unit, other: Unit) -> bool:
    """Whether two units are known not to be the same."""
    if one.name is not None and other.name is not None and one.name != other.name:
        return True
    return one.power is not None and other.power is not None and one.power != other.power
