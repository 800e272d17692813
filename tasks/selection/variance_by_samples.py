"""The variance over samples of what any selector picks.

As `variance_of_votes`, with samples in place of votes, so that a score is drawn again with its answer. In each draw the
samples come from another bootstrap sample of the problem's. To those some are added that the posterior of the answers
asks for (`tasks.selection.posterior`): correct ones, and wrong ones whose answer no other sample has. They have the
scores of random samples.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import NamedTuple

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.selection import Selector
from tasks.selection.outcomes import Outcomes
from tasks.selection.overlap import overlap
from tasks.selection.posterior import discount_of, shape_near_zero

# Draws for all problems together, and for one at least.
_DRAWS, _MIN_DRAWS = 5_000, 20
# Samples that are drawn together at most: it bounds the memory.
_TOGETHER = 1 << 20
# Correct samples that are added.
_CORRECT = 4


def variance_by_samples(
    selector: Selector, problems: Sequence[Outcomes], ks: Ints, generator: np.random.Generator
) -> Floats:
    """The sum over problems of the variance of accuracy at each k, shape (ks,)."""
    shape = shape_near_zero(np.array([float(each.correct.sum()) for each in problems]))
    draws = max(_MIN_DRAWS, ceil(_DRAWS / len(problems)))
    total = np.zeros(len(ks))
    for problem in problems:
        pool = _extended(problem, shape, generator)
        batch = max(2, _TOGETHER // problem.n)
        sizes = [min(batch, draws - start) for start in range(0, draws, batch)]
        for size in sizes:
            total += size / draws * _variance(selector, pool, ks, size, generator)
    return total


class _Pool(NamedTuple):
    """Samples to draw from: the `n` of the problem, and those that were added: first one for each whose answer no other
    sample gives, with another such answer, and then `_CORRECT` correct ones.

    Each of the n has the weight 1, of which `discount` goes to the added one that `added` names by position, where
    there is one (else -1). The correct ones have the weight `shape` together.
    """

    samples: Outcomes
    n: int
    added: Ints
    discount: float
    shape: float

    def draw(self, size: tuple[int, int], generator: np.random.Generator) -> Ints:
        """Positions of random samples, by their weights."""
        at = generator.random(size) * (self.n + self.shape)
        positions = at.astype(np.int64)
        correct = positions >= self.n
        if self.discount:
            of = self.added[np.minimum(positions, self.n - 1)]
            positions = np.where(~correct & (of >= 0) & (at - positions < self.discount), of, positions)
        if correct.any():
            first = len(self.samples.correct) - _CORRECT
            positions[correct] = first + generator.integers(0, _CORRECT, int(correct.sum()))
        return positions


def _extended(problem: Outcomes, shape: float, generator: np.random.Generator) -> _Pool:
    tally = problem.tally()
    right = np.flatnonzero(tally.values > 0)
    of_right = int(right[0]) if len(right) else len(tally.votes)
    discount = discount_of(tally)
    sizes = tally.votes[problem.voters] if len(tally.votes) else np.zeros(problem.n, dtype=np.int64)
    single = np.flatnonzero((problem.voters >= 0) & (sizes == 1) & ~problem.correct) if discount else np.arange(0)
    added = np.full(problem.n, -1, dtype=np.int64)
    added[single] = problem.n + np.arange(len(single))
    positions = np.concatenate([np.arange(problem.n), single, generator.integers(0, problem.n, _CORRECT)])
    samples = problem.at(positions)
    correct = samples.correct.copy()
    correct[-_CORRECT:] = True
    new = len(tally.votes) + 1 + np.arange(len(single))
    answers = np.concatenate([problem.voters, new, np.full(_CORRECT, of_right)])
    extended = replace(samples, correct=correct, answers=None if problem.answers is None else answers)
    return _Pool(extended, problem.n, added, discount, shape)


def _variance(selector: Selector, pool: _Pool, ks: Ints, draws: int, generator: np.random.Generator) -> Floats:
    n = pool.n
    base = pool.draw((draws, n), generator).ravel()
    starts = np.arange(draws)[:, None] * n

    def drawn(size: int) -> Ints:
        positions: Ints = base[starts + generator.integers(0, n, (draws, size))]
        return positions

    found = np.zeros(len(ks))
    for column, k in enumerate(ks.tolist()):
        pairs = overlap(n, k)
        shared = pairs.draw(draws, generator)
        most, at_k = int(shared.max()), np.array([k])
        inside = np.arange(most) < shared[:, None]
        one, other = drawn(most), drawn(most)
        if k == n:
            # All samples are shared.
            change = selector.picked(pool.samples, one, at_k)[:, 0] - selector.picked(pool.samples, other, at_k)[:, 0]
            found[column] = pairs.variance(change, change)
            continue
        changes = []
        for _ in range(2):
            rest = drawn(k)
            picked = []
            for some in (one, other):
                orders = rest.copy()
                orders[:, :most] = np.where(inside, some, rest[:, :most])
                picked.append(selector.picked(pool.samples, orders, at_k)[:, 0])
            changes.append(picked[0] - picked[1])
        found[column] = pairs.variance(*changes)
    return found
