"""Two intervals for a coverage curve, named for what varies.

*Over problems*: another draw of problems from where these came (`bootstrap_coverage`). *Over samples*: these very
problems, sampled again (`resampled_coverage`). A benchmark's score as a property of the model wants the first; two
settings on the same problems want the second, which is much narrower.
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from tasks.scaling.arrays import Floats
from tasks.scaling.estimators import Band, Counts, coverage
from tasks.scaling.sequential_stopping import resampled


def resampled_coverage(counts: Counts, ks: ArrayLike, level: float = 0.95, resamples: int = 400, seed: int = 0) -> Band:
    """The interval over samples: coverage plus and minus normal quantiles times its standard deviation, within 0..1.

    The variance is the unbiased one where 2k <= n. Beyond, none exists, and the spread is simulated: every problem
    draws its n samples again at the rate (c + 1/2) / (n + 1), which keeps never-solved problems uncertain.
    """
    wanted = np.atleast_1d(np.asarray(ks, dtype=np.int64))
    curve = coverage(counts, wanted).coverage
    if not len(counts):
        return Band(curve, curve, level)
    deviation = np.sqrt(np.maximum(counts.pass_at_k_variance(wanted).sum(axis=0), 0.0)) / len(counts)
    simulated = np.isnan(deviation) & np.isfinite(curve)
    if simulated.any():
        deviation[simulated] = _simulated_deviation(counts, wanted[simulated], resamples, seed)
    reach = NormalDist().inv_cdf((1 + level) / 2) * deviation
    return Band(np.clip(curve - reach, 0, 1), np.clip(curve + reach, 0, 1), level)


def _simulated_deviation(counts: Counts, ks: ArrayLike, resamples: int, seed: int) -> Floats:
    rate = (counts.c + 0.5) / (counts.n + 1)
    generator = np.random.default_rng(seed)
    problems = np.tile(np.arange(len(counts)), resamples)
    if counts.rounds is None:
        n = counts.n[problems]
        drawn = Counts(tuple(map(str, range(len(n)))), n, generator.binomial(n, rate[problems]))
    else:
        n, c, rounds = resampled(counts.n, counts.c, rate, counts.rounds, problems=problems, generator=generator)
        drawn = Counts(tuple(map(str, range(len(n)))), n, c, rounds)
    each = drawn.pass_at_k(ks).reshape(resamples, len(counts), -1)
    deviation: Floats = each.mean(axis=1).std(axis=0, ddof=1)
    return deviation
