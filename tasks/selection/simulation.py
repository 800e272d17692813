"""Accuracy by Monte Carlo, with its standard error, where there is no formula that is cheap.

A draw is a random order of the samples, whose first k are the subset at every k: one order serves all k. Where all
subsets of size k are less work than the draws, the mean is over all of them, and exact.

The errors of different problems are independent, so that the mean over many problems is precise with few draws for
each: the more problems, the fewer draws. Beyond `MANY_PROBLEMS`, the exact value is computed only where that is less
work.

Where there are few problems, each needs many draws in the worst case, and mostly far fewer: a first stage of `_PILOT`
draws estimates the variance at each k, and thereby the number of draws that keeps the error. The estimate is the mean
of the second stage alone: that of both would be biased, since how many draws there are depends on the first (Stein
1945). Orders are drawn no further than the largest k that still needs draws.
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
# Draws of the first stage, which there is where the second may have several times as many.
_PILOT = 512
# The second stage is as long as this multiple of the estimated variance asks for, and has at least this share of the
# draws: the estimate may be too low, above all where the first stage does not see what is rare.
_MARGIN, _MIN_SHARE = 1.5, 1 / 16

Picked = Callable[[Outcomes, Ints, Ints], Floats]
"""`Selector.picked`."""


class Estimate(NamedTuple):
    """Expected accuracy at each k, and the standard error of its computation, 0 where it is exact; shape (ks,)."""

    accuracy: Floats
    error: Floats


class Simulation(NamedTuple):
    """How much Monte Carlo one problem gets: at most `draws` orders by `generator`, enough for any variance. If it is
    `one_of_many`, a formula is not worth more work than that."""

    draws: int
    generator: np.random.Generator
    one_of_many: bool = False

    @classmethod
    def of(cls, problems: int, seed: int, problem: int, error: float = ERROR) -> "Simulation":
        """As many draws as keep the standard error of the mean over `problems` at `error` or below, whatever they give;
        in two stages as a rule, since the first stage only estimates what the second one needs.

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
        most = problem.n if self.one_of_many else self.draws * problem.n
        few = np.array([comb(problem.n, k) * k <= most for k in ks.tolist()], dtype=np.bool_)
        for column in np.flatnonzero(few).tolist():
            subsets = _subsets(problem.n, int(ks[column]))
            accuracy[column] = picked(problem, subsets, ks[column : column + 1]).mean()
        left = np.flatnonzero(~few)
        if len(left):
            accuracy[left], error[left] = self._simulated(picked, problem, ks[left])
        return Estimate(accuracy, error)

    def orders(self, n: int, draws: int | None = None, length: int | None = None) -> Iterator[Ints]:
        """The first `length` positions (None: all) of random orders of n samples, some at a time, each of shape
        (orders, length); `draws` in all, by default those of this simulation."""
        draws, length = self.draws if draws is None else draws, n if length is None else length
        batch = max(1, _TOGETHER // n)
        for start in range(0, draws, batch):
            yield self._permutations(min(batch, draws - start), n, length)

    def _simulated(self, picked: Picked, problem: Outcomes, ks: Ints) -> Estimate:
        """The mean of draws and its standard error, at ascending k."""
        needed = self._needed(picked, problem, ks)
        moments = Moments.none(len(ks))
        done = 0
        for until in np.unique(needed).tolist():
            more = np.flatnonzero(needed >= until)
            for orders in self.orders(problem.n, until - done, int(ks[more[-1]])):
                moments.add(picked(problem, orders, ks[more]), more)
            done = until
        return Estimate(*moments.mean_and_error())

    def _needed(self, picked: Picked, problem: Outcomes, ks: Ints) -> Ints:
        """The draws that each k needs."""
        if self.draws < 4 * _PILOT:
            return np.full(len(ks), self.draws)
        pilot = Moments.none(len(ks))
        for orders in self.orders(problem.n, _PILOT, int(ks[-1])):
            pilot.add(picked(problem, orders, ks), np.arange(len(ks)))
        # `draws` are enough for a variance of 1/4, the largest that there is.
        share = np.clip(_MARGIN * pilot.variance() / 0.25, _MIN_SHARE, 1)
        needed: Ints = np.ceil(share * self.draws).astype(np.int64)
        return needed

    def _permutations(self, size: int, n: int, length: int) -> Ints:
        """The beginnings of random orders: random numbers are sorted, each with its position in its low bits. It takes
        a third of a shuffle's time."""
        bits = n.bit_length()
        keys = self.generator.integers(0, 1 << (63 - bits), (size, n))
        keys <<= bits
        keys |= np.arange(n)
        if length < n:
            keys.partition(length - 1, axis=1)
            keys = keys[:, :length].copy()
        keys.sort(axis=1)
        keys &= (1 << bits) - 1
        return keys


class Moments(NamedTuple):
    """Sums over draws of values and of their squares, and the number of draws, each of shape (ks,)."""

    total: Floats
    squares: Floats
    draws: Floats

    @classmethod
    def none(cls, ks: int) -> "Moments":
        """Before any draw."""
        return cls(*np.zeros((3, ks)))

    def add(self, values: Floats, columns: Ints) -> None:
        """Values of draws at some of the k, shape (draws, columns)."""
        self.total[columns] += values.sum(axis=0)
        self.squares[columns] += (values**2).sum(axis=0)
        self.draws[columns] += len(values)

    def variance(self, low: float = 0.0, high: float = 1.0) -> Floats:
        """The variance of a draw within low..high.

        It is that of the draws and of two more, at low and at high: where all draws agree, it is not 0.
        """
        draws = self.draws + 2
        mean = (self.total + low + high) / draws
        return np.maximum(self.squares + low**2 + high**2 - draws * mean**2, 0) / (draws - 1)

    def mean_and_error(self, low: float = 0.0, high: float = 1.0) -> tuple[Floats, Floats]:
        """The mean of draws within low..high, and its standard error."""
        return self.total / self.draws, np.sqrt(self.variance(low, high) / self.draws)


def mean_and_error(values: Floats, low: float = 0.0, high: float = 1.0) -> tuple[Floats, Floats]:
    """The mean of draws within low..high, shape (draws, ks), and its standard error, as `Moments` has them."""
    moments = Moments.none(values.shape[1])
    moments.add(values, np.arange(values.shape[1]))
    return moments.mean_and_error(low, high)


def moments_of_rows(values: Floats) -> tuple[Floats, Floats]:
    """As `mean_and_error`, for each problem, from draws of shape (problems, draws, ks); shape (problems, ks) each."""
    draws = np.full(values.shape[::2], float(values.shape[1]))
    return Moments(values.sum(axis=1), (values**2).sum(axis=1), draws).mean_and_error()


@lru_cache(maxsize=16)
def _subsets(n: int, k: int) -> Ints:
    """All subsets of k of n positions, shape (subsets, k). Where k > n/2, they are found by what they leave out."""
    if 2 * k <= n:
        return np.array(list(combinations(range(n), k)), dtype=np.int64)
    left_out = np.array(list(combinations(range(n), n - k)), dtype=np.int64).reshape(comb(n, k), n - k)
    inside = np.ones((len(left_out), n), dtype=np.bool_)
    np.put_along_axis(inside, left_out, False, axis=1)
    return np.nonzero(inside)[1].reshape(len(left_out), k)
