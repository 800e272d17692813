"""Random draws that are the same on every version of Python.

`Random.random` keeps its sequence for a given seed (the `random` module promises it); `choice`, `randrange` and
`shuffle` do not promise theirs. So generated problems use these instead.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def generator(seed: int) -> random.Random:
    """A source of random numbers; not for secrets."""
    return random.Random(seed)  # noqa: S311


def below(rng: random.Random, bound: int) -> int:
    """An integer from 0 to `bound` - 1; all are equally likely."""
    return int(rng.random() * bound)


def pick(rng: random.Random, options: Sequence[T]) -> T:
    """One of the options; all are equally likely."""
    return options[below(rng, len(options))]
