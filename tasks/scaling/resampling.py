"""The bootstrap over problems: curves as another draw of problems with replacement would have given them.

Problems with the same counts are drawn together, and large sets block by block, so that memory does not grow with the
number of problems times the number of resamples, and a signal is noticed between two blocks.
"""

from collections.abc import Callable, Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from tasks.scaling.arrays import Floats
from tasks.scaling.estimators import Counts, joint_blocks

RESAMPLES = 2000
# At most this many problems get their weights together: it bounds the memory of large sets.
_PART = 2_048
_MANY = 10_000


def bootstrap_curves(counts: Counts, ks: ArrayLike, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Coverage curves of `resamples` draws of the problems with replacement, shape (resamples, ks)."""
    wanted = np.atleast_1d(np.asarray(ks, dtype=np.int64))
    if not len(counts):
        return np.full((resamples, len(wanted)), np.nan)
    return bootstrap_means((counts,), lambda sets: sets[0].pass_at_k(wanted), resamples, seed)


def bootstrap_means(
    sets: Sequence[Counts], values: Callable[[tuple[Counts, ...]], Floats], resamples: int = RESAMPLES, seed: int = 0
) -> Floats:
    """Means over `resamples` draws of the problems with replacement, shape (resamples, columns).

    Args:
        sets: sets of the same problems, in the same order.
        values: for some of the problems, their values in columns, shape (problems, columns).
        resamples: how many draws.
        seed: seed of the draws; they depend on nothing else but the counts.
    """
    generator = np.random.default_rng(seed)
    problems = len(sets[0])
    blocks = list(joint_blocks(sets))
    sizes = np.array([block.times.sum() for block in blocks])
    drawn = np.full((resamples, 1), problems)
    if len(blocks) > 1:
        drawn = generator.multinomial(problems, sizes / problems, size=resamples)
    # Every draw is a row of multinomial weights, so that those of a block are one matrix product.
    sums = [
        generator.multinomial(of_block, block.times / size) @ values(block.sets)
        for block, size, of_block in zip(blocks, sizes, drawn.T, strict=True)
    ]
    means: Floats = np.sum(sums, axis=0) / problems
    return means


def bootstrap_means_of(values: Floats, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Means over `resamples` draws of the problems with replacement, shape (resamples, columns), of any values of each
    problem, shape (problems, columns). All columns see the same draws.

    With more than `_MANY` problems the weights are exponential (the Bayesian bootstrap, Rubin 1981), which takes a
    fraction of the time: the means have the same mean and, but for terms of order 1/problems, the same variance.
    """
    generator = np.random.default_rng(seed)
    problems = len(values)
    parts = np.array_split(values, -(-problems // _PART))
    if problems > _MANY:
        weighted, weight = np.zeros((resamples, values.shape[1])), np.zeros((resamples, 1))
        for part in parts:
            weights = generator.standard_exponential((resamples, len(part)), dtype=np.float32)
            weighted += weights @ part
            weight += weights.sum(axis=1, keepdims=True, dtype=np.float64)
        return weighted / weight
    sizes = np.array([len(part) for part in parts])
    drawn = generator.multinomial(problems, sizes / problems, size=resamples)
    sums = np.zeros((resamples, values.shape[1]))
    for part, of_part in zip(parts, drawn.T, strict=True):
        sums += generator.multinomial(of_part, np.full(len(part), 1 / len(part))) @ part
    return sums / problems


def percentile_tail(level: float, problems: int) -> float:
    """The share of resamples to leave out at either end for a percentile interval at probability `level`.

    It is below (1 - level) / 2 where problems are few: resampling P problems gives a variance that is too small by
    (P-1)/P, and the normal quantile where Student's is due. This is the expanded percentile interval of Hesterberg
    (2015, "What teachers should know about the bootstrap", section 5.3).
    """
    quantile = -float(stdtrit(problems - 1, (1 - level) / 2))
    return NormalDist().cdf(-quantile * sqrt(problems / (problems - 1)))
