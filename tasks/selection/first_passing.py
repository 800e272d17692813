"""First that passes: the first sample that passes the public tests; if none does, any one."""

from typing import ClassVar, Literal

import numpy as np

from tasks.plugins import Config
from tasks.scaling.arrays import Floats, Ints
from tasks.selection.best import best_in_order, best_of_k
from tasks.selection.outcomes import Need, Outcomes
from tasks.selection.simulation import Estimate, Simulation


class FirstPassing(Config):
    """Picks the first of k samples that passes the public tests. Over all orders of the samples, that is any one of
    those that pass, or any one of all k where none does."""

    needs: ClassVar[tuple[Need, ...]] = (Need("passed"),)

    name: Literal["first_passing"] = "first_passing"

    @property
    def label(self) -> str:
        """What tables and figures call it."""
        return "first that passes"

    def accuracy(self, problem: Outcomes, ks: Ints, simulation: Simulation) -> Estimate:  # noqa: ARG002 - it is exact
        """See `Selector`: exact, as the best of k where passing is the score."""
        return Estimate(best_of_k(problem.correct, self.ranking(problem), ks), np.zeros(len(ks)))

    def picked(self, problem: Outcomes, orders: Ints, ks: Ints) -> Floats:
        """See `Selector`."""
        return best_in_order(problem.correct, self.ranking(problem), orders, ks)

    def ranking(self, problem: Outcomes) -> Floats:
        """1 for each sample that passes, else 0."""
        return problem.passing.astype(np.float64)
