"""What a vote weighted by scores is expected to deliver of more samples than were drawn.

Further samples are like those drawn: each of these has a share of what would be drawn, and the shares have a Dirichlet
posterior whose parameters are 1 (the Bayesian bootstrap, Rubin 1981). The frequencies of answers then have the
posterior of `tasks.selection.forecast_of_votes`, and an answer's weights are those of its samples. Taking some of them
from the answers of other problems did not help in simulation.

Samples of one answer with about the same weight are put together, which keeps the distribution of their common share.
The interval is that of the accuracy of these very problems: its variance under the posterior, inflated as that of votes
is. `benchmarks/selection_forecast.py` shows the errors and the intervals.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.selection.outcomes import Outcomes
from tasks.selection.votes import number_that_votes, shared

# Draws for all problems together, and for one at least.
_DRAWS, _MIN_DRAWS = 8_000, 50
_INFLATION = 1.5
# Groups of samples of one answer, by weight.
_GROUPS = 8


@runtime_checkable
class Weighing(Protocol):
    """A selector that picks the answer with the largest sum of weights."""

    @property
    def keep(self) -> float:
        """The share of the samples that vote, those with the largest weights."""
        ...

    def weights_of(self, problem: Outcomes) -> Floats:
        """The weights of the samples, shape (n,)."""
        ...


def forecast_of_weighted_votes(
    selector: Weighing, problems: Sequence[Outcomes], ks: Ints, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Expected accuracy at each k, and the variance of it, both of shape (ks,)."""
    draws = max(_MIN_DRAWS, ceil(_DRAWS / len(problems)))
    expected, variance = np.zeros(len(ks)), np.zeros(len(ks))
    for problem in problems:
        tally = problem.tally()
        if not tally.values.any():
            continue
        groups = _Groups.of(problem.voters, selector.weights_of(problem), len(tally.votes))
        shares = generator.dirichlet(groups.samples.astype(np.float64), draws)
        for column, k in enumerate(ks.tolist()):
            # Two votes by the same shares: their covariance is the variance of the accuracy by shares.
            one, other = (
                shared(
                    _sums(generator.multinomial(k, shares), groups, len(tally.votes), selector.keep), tally.values, 0.0
                )[:, 0]
                for _ in range(2)
            )
            expected[column] += (one.mean() + other.mean()) / 2
            variance[column] += np.mean(one * other) - one.mean() * other.mean()
    return expected / len(problems), _INFLATION * np.maximum(variance, 0) / len(problems) ** 2


class _Groups(NamedTuple):
    """Samples of one answer with about the same weight, the largest weights first: how many there are, the answer,
    `classes` where there is none, and the mean weight; each of shape (groups,)."""

    samples: Ints
    answers: Ints
    weights: Floats

    @classmethod
    def of(cls, voters: Ints, weights: Floats, classes: int) -> "_Groups":
        """The groups of samples of the classes `voters`."""
        order = np.lexsort((weights, voters))
        samples, answers, means = [], [], []
        for members in np.split(order, np.flatnonzero(np.diff(voters[order])) + 1):
            for group in _split(weights[members]):
                samples.append(len(group))
                answers.append(int(voters[members[0]]))
                # The mean of equal weights may differ from them by rounding, and would not tie.
                means.append(float(group[0] if group[0] == group[-1] else group.mean()))
        found = np.array(answers)
        best = np.argsort(-np.array(means), kind="stable")
        return cls(np.array(samples)[best], np.where(found < 0, classes, found)[best], np.array(means)[best])


def _split(weights: Floats) -> list[Floats]:
    """Ascending weights by value where there are few values, else in `_GROUPS` parts."""
    starts = np.flatnonzero(np.diff(weights)) + 1
    return np.split(weights, starts) if len(starts) < _GROUPS else np.array_split(weights, _GROUPS)


def _sums(drawn: Ints, groups: _Groups, classes: int, keep: float) -> Floats:
    """The sums of weights by answer, shape (draws, 1, classes), where this many samples of each group were drawn, shape
    (draws, groups); -inf for answers without a vote."""
    voting = np.where(groups.answers == classes, 0, drawn)
    if keep < 1:
        together = voting.cumsum(axis=1)
        last = (together < number_that_votes(voting.sum(axis=1), keep)[:, None]).sum(axis=1)
        # Where nothing votes, there is no last group that does.
        least = groups.weights[np.minimum(last, len(groups.weights) - 1)]
        voting = np.where(groups.weights >= least[:, None], voting, 0)
    of_answer = (groups.answers[:, None] == np.arange(classes)).astype(np.float64)
    sums = (voting * groups.weights) @ of_answer
    found: Floats = np.where(voting @ of_answer > 0, sums, -np.inf)
    return found[:, None, :]
