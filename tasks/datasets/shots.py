"""Few-shot examples, chosen by seed as the paper does.

For each problem of the whole split in its order, `random.sample` draws from the examples, in one stream of random
numbers: problem i has the same examples whichever problems are sampled. `random.Random(0)` gives the paper's.
"""

import random
from collections.abc import Sequence

from tasks.datasets import Shot
from tasks.errors import InputError


def chosen(examples: Sequence[Shot], problems: int, shots: int, seed: int) -> list[tuple[Shot, ...]]:
    """The examples before each of so many problems.

    Raises:
        InputError: there are fewer examples than shots.
    """
    if shots > len(examples):
        raise InputError(f"task.shots: {shots} are asked for, and there are {len(examples)} examples to choose from")
    stream = random.Random(seed)  # noqa: S311 - no secret
    return [tuple(stream.sample(examples, shots)) for _ in range(problems)]
