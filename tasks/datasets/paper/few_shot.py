"""Few-shot examples, chosen by seed as in the paper.

`random.sample` draws from the examples for each problem of the whole split in order, from one stream of random numbers,
so problem i has the same examples whichever problems are sampled. `random.Random(0)` gives the paper's.
"""

import random
from collections.abc import Sequence

from tasks.errors import UserError
from tasks.records import FewShotExample


def chosen(
    examples: Sequence[FewShotExample], problems: int, shots: int, seed: int
) -> list[tuple[FewShotExample, ...]]:
    """The examples of each problem.

    Raises:
        UserError: there are fewer examples than shots.
    """
    if shots > len(examples):
        raise UserError(f"dataset.shots: {shots} examples are asked for, and there are only {len(examples)}")
    stream = random.Random(seed)  # noqa: S311 - no secret
    return [tuple(stream.sample(examples, shots)) for _ in range(problems)]
