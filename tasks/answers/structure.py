"""What a normalized answer (`tasks.answers.normalization`) is made of: its elements, or the sides of its equation."""

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

_MATRIX = re.compile(r"^[(\[]?\\begin\{([bpvB]?matrix|array)\}(?:\{[lcr|]*\})?(.*)\\end\{\1\}[)\]]?$", re.DOTALL)
_CHOICE = re.compile(r"^\(([A-Z])\)[.:]?(.+)$", re.DOTALL)
_VARIABLE = r"(?:[a-zA-Z]|\\[a-zA-Z]+ ?)(?:_(?:\w|\{[^{}]*\}))?'*"
_NAME = re.compile(
    rf"^(?:{_VARIABLE}(?:\^\{{-1\}})?(?:\([a-zA-Z0-9,]*\))?|\((?:{_VARIABLE},)*{_VARIABLE}\)|[a-zA-Z]+)$"
)
_FUNCTION = re.compile(r"^[a-zA-Z]\([a-z]\)$")
_SUM = re.compile(r"[a-zA-Z\d})][+-]")


class Parts(NamedTuple):
    """What an answer is made of: `brackets` around it (empty for a list without any), and its elements in order.

    A matrix has the brackets `matrix`, a row's elements are separated by the rows' number in `rows`. A ratio of three
    or more numbers has the brackets `:`.
    """

    brackets: str
    elements: tuple[str, ...]
    rows: int = 1

    @property
    def ordered(self) -> bool:
        """Whether the order of the elements means something: not in sets and plain lists."""
        return self.brackets not in {"", "{}"}


def parts(spelt: str) -> Parts | None:
    """A tuple, interval, set, list, matrix or long ratio, taken apart; None for anything else."""
    matrix = _MATRIX.match(spelt)
    if matrix is not None:
        rows = [row.split("&") for row in re.split(r"\\\\", matrix[2]) if row.strip()]
        if not rows or len({len(row) for row in rows}) != 1:
            return None
        return Parts("matrix", tuple(cell for row in rows for cell in row), len(rows))
    inside = spelt.replace("\\{", "{").replace("\\}", "}")
    if inside and inside[0] in "([{" and inside[-1] in ")]}" and _closes_at(inside) == len(inside) - 1:
        elements = split(inside[1:-1])
        if len(elements) > 1 or inside[0] == "{":
            return Parts(inside[0] + inside[-1], tuple(elements))
        return None
    elements = [signed for element in split(spelt) for signed in _both_signs(element)]
    if len(elements) > 1:
        return Parts("", tuple(elements))
    ratio = split(spelt, ":")
    return Parts(":", tuple(ratio)) if len(ratio) > 2 else None


def count(spelt: str) -> int:
    """The number of parts of a set or plain list, which a text may give one by one; 1 for everything else."""
    found = parts(spelt)
    return 1 if found is None or found.ordered else len(found.elements)


class Equation(NamedTuple):
    """What stands before the first sign of equality, and after the last."""

    left: str
    right: str

    @property
    def name(self) -> str | None:
        """The name that is given to the right side, y for f(x); None where the left side is not a name."""
        if not _NAME.match(self.left):
            return None
        return "y" if _FUNCTION.match(self.left) else self.left.casefold()

    @property
    def value(self) -> str | None:
        """What the answer is where the question asks for a value: the right side, but not that of 2x + y - 3 = 0."""
        return None if self.right == "0" and _SUM.search(self.left) else self.right


def equation(spelt: str) -> Equation | None:
    """An equation (or `x \\in A`), taken apart; None for a text without one, and for a list, whose elements may be."""
    if len(split(spelt)) > 1:
        return None
    sides = [side for side in split(re.sub(r"\\in(?![a-z]) ?", "=", spelt), "=") if side]
    if len(sides) < 2:
        return None
    left, right = sides[0], sides[-1]
    if _NAME.match(right) and not re.search("[a-zA-Z]", left):
        left, right = right, left
    return Equation(left, right)


def choice(spelt: str) -> tuple[str, str] | None:
    """The letter and the value of a choice such as (B) 12; None for anything else."""
    match = _CHOICE.match(spelt)
    return (match[1], match[2]) if match is not None else None


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


def split(text: str, at: str = ",;") -> list[str]:
    """At the commas and semicolons (or other signs) that no bracket encloses."""
    found, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter in at and depth == 0:
            found.append(text[start:place])
            start = place + 1
    found.append(text[start:])
    return [element.strip() for element in found]


def paired(ones: Iterable[Any], others: Iterable[Any], alike: Callable[[Any, Any], bool]) -> bool:
    """Whether each of the first is like another one of the second, and none is left over."""
    left = list(others)
    for each in ones:
        match = next((other for other in left if alike(each, other)), None)
        if match is None:
            return False
        left.remove(match)
    return not left
