"""The interval of coverage over problems: how coverage would vary with another draw of problems from the same source.

pass@k of a problem is a number between 0 and 1, so that coverage is the mean of a bounded variable, and the interval
must hold for any distribution of it. Gaffke's interval does (2005; Learned-Miller and Thomas 2020, arXiv 1905.06208):
the problems get random weights as in the Bayesian bootstrap (Rubin 1981), and one more problem is added, which is
solved for certain where the upper end is looked for, and never where the lower end is. The ends are quantiles of the
weighted mean. It is never of width 0: where none or all of the problems are solved, the problem added still may differ.
If every pass@k is 0 or 1 it is the interval of Clopper and Pearson.

Two things are less cautious here, since the guarantee costs more width than populations of problems call for. The
problem added counts for 3/4 of a problem: between Clopper and Pearson's 1 and the 1/2 of Jeffreys' interval; for
pass@k of 0 or 1 the 95 % interval then holds at least 93 % at every coverage (Brown, Cai and DasGupta 2001 compare
these intervals). And for the upper end its rate is not 1, but what a rate above all those seen might be if rates were
spread evenly in log p over `_DECADES` decades: at this level of confidence, P problems leave no gap above their largest
rate wider than 1 - tail^(1/P) of that range. With up to 20 problems that mostly is 1; with 150 it is twice the largest
rate. `benchmarks/calibration.py` shows how often the interval holds, and how wide it is.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Band, Counts, coverage
from tasks.scaling.resampling import RESAMPLES, in_groups

_ADDED = 0.75
_DECADES = 10.0
# At most this many problems are weighted together: it bounds the memory of large sets.
_BLOCK = 2_048


def interval_over_problems(
    counts: Counts, ks: ArrayLike, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Band:
    """The interval of coverage at each k over the choice of problems, around the estimate.

    Fewer than two problems say nothing of that: the interval is then NaN, as it is at every k above `counts.reach`.
    """
    wanted = np.atleast_1d(np.asarray(ks, dtype=np.int64))
    if len(counts) < 2:
        blank = np.full(wanted.shape, np.nan)
        return Band(blank, blank, level)
    blocks = (
        _Weighed(block.times, block.counts.pass_at_k(wanted), np.ones(len(block.times))) for block in counts.blocks()
    )
    largest = _largest(counts, wanted, (1 - level) / 2)
    return _around(coverage(counts, wanted).coverage, blocks, largest, level=level, resamples=resamples, seed=seed)


def interval_of_mean(values: Floats, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0) -> Band:
    """The interval of the mean over problems of any values within 0..1, shape (problems, columns), over the choice of
    problems: as that of coverage, except that the problem added for the upper end has the value 1.

    It is NaN where there are fewer than two problems, and where the mean is NaN.
    """
    mean = values.mean(axis=0) if len(values) else np.full(values.shape[1], np.nan)
    if len(values) < 2:
        blank = np.full(mean.shape, np.nan)
        return Band(blank, blank, level)
    groups = in_groups(values, np.random.default_rng(seed))
    blocks = (
        _Weighed(np.ones(len(groups.sizes[part])), groups.sums[part], groups.sizes[part])
        for part in (slice(start, start + _BLOCK) for start in range(0, len(groups.sizes), _BLOCK))
    )
    return _around(mean, blocks, np.ones(len(mean)), level=level, resamples=resamples, seed=seed)


class _Weighed(NamedTuple):
    """Rows that get random weights: the shape of the gamma distribution of each row's weight, the sums of its values,
    shape (rows, columns), and how many problems these are of."""

    shapes: Ints | Floats
    sums: Floats
    sizes: Floats


def _around(
    estimate: Floats, blocks: Iterable[_Weighed], largest: Floats, *, level: float, resamples: int, seed: int
) -> Band:
    """The interval around an estimate."""
    tail = (1 - level) / 2
    generator = np.random.default_rng(seed)
    added = generator.standard_gamma(_ADDED, resamples)[:, None]
    solved, weight = np.zeros((resamples, len(estimate))), np.zeros((resamples, 1))
    for shapes, sums, sizes in blocks:
        weights = generator.standard_gamma(shapes, (resamples, len(shapes)))
        solved += weights @ sums
        weight += weights @ sizes[:, None]
    low = np.quantile(solved / (weight + added), tail, axis=0)
    high = np.quantile((solved + added * largest) / (weight + added), 1 - tail, axis=0)
    return Band(np.minimum(low, estimate), np.clip(high, estimate, 1), level)


def _largest(counts: Counts, ks: ArrayLike, tail: float) -> Floats:
    """The largest pass@k that a problem not seen might have, shape (ks,). A problem without a success counts as if it
    had one."""
    seen = float((np.maximum(counts.c, 1) / counts.n).max())
    rate = min(1.0, seen * 10 ** (_DECADES * (1 - tail ** (1 / len(counts)))))
    with np.errstate(divide="ignore"):
        largest: Floats = -np.expm1(np.asarray(ks) * np.log1p(-rate))
    return largest
