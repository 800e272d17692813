"""Majority vote: the most frequent answer (self-consistency, Wang et al. 2022, arXiv 2203.11171)."""

from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np

from tasks.plugins import Config
from tasks.scaling.arrays import Floats, Ints
from tasks.selection.exact_vote import accuracy, race
from tasks.selection.outcomes import Need, Outcomes, Tally
from tasks.selection.simulation import Estimate, Simulation, mean_and_error
from tasks.selection.votes import winners, winners_of

# The numbers that the exact formula computes in the time in which Monte Carlo draws the votes of one answer once.
_WORK_OF_A_DRAW = 8
# Problems with so few samples have few different tallies, so that each is computed only once.
_FEW_SAMPLES = 12
# What is always computed exactly, unless there are many problems.
_CHEAP = 50_000
# Nanoseconds by which ways to compute a vote are compared. Exactly: for each k, and for each number of the formula.
# Drawing numbers of votes: for an answer at one k, and for each draw of it. Putting samples into orders: for each of
# them, and for an answer at one k in an order.
_RACE_NS, _NUMBER_NS = 700_000, 20
_CALL_NS, _DRAW_NS = 20_000, 150
_SAMPLE_NS, _SUM_NS = 80, 15


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
    if tally.n <= _FEW_SAMPLES:
        return Estimate(_exact(*_plain(tally), tuple(ks.tolist())), error)
    too_much = _too_much(tally, ks, simulation)
    for column, k in enumerate(ks.tolist()):
        if k == tally.n:
            mean[column] = tally.modal
        elif column not in too_much:
            mean[column] = accuracy(race(tally, k))
    if too_much:
        values = _simulated(tally, ks[too_much], simulation)
        mean[too_much], error[too_much] = mean_and_error(values, 0.0, float(tally.values.max()))
    return Estimate(mean, error)


def _too_much(tally: Tally, ks: Ints, simulation: Simulation) -> list[int]:
    """The positions of those k < n at which the exact formula would be too much work."""
    below = np.flatnonzero(ks < tally.n).tolist()
    if not simulation.one_of_many:
        limit = max(_CHEAP, _WORK_OF_A_DRAW * simulation.draws * len(tally.votes))
        return [at for at in below if race(tally, int(ks[at])).work > limit]
    # All or none, since one simulation serves all k; and one k stands for all, since preparing each takes long, too.
    budget = min(_costs(tally, ks, simulation)) - len(below) * _RACE_NS
    middle = below[len(below) // 2 : len(below) // 2 + 1]
    exact = budget > 0 and all(race(tally, int(ks[at])).work * len(below) * _NUMBER_NS <= budget for at in middle)
    return [] if exact else below


def _plain(tally: Tally) -> tuple[tuple[int, ...], tuple[float, ...], int]:
    """The votes and values of a tally in an order that depends on nothing else, and the silent samples."""
    order = np.lexsort((tally.values, -tally.votes))
    return tuple(tally.votes[order].tolist()), tuple(tally.values[order].tolist()), tally.silent


@lru_cache(maxsize=1 << 14)
def _exact(votes: tuple[int, ...], values: tuple[float, ...], silent: int, ks: tuple[int, ...]) -> Floats:
    tally = Tally(np.array(votes), np.array(values), silent)
    mean = np.array([tally.modal if k == tally.n else accuracy(race(tally, k)) for k in ks])
    mean.setflags(write=False)
    return mean


def _simulated(tally: Tally, ks: Ints, simulation: Simulation) -> Floats:
    """The accuracy of the winner in each draw, shape (draws, ks). Larger subsets of a draw contain the smaller ones.

    Where samples are few, in random orders of them; else the numbers of votes are drawn, whatever n is.
    """
    orders, numbers = _costs(tally, ks, simulation)
    return (_by_orders if orders < numbers else _by_numbers)(tally, ks, simulation)


def _costs(tally: Tally, ks: Ints, simulation: Simulation) -> tuple[int, int]:
    """Nanoseconds that the two ways of simulation take, more or less: by orders, and by numbers of votes."""
    answers = len(ks) * len(tally.votes)
    by_orders = simulation.draws * (tally.n * _SAMPLE_NS + answers * _SUM_NS)
    return by_orders, answers * (_CALL_NS + simulation.draws * _DRAW_NS)


def _by_orders(tally: Tally, ks: Ints, simulation: Simulation) -> Floats:
    votes, values, silent = _plain(tally)
    ordered = Tally(np.array(votes), np.array(values), silent)
    voters = np.repeat(np.arange(-1, len(votes)), [silent, *votes])
    order = np.argsort(ks, kind="stable")
    found = np.concatenate([winners_of(ordered, voters, some, ks[order]) for some in simulation.orders(tally.n)])
    found[:, order] = found.copy()
    return found


def _by_numbers(tally: Tally, ks: Ints, simulation: Simulation) -> Floats:
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
