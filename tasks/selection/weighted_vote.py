"""Score-weighted vote: the answer whose samples' scores have the largest sum.

With `keep`, only the samples with the highest scores vote: DeepConf's filter (Fu et al. 2025, arXiv 2508.15260,
section 3.2), where the score is a confidence.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from tasks.plugins import Config
from tasks.scaling.arrays import Floats, Ints
from tasks.selection.many_problems import Rows, weighted_votes_of_rows
from tasks.selection.outcomes import Need, Outcomes
from tasks.selection.simulation import Estimate, Simulation
from tasks.selection.votes import winners, winners_among_best


class WeightedVote(Config):
    """Picks the answer with the largest sum of weights; samples without an answer have no vote. With `keep` below 1,
    of the v samples with an answer only the ceil(keep·v) with the highest scores vote, and those that tie with the
    last of these."""

    name: Literal["weighted_vote"] = "weighted_vote"
    score: str = Field(default="score", description="Name of the score")
    weight: Literal["score", "exp"] = Field(
        default="score",
        description="A sample's weight: its score, or e to the power of it, for scores such as log-probabilities",
    )
    keep: float = Field(
        default=1.0, gt=0, le=1, description="Which share of the samples votes, those with the highest scores; 1: all"
    )

    @property
    def label(self) -> str:
        """What tables and figures call it."""
        best = "" if self.keep == 1 else f", best {100 * self.keep:g}%"
        return f"vote weighted by {'exp ' if self.weight == 'exp' else ''}{self.score}{best}"

    @property
    def needs(self) -> tuple[Need, ...]:
        """The answers and the score."""
        return (Need("answers"), Need("score", self.score))

    def accuracy(self, problem: Outcomes, ks: Ints, simulation: Simulation) -> Estimate:
        """See `Selector`: by Monte Carlo, except where a problem has few subsets."""
        return simulation.estimate(self.picked, problem, ks)

    def accuracies(self, problems: Rows, ks: Ints, simulation: Simulation) -> Estimate | None:
        """See `PicksOfMany`: by Monte Carlo; None where not all samples vote."""
        if self.keep < 1:
            return None
        return weighted_votes_of_rows(problems, self._weights(problems.score(self.score)), ks, simulation)

    def picked(self, problem: Outcomes, orders: Ints, ks: Ints) -> Floats:
        """See `Selector`."""
        weights = self.weights_of(problem)
        if self.keep == 1:
            return winners(problem, orders, ks, weights)
        scores = problem.scores[self.score]
        return winners_among_best(problem, orders, ks, scores=scores, weights=weights, keep=self.keep)

    def weights_of(self, problem: Outcomes) -> Floats:
        """The samples' weights, shape (n,)."""
        return self._weights(problem.scores[self.score])

    def _weights(self, scores: Floats) -> Floats:
        """The weights of votes by scores of shape (..., n)."""
        # The largest weight of a problem is 1: only ratios matter.
        return np.exp(scores - scores.max(axis=-1, keepdims=True)) if self.weight == "exp" else scores
