"""The interval of a selector's accuracy over samples: these very problems, sampled again.

The variance of accuracy is summed over problems. How it is found depends on the selector: by `variance_of_best` where
the sample with the highest number is picked, by `variance_of_votes` where votes are counted, and by
`variance_by_samples` for any other, such as a vote weighted by scores. All are exact formulas averaged over what the
samples leave open about a problem; a bootstrap fails near k = n, where one sample, or one vote, decides.

The upper and lower ends allow for the variance to grow with accuracy, as in a score interval (Wilson 1927), which
matters where no problem's samples show any variance. `GROWTH` is the share of the largest such growth. It was chosen by
simulation on one half of the kinds of problems in `benchmarks/calibration.py`, which shows how often the intervals hold
on the other.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Band
from tasks.selection import Selector
from tasks.selection.curves import PickCurve
from tasks.selection.outcomes import Outcomes
from tasks.selection.variance_by_samples import variance_by_samples
from tasks.selection.variance_of_best import Ranking, variance_of_best
from tasks.selection.variance_of_votes import Counting, variance_of_votes

GROWTH = 0.1

# The variance comes from at most this many problems, which stand for the others: the width is then known to some 5 %.
_MAX_PROBLEMS = 1_000


def interval_over_samples(
    selector: Selector, problems: Sequence[Outcomes], curve: PickCurve, level: float = 0.95, seed: int = 0
) -> Band:
    """The interval of accuracy at each k of a curve if the samples of these problems were drawn again."""
    variance = variance_over_samples(selector, problems, curve, seed)
    growth = GROWTH * curve.ks / (curve.reach * len(problems))
    z = NormalDist().inv_cdf((1 + level) / 2)
    half = z * z * growth / 2 + np.sqrt(z * z * variance + (z * z * growth / 2) ** 2)
    return Band(np.clip(curve.accuracy - half, 0, 1), np.clip(curve.accuracy + half, 0, 1), level)


def variance_over_samples(selector: Selector, problems: Sequence[Outcomes], curve: PickCurve, seed: int = 0) -> Floats:
    """The variance of accuracy at each k of a curve over the draw of the samples and Monte Carlo, shape (ks,); NaN
    above its `reach`."""
    within = np.flatnonzero(curve.ks <= curve.reach)
    variance = np.full(len(curve.ks), np.nan)
    generator, some = np.random.default_rng(seed), problems
    if len(problems) > _MAX_PROBLEMS:
        some = [problems[at] for at in generator.choice(len(problems), _MAX_PROBLEMS, replace=False).tolist()]
    total = _variance(selector, some, curve.ks[within], generator)
    variance[within] = np.maximum(total, 0) / (len(some) * len(problems)) + curve.error[within] ** 2
    return variance


def _variance(selector: Selector, problems: Sequence[Outcomes], ks: Ints, generator: np.random.Generator) -> Floats:
    """The sum over problems of the variance of accuracy at each k, shape (ks,)."""
    if isinstance(selector, Ranking):
        return variance_of_best(selector, problems, ks, generator)
    if isinstance(selector, Counting):
        return variance_of_votes(selector, problems, ks, generator)
    return variance_by_samples(selector, problems, ks, generator)
