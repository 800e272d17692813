"""What the best of k by a score is expected to deliver of more samples than were drawn.

How likely a sample is correct depends on its rank by score. With z, the normal quantile of the share of the problem's
samples that rank below it, the log-odds are a + b z + c z^2: for scores that are normal for correct and for wrong
samples, they are exactly quadratic in the score. Each problem has its own a, b and c, from normal distributions over
problems, whose means and variances are fitted too (empirical Bayes, by Laplace's approximation). The mean of c shrinks
to 0 unless the samples contradict: c decides how a curve goes on, and bends it down where a scorer prefers some wrong
samples.

The best of k has the rank that the largest of k uniform variables has, over which the probability is integrated. Ranks
are counted in bins, evenly spaced in their logarithm. Samples of equal score count with their mean.

Scores may relate to correctness in other ways. At half of the samples, where the measured accuracy is precise, the
difference from it is added to the forecast where it is more than noise (James and Stein's shrinkage). The variance has
the posterior of each problem's parameters, that of their means, this difference, and the share `_DISTANCE` of how far
the forecast is from what was measured there. The constants were chosen by simulation on one half of the kinds of
problems and scores in `benchmarks/selection_forecast.py`, which shows the errors and the intervals on the other.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit, ndtri

from tasks.scaling.arrays import Floats, Ints
from tasks.selection.best import best_of_k
from tasks.selection.outcomes import Outcomes
from tasks.selection.variance_of_best import Ranking, variance_of_best

MIN_PROBLEMS, MIN_SAMPLES = 10, 20
_BINS, _NODES, _ROUNDS = 40, 200, 40
# Bounds of the variances of a, b and c over problems.
_LOWEST, _HIGHEST = np.array([0.1, 0.005, 0.0005]), np.array([25.0, 4.0, 0.1])
_SHRINKAGE, _DISTANCE = 2.0, 0.5


def can_forecast(selector: Ranking, problems: Sequence[Outcomes]) -> bool:
    """Whether there are enough problems and samples, of scores most of which differ."""
    if len(problems) < MIN_PROBLEMS or min(each.n for each in problems) < MIN_SAMPLES:
        return False
    distinct = [len(np.unique(selector.ranking(each))) / each.n for each in problems]
    return float(np.median(distinct)) > 0.5


def forecast_of_best(
    selector: Ranking, problems: Sequence[Outcomes], ks: Ints, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Expected accuracy at each k, and the variance of it, both of shape (ks,)."""
    fitted = _fit(_Bins.of(selector, problems))
    half = max(1, min(each.n for each in problems) // 2)
    measured = float(np.mean([best_of_k(each.correct, selector.ranking(each), np.array([half])) for each in problems]))
    noise = variance_of_best(selector, problems, np.array([half]), generator)[0] / len(problems) ** 2
    misfit = measured - float(_right(fitted, half).right.mean())
    expected, variance = np.zeros(len(ks)), np.zeros(len(ks))
    for column, k in enumerate(ks.tolist()):
        nodes, right = _right(fitted, k)
        slopes = (right * (1 - right)) @ nodes / _NODES
        mean = slopes.mean(axis=0)
        expected[column] = right.mean() + misfit * max(0.0, 1 - noise / max(misfit**2, 1e-12))
        of_problems = np.einsum("pi,pij,pj->", slopes, fitted.covariances, slopes) / len(problems) ** 2
        further = (_DISTANCE * (right.mean() - measured)) ** 2 + misfit**2
        variance[column] = of_problems + mean @ fitted.of_means @ mean + further
    return np.clip(expected, 0, 1), variance


class _Right(NamedTuple):
    """Ranks of the best of k, as `_features`, shape (nodes, 3), and how likely a sample of each is correct, shape
    (problems, nodes)."""

    nodes: Floats
    right: Floats


def _right(fitted: "_Fitted", k: int) -> _Right:
    nodes = _features(-ndtri(-np.expm1(np.log((np.arange(_NODES) + 0.5) / _NODES) / k)))
    return _Right(nodes, expit(fitted.parameters @ nodes.T))


class _Bins(NamedTuple):
    """How many samples each bin of ranks has, how many of them are correct, both of shape (problems, bins), and z at
    its middle, as `_features`."""

    samples: Floats
    correct: Floats
    middles: Floats

    @classmethod
    def of(cls, selector: Ranking, problems: Sequence[Outcomes]) -> "_Bins":
        samples, correct, middles = np.zeros((3, len(problems), _BINS))
        for row, problem in enumerate(problems):
            _, where, sizes = np.unique(-selector.ranking(problem), return_inverse=True, return_counts=True)
            rates = np.bincount(where, weights=problem.correct) / sizes
            sums = np.concatenate([[0.0], np.cumsum(np.repeat(rates, sizes))])
            ends = np.unique(np.concatenate([[0], np.rint(np.geomspace(1, problem.n, _BINS)).astype(np.int64)]))
            bins = len(ends) - 1
            samples[row, :bins], correct[row, :bins] = np.diff(ends), np.diff(sums[ends])
            middles[row, :bins] = -ndtri((ends[1:] + ends[:-1]) / (2 * problem.n))
        return cls(samples, correct, _features(middles))


class _Fitted(NamedTuple):
    """a, b and c of each problem, shape (problems, 3), the covariances of them given their means, shape (problems, 3,
    3), and the covariance of the means, shape (3, 3)."""

    parameters: Floats
    covariances: Floats
    of_means: Floats


def _features(z: Floats) -> Floats:
    features: Floats = np.stack([np.ones_like(z), z, z * z], axis=-1)
    return features


def _fit(bins: _Bins) -> _Fitted:
    problems = len(bins.samples)
    solved, drawn = bins.correct.sum(axis=1), bins.samples.sum(axis=1)
    parameters = np.zeros((problems, 3))
    parameters[:, 0] = logit((solved + 0.5) / (drawn + 1))
    means = parameters.mean(axis=0)
    variances = np.array([max(float(parameters[:, 0].var()), 0.5), 0.25, 0.05])
    covariances = np.zeros((problems, 3, 3))
    for _ in range(_ROUNDS):
        for _ in range(2):
            right = expit(np.einsum("pbi,pi->pb", bins.middles, parameters))
            weights = bins.samples * right * (1 - right)
            gradient = np.einsum("pb,pbi->pi", bins.correct - bins.samples * right, bins.middles)
            gradient -= (parameters - means) / variances
            precision = np.einsum("pb,pbi,pbj->pij", weights, bins.middles, bins.middles) + np.diag(1 / variances)
            step = np.linalg.solve(precision, gradient[:, :, None])[:, :, 0]
            parameters = parameters + np.clip(step, -1, 1)
        covariances = np.linalg.inv(precision)
        means = parameters.mean(axis=0)
        spread = ((parameters - means) ** 2 + np.einsum("pii->pi", covariances)).mean(axis=0)
        means[2] *= max(0.0, 1 - _SHRINKAGE * spread[2] / problems / max(means[2] ** 2, 1e-12))
        variances = np.clip(spread, _LOWEST, _HIGHEST)
    return _Fitted(parameters, covariances, (np.diag(variances) + covariances.mean(axis=0)) / problems)
