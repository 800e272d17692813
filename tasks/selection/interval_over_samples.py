"""The interval of a selector's accuracy over samples: these very problems, sampled again.

Votes are resampled: a bootstrap of each problem's samples, whose variances are added up over problems, less the
variance of Monte Carlo.

For the best of k by a score that fails near k = n, where one sample decides: a bootstrap draws the best sample again in
63 % of its resamples, and where the next ones agree with it, sees no variance at all, although this problem's best
sample might have been wrong (the bootstrap of an extreme is inconsistent; Bickel and Freedman 1981, section 6). Here
the variance has two parts. Let r be the rate at which samples of a score are correct. Given the scores, accuracy is the
sum of w_i c_i over samples, with the chance w_i that sample i is picked and independent c_i, which adds the sum of
w_i^2 r_i (1 - r_i). The variance due to the scores is that of the sum of w_i r_i, smooth in the scores, for which the
bootstrap works.

r_i is not known. A sample and its neighbours by score, `_NEIGHBOURS` in all, say how often samples there are correct;
r_i (1 - r_i) is its mean under the posterior of r_i. The prior density is r^(a-1) (1-r)^(b-1), with a and b from how
often the best samples of the problems have just one success, or one failure, among their neighbours, as for coverage
(`tasks.scaling.interval_over_samples`), where `_GROWTH` is explained, too. Both constants were chosen by simulation on
one half of the kinds of problems in `benchmarks/calibration.py`, which shows how often the intervals hold on the other.
"""

from collections.abc import Sequence
from math import ceil
from statistics import NormalDist
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Band
from tasks.selection import Selector
from tasks.selection.best import best_of_k, chances_of_best
from tasks.selection.curves import PickCurve
from tasks.selection.outcomes import Bools, Outcomes
from tasks.selection.simulation import Simulation

# Bootstrap samples of all problems together: the width of the interval over samples is then known to 5 %.
_REPLICATES = 200
_DRAWS = 100
_NEIGHBOURS = 4
_GROWTH = 0.1
_LEAST_SHAPE = 0.02


@runtime_checkable
class Ranking(Protocol):
    """A selector that picks the sample with the highest number, ties shared."""

    def ranking(self, problem: Outcomes) -> Floats:
        """The number of each sample, shape (n,)."""
        ...


def interval_over_samples(
    selector: Selector, problems: Sequence[Outcomes], curve: PickCurve, level: float = 0.95, seed: int = 0
) -> Band:
    """The interval of accuracy at each k of a curve if the samples of these problems were drawn again."""
    within = np.flatnonzero(curve.ks <= curve.reach)
    order = within[np.argsort(curve.ks[within], kind="stable")]
    variance, growth = np.full((2, len(curve.ks)), np.nan)
    if isinstance(selector, Ranking):
        ranked = [_Ranked(each.correct, selector.ranking(each)) for each in problems]
        total = _variance_of_best(ranked, curve.ks[order], seed)
        growth[order] = _GROWTH * curve.ks[order] / (curve.reach * len(problems))
    else:
        total = _variance_of_resamples(selector, problems, curve.ks[order], seed)
        growth[order] = 0.0
    variance[order] = np.maximum(total, 0) / len(problems) ** 2
    z = NormalDist().inv_cdf((1 + level) / 2)
    half = z * z * growth / 2 + np.sqrt(z * z * (variance + curve.error**2) + (z * z * growth / 2) ** 2)
    return Band(np.clip(curve.accuracy - half, 0, 1), np.clip(curve.accuracy + half, 0, 1), level)


def _variance_of_resamples(selector: Selector, problems: Sequence[Outcomes], ks: Ints, seed: int) -> Floats:
    """The sum over problems of the variance of accuracy at each k, by the bootstrap, shape (ks,)."""
    generator = np.random.default_rng(seed)
    replicates = max(2, ceil(_REPLICATES / len(problems)))
    total = np.zeros(len(ks))
    for position, problem in enumerate(problems):
        # Few draws will do: the variance of Monte Carlo is known, and taken off.
        simulation = Simulation(_DRAWS, np.random.default_rng([seed, position]))
        redrawn = [
            selector.accuracy(problem.at(generator.integers(0, problem.n, problem.n)), ks, simulation)
            for _ in range(replicates)
        ]
        accuracies, errors = (np.array(column) for column in zip(*redrawn, strict=True))
        total += accuracies.var(axis=0, ddof=1) - (errors**2).mean(axis=0)
    return total


class _Ranked(NamedTuple):
    correct: Bools
    scores: Floats


class _Neighbours(NamedTuple):
    """Around each sample, how many of its neighbours by score are correct, and how many there are; shape (n,). Samples
    of the same score count with their mean."""

    successes: Floats
    size: Ints
    best: int
    """The position of a sample with the highest score."""


def _variance_of_best(problems: Sequence[_Ranked], ks: Ints, seed: int) -> Floats:
    """The sum over problems of the variance of accuracy at each k, shape (ks,)."""
    generator = np.random.default_rng(seed)
    replicates = max(2, ceil(_REPLICATES / len(problems)))
    around = [_neighbours(each) for each in problems]
    zero, one = _shapes(around)
    total = np.zeros(len(ks))
    for (_, scores), near in zip(problems, around, strict=True):
        successes, failures = near.successes + zero, near.size - near.successes + one
        both = successes + failures
        total += chances_of_best(scores, ks) ** 2 @ (successes * failures / (both * (both + 1)))
        rates, n = near.successes / near.size, len(scores)
        redrawn = [best_of_k(rates[at], scores[at], ks) for at in generator.integers(0, n, (replicates, n))]
        total += np.var(redrawn, axis=0, ddof=1)
    return total


def _neighbours(problem: _Ranked) -> _Neighbours:
    n = len(problem.scores)
    _, where, sizes = np.unique(-problem.scores, return_inverse=True, return_counts=True)
    rates = np.bincount(where, weights=problem.correct) / sizes
    sums = np.concatenate([[0.0], np.cumsum(np.repeat(rates, sizes))])
    spans = np.minimum(np.maximum(sizes, _NEIGHBOURS), n)
    starts = np.clip(np.cumsum(sizes) - sizes - (spans - sizes + 1) // 2, 0, n - spans)
    return _Neighbours((sums[starts + spans] - sums[starts])[where], spans[where], int(np.argmax(problem.scores)))


def _shapes(around: Sequence[_Neighbours]) -> tuple[float, float]:
    """The prior's a and b: half a problem is added to each count, which keeps them finite."""
    successes = np.rint([each.successes[each.best] for each in around])
    failures = np.array([each.size[each.best] for each in around]) - successes
    return _shape(successes), _shape(failures)


def _shape(events: Floats) -> float:
    once, never = int((events == 1).sum()), int((events == 0).sum())
    return min(max((once + 0.5) / (never + 1), _LEAST_SHAPE), 1.0)
