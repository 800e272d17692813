"""Majority vote among the samples that pass the public tests, as CodeT and AlphaCode do for programs."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from tasks.plugins import Config
from tasks.scaling.arrays import Floats, Ints
from tasks.selection.majority import vote
from tasks.selection.outcomes import NO_ANSWER, Need, Outcomes, Tally
from tasks.selection.simulation import Estimate, Simulation
from tasks.selection.votes import winners


class VoteAmongPassing(Config):
    """Picks the most frequent answer among the samples that pass the public tests; the others have no vote."""

    needs: ClassVar[tuple[Need, ...]] = (Need("answers"), Need("passed"))

    name: Literal["vote_among_passing"] = "vote_among_passing"

    @property
    def label(self) -> str:
        """What tables and figures call it."""
        return "majority of those that pass"

    def accuracy(self, problem: Outcomes, ks: Ints, simulation: Simulation) -> Estimate:
        """See `Selector`: exact while that takes no longer than Monte Carlo."""
        return vote(self.votes_of(problem), ks, simulation)

    def picked(self, problem: Outcomes, orders: Ints, ks: Ints) -> Floats:
        """See `Selector`."""
        return winners(_passing(problem), orders, ks)

    def votes_of(self, problem: Outcomes) -> Tally:
        """The votes of the samples that pass; the others count as without an answer."""
        return _passing(problem).tally()


def _passing(problem: Outcomes) -> Outcomes:
    """The same samples, without the answers of those that do not pass."""
    return replace(problem, answers=np.where(problem.passing, problem.voters, NO_ANSWER))
