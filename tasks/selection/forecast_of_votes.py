"""What a vote is expected to deliver of more samples than were drawn.

The frequencies of a problem's answers have a Dirichlet posterior whose parameters are the votes, and a vote among k
samples of these frequencies may be right or wrong. Correct and wrong answers are treated alike. The posterior that
intervals over samples use (`tasks.selection.posterior`) gives a correct answer more; it overrated majority by 2 to 14
points on samples of a model that rarely gives an answer twice.

Near the largest k measured, one vote decides a problem whose answers are close to a tie. The forecast is the chance
that it goes either way, and need not continue the measured curve where that ends.

The interval is that of the accuracy of these very problems: its variance under the posterior. `_INFLATION`, which
allows for problems that are unlike the posterior, was chosen by simulation on one half of the kinds of problems in
`benchmarks/selection_forecast.py`, which shows the errors and the intervals on the other.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.selection.outcomes import Outcomes
from tasks.selection.posterior import Posterior
from tasks.selection.variance_of_votes import Counting, accuracy_of_winners, batches, frequencies_of

MIN_SAMPLES = 10
# Draws for all problems together, and for one at least.
_DRAWS, _MIN_DRAWS = 20_000, 50
_INFLATION = 1.5


def forecast_of_votes(
    selector: Counting, problems: Sequence[Outcomes], ks: Ints, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Expected accuracy at each k, and the variance of it, both of shape (ks,)."""
    draws = max(_MIN_DRAWS, ceil(_DRAWS / len(problems)))
    expected, variance = np.zeros(len(ks)), np.zeros(len(ks))
    for problem in problems:
        tally = selector.votes_of(problem)
        if not tally.values.any():
            continue
        posterior = Posterior(tally.votes.astype(np.float64), tally.values, 0.0, tally.silent, tally.n)
        sums = np.zeros((3, len(ks)))
        for size in batches(draws, len(posterior.votes)):
            frequencies = frequencies_of(posterior, size, generator)
            for column, k in enumerate(ks.tolist()):
                # Two votes by the same frequencies: their covariance is the variance of the accuracy by frequencies.
                one, other = (
                    accuracy_of_winners(generator.multinomial(k, frequencies), posterior.values) for _ in range(2)
                )
                sums[:, column] += one.sum(), other.sum(), (one * other).sum()
        ones, others, products = sums / draws
        expected += (ones + others) / 2
        variance += products - ones * others
    return expected / len(problems), _INFLATION * np.maximum(variance, 0) / len(problems) ** 2
