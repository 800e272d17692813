"""Score-weighted vote: the answer whose samples' scores have the largest sum."""

from typing import Literal

import numpy as np
from pydantic import Field

from tasks.plugins import Config
from tasks.scaling.arrays import Floats, Ints
from tasks.selection.outcomes import Need, Outcomes
from tasks.selection.simulation import Estimate, Simulation
from tasks.selection.votes import winners


class WeightedVote(Config):
    """Picks the answer with the largest sum of weights; samples without an answer have no vote."""

    name: Literal["weighted_vote"] = "weighted_vote"
    score: str = Field(default="score", description="Name of the score")
    weight: Literal["score", "exp"] = Field(
        default="score",
        description="A sample's weight: its score, or e to the power of it, for scores such as log-probabilities",
    )

    @property
    def label(self) -> str:
        """What tables and figures call it."""
        return f"vote weighted by {'exp ' if self.weight == 'exp' else ''}{self.score}"

    @property
    def needs(self) -> tuple[Need, ...]:
        """The answers and the score."""
        return (Need("answers"), Need("score", self.score))

    def accuracy(self, problem: Outcomes, ks: Ints, simulation: Simulation) -> Estimate:
        """See `Selector`: by Monte Carlo, except where a problem has few subsets."""
        return simulation.estimate(self.picked, problem, ks)

    def picked(self, problem: Outcomes, orders: Ints, ks: Ints) -> Floats:
        """See `Selector`."""
        scores = problem.scores[self.score]
        # The largest weight is 1: only ratios matter.
        weights = np.exp(scores - scores.max()) if self.weight == "exp" else scores
        return winners(problem, orders, ks, weights)
