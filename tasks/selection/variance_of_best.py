"""The variance over samples of the best of k by a score.

Near k = n one sample decides. A bootstrap draws the best sample again in 63 % of its resamples, and where the next ones
agree with it, sees no variance at all, although this problem's best sample might have been wrong (the bootstrap of an
extreme is inconsistent; Bickel and Freedman 1981, section 6).

Here the variance has two parts. Let r be the rate at which samples of a score are correct. Given the scores, accuracy
is the sum of w_i c_i over samples, with the chance w_i that sample i is picked and independent c_i, which adds the sum
of w_i^2 r_i (1 - r_i). The variance due to the scores is that of the sum of w_i r_i, smooth in the scores, for which
the bootstrap works.

r_i is not known. A sample and its neighbours by score, `_NEIGHBOURS` in all, say how often samples there are correct;
r_i (1 - r_i) is its mean under the posterior of r_i. The prior density is r^(a-1) (1-r)^(b-1), with a and b from how
often the best samples of the problems have just one success, or one failure, among their neighbours
(`tasks.selection.posterior`). `_NEIGHBOURS` was chosen by simulation, as in `tasks.selection.interval_over_samples`.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.selection.best import best_of_k, chances_of_best
from tasks.selection.outcomes import Bools, Outcomes
from tasks.selection.posterior import shape_near_zero

# Bootstrap samples of all problems together: the variance due to the scores is then known to 10 %.
_REPLICATES = 200
_NEIGHBOURS = 4


@runtime_checkable
class Ranking(Protocol):
    """A selector that picks the sample with the highest number, ties shared."""

    def ranking(self, problem: Outcomes) -> Floats:
        """The number of each sample, shape (n,)."""
        ...


def variance_of_best(
    selector: Ranking, problems: Sequence[Outcomes], ks: Ints, generator: np.random.Generator
) -> Floats:
    """The sum over problems of the variance of accuracy at each k, shape (ks,)."""
    replicates = max(2, ceil(_REPLICATES / len(problems)))
    ranked = [_Ranked(each.correct, selector.ranking(each)) for each in problems]
    around = [_neighbours(each) for each in ranked]
    zero, one = _shapes(around)
    total = np.zeros(len(ks))
    for (_, scores), near in zip(ranked, around, strict=True):
        successes, failures = near.successes + zero, near.size - near.successes + one
        both = successes + failures
        total += chances_of_best(scores, ks) ** 2 @ (successes * failures / (both * (both + 1)))
        rates, n = near.successes / near.size, len(scores)
        redrawn = [best_of_k(rates[at], scores[at], ks) for at in generator.integers(0, n, (replicates, n))]
        total += np.var(redrawn, axis=0, ddof=1)
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


def _neighbours(problem: _Ranked) -> _Neighbours:
    n = len(problem.scores)
    _, where, sizes = np.unique(-problem.scores, return_inverse=True, return_counts=True)
    rates = np.bincount(where, weights=problem.correct) / sizes
    sums = np.concatenate([[0.0], np.cumsum(np.repeat(rates, sizes))])
    spans = np.minimum(np.maximum(sizes, _NEIGHBOURS), n)
    starts = np.clip(np.cumsum(sizes) - sizes - (spans - sizes + 1) // 2, 0, n - spans)
    return _Neighbours((sums[starts + spans] - sums[starts])[where], spans[where], int(np.argmax(problem.scores)))


def _shapes(around: Sequence[_Neighbours]) -> tuple[float, float]:
    """The prior's a and b."""
    successes = np.rint([each.successes[each.best] for each in around])
    failures = np.array([each.size[each.best] for each in around]) - successes
    return shape_near_zero(successes), shape_near_zero(failures)
