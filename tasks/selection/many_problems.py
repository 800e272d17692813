"""Picks of many problems at once: with a hundred thousand of them, one after another takes minutes.

Problems with the same number of samples are the rows of matrices. Here are the selectors' own formulas for rows: the
exact one of the best of k, and Monte Carlo for votes that are weighted by scores.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.selection.best import chances_of_ranks
from tasks.selection.outcomes import Bools, Outcomes
from tasks.selection.simulation import Estimate, Simulation, moments_of_rows
from tasks.selection.votes import tie_slack, winners_in_rows

# Numbers that are held together.
_TOGETHER = 1 << 20


@runtime_checkable
class PicksOfMany(Protocol):
    """What a selector may have that has a faster way for many problems."""

    def accuracies(self, problems: "Rows", ks: Ints, simulation: Simulation) -> Estimate | None:
        """As `Selector.accuracy`, for problems with the same number of samples; shape (problems, ks). None where it
        has none."""
        ...


class Rows(NamedTuple):
    """Problems that have the same number of samples, shape (problems, n) each; `voters` are answer classes below n, and
    `NO_ANSWER`."""

    problems: Sequence[Outcomes]
    correct: Bools

    @classmethod
    def of(cls, problems: Sequence[Outcomes]) -> "Rows":
        """These problems, as rows."""
        return cls(problems, np.array([each.correct for each in problems]))

    @property
    def n(self) -> int:
        """How many samples each has."""
        return int(self.correct.shape[1])

    @property
    def voters(self) -> Ints:
        """Their answer classes."""
        return np.array([each.voters for each in self.problems])

    def score(self, name: str) -> Floats:
        """Their scores of this name."""
        return np.array([each.scores[name] for each in self.problems])


def in_rows(problems: Sequence[Outcomes]) -> Iterator[tuple[Ints, Rows]]:
    """The positions of problems with the same number of samples, some at a time, and these problems."""
    sizes = np.array([each.n for each in problems])
    for n in np.unique(sizes).tolist():
        of_size = np.flatnonzero(sizes == n)
        for some in np.array_split(of_size, -(-len(of_size) * n // _TOGETHER)):
            yield some, Rows.of([problems[at] for at in some.tolist()])


def best_of_rows(correct: Bools, scores: Floats, ks: Ints) -> Floats:
    """As `best_of_k`, for each row; shape (problems, ks)."""
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked, right = np.take_along_axis(scores, order, 1), np.take_along_axis(correct, order, 1)
    # Samples of one score have the mean of how many of them are correct.
    first = np.ones(ranked.shape, dtype=np.bool_)
    first[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    group = np.cumsum(first.ravel()) - 1
    mean = np.bincount(group, right.ravel()) / np.bincount(group)
    accuracy: Floats = np.clip(mean[group].reshape(ranked.shape) @ chances_of_ranks(scores.shape[1], ks).T, 0, 1)
    return accuracy


def weighted_votes_of_rows(rows: Rows, weights: Floats, ks: Ints, simulation: Simulation) -> Estimate:
    """The accuracy of the answer with the largest sum of weights; weights have shape (problems, n).

    Monte Carlo, with the simulation's number of draws for each problem, except at k = 1 and k = n.
    """
    rows, voters, weights = _in_canonical_order(rows, weights)
    values = _values(voters, rows.correct)
    voting = np.take_along_axis(values, np.maximum(voters, 0), 1) * (voters >= 0)
    accuracy, error = np.zeros((2, len(values), len(ks)))
    between = np.flatnonzero((ks > 1) & (ks < rows.n))
    accuracy[:, ks == 1] = voting.mean(axis=1)[:, None]
    if (ks == rows.n).any():
        whole = np.array([rows.n])
        accuracy[:, ks == rows.n] = winners_in_rows(voters, values, whole, weights, tie_slack(weights, rows.n))
    if len(between):
        some = max(1, _TOGETHER // (simulation.draws * rows.n * (len(between) + 1)))
        for start in range(0, len(values), some):
            of = slice(start, start + some)
            drawn = _drawn(voters[of], values[of], weights[of], ks[between], simulation)
            accuracy[of, between], error[of, between] = moments_of_rows(drawn)
    return Estimate(accuracy, error)


def _drawn(voters: Ints, values: Floats, weights: Floats, ks: Ints, simulation: Simulation) -> Floats:
    """The accuracy in each draw, shape (problems, draws, ks)."""
    problems, n = voters.shape
    last = int(ks[-1])
    orders = np.concatenate(list(simulation.orders(n, problems * simulation.draws, last)))
    of = np.repeat(np.arange(problems), simulation.draws)
    found = winners_in_rows(
        voters[of[:, None], orders],
        np.repeat(values, simulation.draws, axis=0),
        ks,
        weights[of[:, None], orders],
        np.repeat(tie_slack(weights, last), simulation.draws, axis=0),
    )
    return found.reshape(problems, simulation.draws, len(ks))


def _in_canonical_order(rows: Rows, weights: Floats) -> tuple[Rows, Ints, Floats]:
    """Samples by what is known of them alone, so that draws do not depend on their order."""
    voters = rows.voters
    sums, sizes = (_by_class(voters, each) for each in (weights, np.ones_like(weights)))
    classes = [np.take_along_axis(each, np.maximum(voters, 0), 1) for each in (sums, sizes)]
    order = np.lexsort((voters, *classes, rows.correct, weights, voters >= 0), axis=1)
    ordered = rows._replace(correct=np.take_along_axis(rows.correct, order, 1))
    return ordered, np.take_along_axis(voters, order, 1), np.take_along_axis(weights, order, 1)


def _values(voters: Ints, correct: Bools) -> Floats:
    """The share of each class's samples that is correct, shape (problems, classes)."""
    votes = _by_class(voters, np.ones(voters.shape))
    return _by_class(voters, correct.astype(np.float64)) / np.maximum(votes, 1)


def _by_class(voters: Ints, numbers: Floats) -> Floats:
    """Sums by answer class, shape (problems, classes)."""
    classes = max(int(voters.max()), 0) + 1
    cells = np.arange(len(voters))[:, None] * (classes + 1) + np.where(voters < 0, classes, voters)
    sums = np.bincount(cells.ravel(), numbers.ravel(), minlength=len(voters) * (classes + 1)).astype(np.float64)
    return sums.reshape(len(voters), classes + 1)[:, :classes]
