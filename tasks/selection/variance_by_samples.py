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
    """Samples to draw from, the cumulative weight of each, shape (samples,), and how many the problem has."""

    samples: Outcomes
    weights: Floats
    n: int


def _extended(problem: Outcomes, shape: float, generator: np.random.Generator) -> _Pool:
    tally = problem.tally()
    right = np.flatnonzero(tally.values > 0)
    of_right = int(right[0]) if len(right) else len(tally.votes)
    discount = discount_of(tally)
    sizes = tally.votes[problem.voters] if len(tally.votes) else np.zeros(problem.n, dtype=np.int64)
    single = np.flatnonzero((problem.voters >= 0) & (sizes == 1) & ~problem.correct) if discount else np.arange(0)
    # A sample whose answer no other has gives part of its weight to one whose answer is a new one.
    weights = np.ones(problem.n)
    weights[single] -= discount
    positions = np.concatenate([np.arange(problem.n), single, generator.integers(0, problem.n, _CORRECT)])
    samples = problem.at(positions)
    correct = samples.correct.copy()
    correct[-_CORRECT:] = True
    new = len(tally.votes) + 1 + np.arange(len(single))
    answers = np.concatenate([problem.voters, new, np.full(_CORRECT, of_right)])
    added = np.concatenate([np.full(len(single), discount), np.full(_CORRECT, shape / _CORRECT)])
    extended = replace(samples, correct=correct, answers=None if problem.answers is None else answers)
    return _Pool(extended, np.cumsum(np.concatenate([weights, added])), problem.n)


def _variance(selector: Selector, pool: _Pool, ks: Ints, draws: int, generator: np.random.Generator) -> Floats:
    n = pool.n
    uniform = generator.random((draws, n)) * pool.weights[-1]
    base = np.minimum(np.searchsorted(pool.weights, uniform, side="right"), len(pool.weights) - 1).ravel()
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
