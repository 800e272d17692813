"""The expected accuracy of the best of k samples by a score, in closed form.

Sort the samples by falling score. The best of a subset is among the g samples of one score, with r samples above
them, with probability q(r) - q(r + g), where q(r) = C(n-r, k) / C(n, k) is the chance that none of the first r is
drawn. Any of the g is picked with the same probability, so that their mean counts. pass@k is the case where the score
is correctness.
"""

from functools import lru_cache

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.selection.outcomes import Bools


def best_of_k(correct: Bools | Floats, scores: Floats, ks: Ints) -> Floats:
    """The expected accuracy of the sample with the highest score among k of n, ties shared; O(n log n + n·ks).

    Args:
        correct: shape (n,); or the rates at which such samples are correct.
        scores: shape (n,), finite.
        ks: each 1 <= k <= n.

    Returns:
        Shape (ks,).
    """
    _, where, sizes = np.unique(-scores, return_inverse=True, return_counts=True)
    accuracy = np.bincount(where, weights=correct) / sizes
    ends = np.cumsum(sizes)
    values = np.zeros(len(ks))
    for column, k in enumerate(ks.tolist()):
        chance = _chances(len(correct), ends, sizes, k)
        values[column] = chance @ accuracy[: len(chance)]
    return np.clip(values, 0, 1)


def chances_of_best(scores: Floats, ks: Ints) -> Floats:
    """The chance that each sample is picked as the best of k of n, ties shared, shape (ks, n)."""
    _, where, sizes = np.unique(-scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    chances = np.zeros((len(ks), len(sizes)))
    for row, k in enumerate(ks.tolist()):
        chance = _chances(len(scores), ends, sizes, k)
        chances[row, : len(chance)] = chance
    shared: Floats = (chances / sizes)[:, where]
    return shared


def chances_of_ranks(n: int, ks: Ints) -> Floats:
    """The chance that each of n samples, in order of falling score, is the best of k; shape (ks, n)."""
    chances = np.zeros((len(ks), n))
    for row, k in enumerate(ks.tolist()):
        chance = _chances(n, np.arange(1, n + 1), np.ones(n, dtype=np.int64), k)
        chances[row, : len(chance)] = chance
    return chances


def _chances(n: int, ends: Ints, sizes: Ints, k: int) -> Floats:
    """The chance that the best of k has each score, highest first, up to the last that is possible."""
    log_none = _log_none(n, k)
    before, after = log_none[ends - sizes], log_none[ends]
    # Beyond n - k samples, q is 0 and so are all differences.
    within = ~np.isneginf(before)
    chance: Floats = np.exp(before[within]) * -np.expm1(after[within] - before[within])
    return chance


@lru_cache(maxsize=128)
def _log_none(n: int, k: int) -> Floats:
    """log of C(n-r, k) / C(n, k) for r = 0..n, shape (n + 1,)."""
    log_none = np.full(n + 1, -np.inf)
    log_none[0] = 0
    np.cumsum(np.log1p(-k / np.arange(n, k, -1, dtype=np.float64)), out=log_none[1 : n - k + 1])
    log_none.setflags(write=False)
    return log_none


def best_in_order(correct: Bools, scores: Floats, orders: Ints, ks: Ints) -> Floats:
    """The accuracy of the sample with the highest score among the first k of each order, ties shared.

    Args:
        correct: shape (n,).
        scores: shape (n,), finite.
        orders: positions of samples, shape (orders, at least the largest k).
        ks: ascending.

    Returns:
        Shape (orders, ks).
    """
    score, right = scores[orders], correct[orders]
    values = np.zeros((len(orders), len(ks)))
    for column, k in enumerate(ks.tolist()):
        best = score[:, :k] == score[:, :k].max(axis=1, keepdims=True)
        values[:, column] = (best & right[:, :k]).sum(axis=1) / best.sum(axis=1)
    return values
