"""The bootstrap over problems: curves as another draw of problems with replacement would have given them.

Problems with the same counts are drawn together, and large sets block by block, so that memory does not grow with the
number of problems times the number of resamples, and a signal is noticed between two blocks.
"""

from collections.abc import Callable, Sequence
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from tasks.scaling.arrays import Floats
from tasks.scaling.estimators import Counts, joint_blocks

RESAMPLES = 2000
# At most this many problems get their weights together: it bounds the memory of large sets.
_PART = 2_048
MANY = 10_000
"""More problems than this are drawn in groups."""


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

    With more than `MANY` problems random groups of them are drawn (`in_groups`), with exponential weights (the Bayesian
    bootstrap, Rubin 1981), which takes a fraction of the time: the means have the same mean and, but for terms of order
    1/groups, the same variance.
    """
    generator = np.random.default_rng(seed)
    problems = len(values)
    if problems > MANY:
        groups = in_groups(values, generator)
        weighted, weight = np.zeros((resamples, values.shape[1])), np.zeros((resamples, 1))
        for start in range(0, len(groups.sizes), _PART):
            some = slice(start, start + _PART)
            weights = generator.standard_exponential((resamples, len(groups.sizes[some])), dtype=np.float32)
            weighted += weights @ groups.sums[some]
            weight += weights @ groups.sizes[some, None]
        return weighted / weight
    parts = np.array_split(values, -(-problems // _PART))
    sizes = np.array([len(part) for part in parts])
    drawn = generator.multinomial(problems, sizes / problems, size=resamples)
    sums = np.zeros((resamples, values.shape[1]))
    for part, of_part in zip(parts, drawn.T, strict=True):
        sums += generator.multinomial(of_part, np.full(len(part), 1 / len(part))) @ part
    return sums / problems


class Groups(NamedTuple):
    """Sums over the problems of each group, shape (groups, columns), and how many problems it has, shape (groups,)."""

    sums: Floats
    sizes: Floats


def in_groups(values: Floats, generator: np.random.Generator) -> Groups:
    """Values of problems, shape (problems, columns), summed over random groups of them, between `MANY` / 2 and `MANY`
    groups; of no more than `MANY` problems each is a group.

    The variance of a mean is known as well from the spread of that many means of groups as from that of the problems:
    to within 1 %.
    """
    most = -(-len(values) // MANY)
    shuffled = values if most <= 1 else values[generator.permutation(len(values))]
    starts = np.arange(0, len(values), max(most, 1))
    sizes = np.diff(np.append(starts, len(values))).astype(np.float64)
    return Groups(np.add.reduceat(shuffled, starts, axis=0), sizes)


def percentile_tail(level: float, problems: int) -> float:
    """The share of resamples to leave out at either end for a percentile interval at probability `level`.

    It is below (1 - level) / 2 where problems are few: resampling P problems gives a variance that is too small by
    (P-1)/P, and the normal quantile where Student's is due. This is the expanded percentile interval of Hesterberg
    (2015, "What teachers should know about the bootstrap", section 5.3).
    """
    quantile = -float(stdtrit(problems - 1, (1 - level) / 2))
    return NormalDist().cdf(-quantile * sqrt(problems / (problems - 1)))
