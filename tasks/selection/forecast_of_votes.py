"""What a vote is expected to deliver of more samples than were drawn.

A problem's answers have the frequencies that their posterior says (`tasks.selection.posterior`), and a vote among k
samples of these frequencies may be right or wrong. Near the largest k measured, one vote decides a problem whose
answers are close to a tie; the forecast is the chance that it goes either way, and need not continue the measured curve
where that ends.

The interval is that of the accuracy of these very problems: its variance under the posterior. `_INFLATION`, which
allows for problems that are unlike the posterior, was chosen by simulation on one half of the kinds of problems in
`benchmarks/selection_forecast.py`, which shows the errors and the intervals on the other.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.selection.outcomes import Outcomes
from tasks.selection.posterior import Posterior, shape_near_zero
from tasks.selection.variance_of_votes import Counting, accuracy_of_winners, frequencies_of

# Draws for all problems together, and for one at least.
_DRAWS, _MIN_DRAWS = 20_000, 50
_INFLATION = 1.5


def forecast_of_votes(
    selector: Counting, problems: Sequence[Outcomes], ks: Ints, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Expected accuracy at each k, and the variance of it, both of shape (ks,)."""
    tallies = [selector.votes_of(each) for each in problems]
    shape = shape_near_zero(np.array([float(each.votes[each.values > 0].sum()) for each in tallies]))
    draws = max(_MIN_DRAWS, ceil(_DRAWS / len(problems)))
    expected, variance = np.zeros(len(ks)), np.zeros(len(ks))
    for tally in tallies:
        posterior = Posterior.of(tally, shape)
        frequencies = frequencies_of(posterior, draws, generator)
        for column, k in enumerate(ks.tolist()):
            # Two votes by the same frequencies: their covariance is the variance of the accuracy by frequencies.
            one, other = (
                accuracy_of_winners(generator.multinomial(k, frequencies), posterior.values) for _ in range(2)
            )
            expected[column] += (one.mean() + other.mean()) / 2
            variance[column] += np.mean(one * other) - one.mean() * other.mean()
    return expected / len(problems), _INFLATION * np.maximum(variance, 0) / len(problems) ** 2
