"""The variance of an expectation over all subsets, from pairs of subsets that overlap.

The expected accuracy over all subsets of k of n samples is a U-statistic. Its variance is the covariance of the
accuracies of two random subsets, which comes from the j samples that they share: it is the mean over j of the
covariance given j (Hoeffding 1948). In a draw, A and A' are j samples each, and B and B' are k - j each. Half the mean
of (h(A+B) - h(A'+B)) (h(A+B') - h(A'+B')), for the accuracy h of what is picked, is that covariance without bias. j = 0
adds nothing, so that it is left out, and the rest weighted by its probability: most pairs of small subsets share
nothing.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from tasks.scaling.arrays import Floats, Ints


class Overlap(NamedTuple):
    """The number of samples that two random subsets share, given that they share any: `shared` in order, the cumulative
    probability of each, and the `chance` that they share any."""

    shared: Ints
    cumulative: Floats
    chance: float

    def draw(self, size: int, generator: np.random.Generator) -> Ints:
        """Random numbers of samples shared, shape (size,)."""
        drawn: Ints = self.shared[np.searchsorted(self.cumulative[:-1], generator.random(size), side="right")]
        return drawn

    def variance(self, first: Floats, second: Floats) -> float:
        """The variance by the changes h(A+B) - h(A'+B) and h(A+B') - h(A'+B') of the draws, shape (draws,) each."""
        return self.chance * float(np.mean(first * second)) / 2


@lru_cache(maxsize=256)
def overlap(n: int, k: int) -> Overlap:
    """The overlap of two random subsets of k of n samples, 1 <= k <= n."""
    shared = np.arange(max(0, 2 * k - n), k + 1)
    log_ways = -(gammaln(shared + 1) + 2 * gammaln(k - shared + 1) + gammaln(n - 2 * k + shared + 1))
    probability = np.exp(log_ways - log_ways.max())
    probability /= probability.sum()
    any_shared = shared > 0
    chance = float(probability[any_shared].sum())
    cumulative = np.cumsum(probability[any_shared]) / chance
    return Overlap(shared[any_shared], cumulative, chance)
