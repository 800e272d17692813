"""What a generated theorem is made of: texts with numbered places for the names of its variables."""

import random
import re
from collections.abc import Sequence
from typing import NamedTuple

from tasks.datasets.synthetic.portable_random import below, pick

IMPORTS = "Require Import Arith ZArith Bool List Lia.\nImport ListNotations."
INTEGERS = IMPORTS + "\nOpen Scope Z_scope."
NAME = "goal"
_PLACE = re.compile(r"@(\d)")
_NAMES = ("abc", "xyz", "mnk", "uvw", "pqr", "ijk")


class Theorem(NamedTuple):
    """A theorem of Rocq: what stands before it, the proposition, and the sentences of a proof.

    `@0`, `@1`, … stand for the names of variables. `names` are those to use where any will not do.
    """

    header: str
    proposition: str
    proof: Sequence[str]
    names: Sequence[str] | None = None


class TheoremProblem(NamedTuple):
    """A theorem with its names in place. `form` is the same for all choices of names: problems of one form are one
    problem."""

    form: str
    header: str
    statement: str
    proof: str

    @property
    def question(self) -> str:
        """What the model sees before `Proof.`."""
        return f"{self.header}\n\n{self.statement}"


def with_names(rng: random.Random, theorem: Theorem) -> TheoremProblem:
    """Choose the names of the variables."""
    header, proposition, proof, names = theorem
    if names is None:
        names = pick(rng, _NAMES) + pick(rng, _NAMES)
        while len(set(names)) < 6:
            names = pick(rng, _NAMES) + pick(rng, _NAMES)

    def named(text: str) -> str:
        return _PLACE.sub(lambda match: names[int(match[1])], text)

    return TheoremProblem(
        f"{header}\n{proposition}",
        named(header),
        f"Theorem {NAME} : {named(proposition)}.",
        "".join(f"{named(line)}\n" for line in proof),
    )


def between(rng: random.Random, least: int, greatest: int) -> int:
    """An integer from `least` to `greatest`, both included."""
    return least + below(rng, greatest - least + 1)


def two_equations(rng: random.Random, x: int, y: int, least: int, greatest: int) -> tuple[str, str]:
    """Two linear equations that x and y alone solve, with coefficients from `least` to `greatest`."""
    a, b, c, d = (between(rng, least, greatest) for _ in range(4))
    while a * d == b * c:
        a, b, c, d = (between(rng, least, greatest) for _ in range(4))
    return (
        f"{sum_of([(a, '@0'), (b, '@1')])} = {a * x + b * y}",
        f"{sum_of([(c, '@0'), (d, '@1')])} = {c * x + d * y}",
    )


def sum_of(terms: Sequence[tuple[int, str]], constant: int = 0) -> str:
    """A linear expression such as `2 * @0 - @1 + 3`; terms with the factor 0 are left out."""
    text = ""
    for factor, name in [*terms, (constant, "")]:
        if factor:
            size = name if name and abs(factor) == 1 else f"{abs(factor)} * {name}" if name else str(abs(factor))
            sign = " + " if factor > 0 else " - "
            text += (sign if text else "-" * (factor < 0)) + size
    return text or "0"


def shuffled(rng: random.Random, items: Sequence[int]) -> list[int]:
    """The items in a random order."""
    rest, order = list(items), []
    while rest:
        order.append(rest.pop(below(rng, len(rest))))
    return order
