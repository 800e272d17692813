"""Few-shot examples, chosen by seed as the paper does.

For each problem of the whole split in its order, `random.sample` draws from the examples, in one stream of random
numbers: problem i has the same examples whichever problems are sampled. `random.Random(0)` gives the paper's.
"""

import random
from collections.abc import Sequence

from tasks.errors import UserError
from tasks.records import FewShotExample


def chosen(
    examples: Sequence[FewShotExample], problems: int, shots: int, seed: int
) -> list[tuple[FewShotExample, ...]]:
    """The examples before each of this many problems.

    Raises:
        UserError: there are fewer examples than shots.
    """
    if shots > len(examples):
        raise UserError(f"dataset.shots: {shots} are asked for, and there are {len(examples)} examples to choose from")
    stream = random.Random(seed)  # noqa: S311 - no secret
    return [tuple(stream.sample(examples, shots)) for _ in range(problems)]
