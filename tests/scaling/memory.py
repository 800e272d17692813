"""How much memory a computation on many problems needs."""

import tracemalloc
from collections.abc import Callable

import numpy as np

from tasks.scaling.estimators import Counts


def peak_on_many_problems(work: Callable[[Counts], object]) -> int:
    """The most bytes that a computation holds at once on 20,000 problems with many different counts."""
    generator = np.random.default_rng(0)
    n = generator.choice([40_000, 50_000], 20_000)
    counts = Counts.of([str(i) for i in range(20_000)], n, generator.integers(1, n))
    tracemalloc.start()
    try:
        work(counts)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
