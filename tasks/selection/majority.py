"""Majority vote: the most frequent answer (self-consistency, Wang et al. 2022, arXiv 2203.11171)."""

from typing import ClassVar, Literal

import numpy as np

from tasks.plugins import Config
from tasks.scaling.arrays import Floats, Ints
from tasks.selection.exact_vote import accuracy, race
from tasks.selection.outcomes import Need, Outcomes, Tally
from tasks.selection.simulation import Estimate, Simulation, mean_and_error
from tasks.selection.votes import winners

# The numbers that the exact formula computes in the time in which Monte Carlo draws the votes of one answer once.
_WORK_OF_A_DRAW = 8
# What is always computed exactly.
_CHEAP = 50_000


class Majority(Config):
    """Picks the most frequent answer; samples without an answer have no vote."""

    needs: ClassVar[tuple[Need, ...]] = (Need("answers"),)

    name: Literal["majority"] = "majority"

    @property
    def label(self) -> str:
        """What tables and figures call it."""
        return "majority"

    def accuracy(self, problem: Outcomes, ks: Ints, simulation: Simulation) -> Estimate:
        """See `Selector`: exact while that takes no longer than Monte Carlo."""
        return vote(self.votes_of(problem), ks, simulation)

    def picked(self, problem: Outcomes, orders: Ints, ks: Ints) -> Floats:
        """See `Selector`."""
        return winners(problem, orders, ks)

    def votes_of(self, problem: Outcomes) -> Tally:
        """The votes of all samples."""
        return problem.tally()


def vote(tally: Tally, ks: Ints, simulation: Simulation) -> Estimate:
    """The expected accuracy of a majority vote among k samples, for each k; a subset without an answer is wrong."""
    mean, error = np.zeros(len(ks)), np.zeros(len(ks))
    if not tally.values.any() or (not tally.silent and (tally.values == tally.values[0]).all()):
        # Whatever wins is as accurate.
        return Estimate(mean + (tally.values[0] if tally.values.any() else 0.0), error)
    too_much: list[int] = []
    for column, k in enumerate(ks.tolist()):
        if k == tally.n:
            mean[column] = tally.modal
            continue
        exact = race(tally, k)
        if exact.work <= max(_CHEAP, _WORK_OF_A_DRAW * simulation.draws * len(tally.votes)):
            mean[column] = accuracy(exact)
        else:
            too_much.append(column)
    if too_much:
        values = _simulated(tally, ks[too_much], simulation)
        mean[too_much], error[too_much] = mean_and_error(values, 0.0, float(tally.values.max()))
    return Estimate(mean, error)


def _simulated(tally: Tally, ks: Ints, simulation: Simulation) -> Floats:
    """The accuracy of the winner in each draw, shape (draws, ks). Larger subsets of a draw contain the smaller ones."""
    values = np.zeros((simulation.draws, len(ks)))
    order, answers = np.argsort(ks, kind="stable"), np.lexsort((tally.values, -tally.votes))
    of_answers = tally.values[answers]
    left = np.tile(np.append(tally.votes[answers], tally.silent), (simulation.draws, 1))
    votes = np.zeros_like(left)
    drawn = 0
    for column in order.tolist():
        more = np.full(simulation.draws, int(ks[column]) - drawn)
        drawn = int(ks[column])
        rest = left.sum(axis=1)
        for answer in range(left.shape[1]):
            rest -= left[:, answer]
            taken = simulation.generator.hypergeometric(left[:, answer], rest, more)
            votes[:, answer] += taken
            left[:, answer] -= taken
            more -= taken
        counted = votes[:, :-1]
        most = counted.max(axis=1, keepdims=True)
        tied = (counted == most) & (most > 0)
        values[:, column] = (tied @ of_answers) / np.maximum(tied.sum(axis=1), 1)
    return values
