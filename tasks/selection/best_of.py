"""Best of k: the sample with the highest score, such as a reward model's."""

from typing import Literal

import numpy as np
from pydantic import Field

from tasks.plugins import Config
from tasks.scaling.arrays import Floats, Ints
from tasks.selection.best import best_in_order, best_of_k
from tasks.selection.many_problems import Rows, best_of_rows
from tasks.selection.outcomes import Need, Outcomes
from tasks.selection.simulation import Estimate, Simulation


class BestOf(Config):
    """Picks the sample with the highest score; of several, any one."""

    name: Literal["best_of"] = "best_of"
    score: str = Field(default="score", description="Name of the score")

    @property
    def label(self) -> str:
        """What tables and figures call it."""
        return f"best of k by {self.score}"

    @property
    def needs(self) -> tuple[Need, ...]:
        """The score."""
        return (Need("score", self.score),)

    def accuracy(self, problem: Outcomes, ks: Ints, simulation: Simulation) -> Estimate:  # noqa: ARG002 - it is exact
        """See `Selector`: exact."""
        return Estimate(best_of_k(problem.correct, self.ranking(problem), ks), np.zeros(len(ks)))

    def accuracies(self, problems: Rows, ks: Ints, simulation: Simulation) -> Estimate:  # noqa: ARG002 - it is exact
        """See `PicksOfMany`: exact."""
        accuracy = best_of_rows(problems.correct, problems.score(self.score), ks)
        return Estimate(accuracy, np.zeros_like(accuracy))

    def picked(self, problem: Outcomes, orders: Ints, ks: Ints) -> Floats:
        """See `Selector`."""
        return best_in_order(problem.correct, self.ranking(problem), orders, ks)

    def ranking(self, problem: Outcomes) -> Floats:
        """The scores."""
        return problem.scores[self.score]
