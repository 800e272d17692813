"""Accuracy by Monte Carlo, with its standard error, where there is no formula that is cheap.

A draw is a random order of the samples, whose first k are the subset at every k: one order serves all k. Where all
subsets of size k are less work than the draws, the mean is over all of them, and exact.

The errors of different problems are independent, so that the mean over many problems is precise with few draws for
each: the more problems, the fewer draws. Beyond `MANY_PROBLEMS`, the exact value is computed only where that is less
work.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import combinations
from math import ceil, comb
from typing import NamedTuple

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.selection.outcomes import Outcomes

ERROR = 0.0019
"""The largest standard error of a mean over problems that Monte Carlo has by default."""

MANY_PROBLEMS = 512
"""With more problems, what could be exact is simulated where that is less work."""

# Positions in the orders that are looked at together.
_TOGETHER = 1 << 20
_MIN_DRAWS = 100
# With fewer draws, values of single problems would be so rough that intervals over problems are notably wider.
_MIN_DRAWS_OF_MANY = 10

Picked = Callable[[Outcomes, Ints, Ints], Floats]
"""`Selector.picked`."""


class Estimate(NamedTuple):
    """Expected accuracy at each k, and the standard error of its computation, 0 where it is exact; shape (ks,)."""

    accuracy: Floats
    error: Floats


class Simulation(NamedTuple):
    """How much Monte Carlo one problem gets: `draws` orders by `generator`. If it is `one_of_many`, a formula is not
    worth more work than that."""

    draws: int
    generator: np.random.Generator
    one_of_many: bool = False

    @classmethod
    def of(cls, problems: int, seed: int, problem: int, error: float = ERROR) -> "Simulation":
        """As many draws as keep the standard error of the mean over `problems` at `error` or below, whatever they give.

        Args:
            problems: how many there are.
            seed: the seed of all.
            problem: the position of this one, whose draws depend on no other.
            error: the largest standard error of the mean over all.
        """
        needed = ceil(0.25 / (problems * error**2)) + 2
        many = problems > MANY_PROBLEMS
        fewest = _MIN_DRAWS_OF_MANY if many else _MIN_DRAWS
        return cls(max(fewest, needed), np.random.default_rng([seed, problem]), many)

    def estimate(self, picked: Picked, problem: Outcomes, ks: Ints) -> Estimate:
        """The mean over subsets of what `picked` gives: over all of them where there are few, else over random ones. It
        does not depend on the order of the samples."""
        problem = problem.in_canonical_order()
        accuracy, error = np.zeros(len(ks)), np.zeros(len(ks))
        most = 0 if self.one_of_many else self.draws * problem.n
        few = np.array([comb(problem.n, k) * k <= most for k in ks.tolist()], dtype=np.bool_)
        for column in np.flatnonzero(few).tolist():
            subsets = _subsets(problem.n, int(ks[column]))
            accuracy[column] = picked(problem, subsets, ks[column : column + 1]).mean()
        left = np.flatnonzero(~few)
        if len(left):
            values = np.concatenate([picked(problem, orders, ks[left]) for orders in self.orders(problem.n)])
            accuracy[left], error[left] = mean_and_error(values)
            error[ks == problem.n] = 0
        return Estimate(accuracy, error)

    def orders(self, n: int) -> Iterator[Ints]:
        """The random orders of n samples, some at a time, each of shape (orders, n)."""
        batch = max(1, _TOGETHER // n)
        for start in range(0, self.draws, batch):
            size = min(batch, self.draws - start)
            yield self._permutations(size, n)

    def _permutations(self, size: int, n: int) -> Ints:
        """Random orders: random numbers are sorted, each with its position in its low bits. It takes a third of a
        shuffle's time."""
        bits = n.bit_length()
        keys = self.generator.integers(0, 1 << (63 - bits), (size, n))
        keys <<= bits
        keys |= np.arange(n)
        keys.sort(axis=1)
        keys &= (1 << bits) - 1
        return keys


def mean_and_error(values: Floats, low: float = 0.0, high: float = 1.0) -> tuple[Floats, Floats]:
    """The mean of draws within low..high, shape (draws, ks), and its standard error.

    The variance is that of the draws and of two more, at low and at high: where all draws agree, the error is not 0.
    """
    mean = values.mean(axis=0)
    augmented = np.concatenate([values, np.full((1, values.shape[1]), low), np.full((1, values.shape[1]), high)])
    return mean, np.sqrt(augmented.var(axis=0, ddof=1) / len(values))


@lru_cache(maxsize=16)
def _subsets(n: int, k: int) -> Ints:
    """All subsets of k of n positions, shape (subsets, k). Where k > n/2, they are found by what they leave out."""
    if 2 * k <= n:
        return np.array(list(combinations(range(n), k)), dtype=np.int64)
    left_out = np.array(list(combinations(range(n), n - k)), dtype=np.int64).reshape(comb(n, k), n - k)
    inside = np.ones((len(left_out), n), dtype=np.bool_)
    np.put_along_axis(inside, left_out, False, axis=1)
    return np.nonzero(inside)[1].reshape(len(left_out), k)
