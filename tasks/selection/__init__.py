"""Which of k samples to deliver, and how often it is right: pure numbers, with no input or output.

Coverage says what is among k samples. A selector picks one of them without knowing which are correct: by a vote, by a
score, by tests. Its accuracy at k is the expectation over all subsets of k of a problem's n samples, drawn without
replacement, so that it does not depend on the order of the samples. Ties are shared by expectation.

One selector a file; the numbers that they share are in `exact_vote`, `best` and `simulation`.
"""

from typing import Protocol

from tasks.scaling.arrays import Floats, Ints
from tasks.selection.outcomes import Need, Outcomes
from tasks.selection.simulation import Estimate, Simulation

__all__ = ["Estimate", "Need", "Outcomes", "Selector", "Simulation"]


class Selector(Protocol):
    """Picks one of k samples."""

    @property
    def name(self) -> str:
        """The name by which it is chosen."""
        ...

    @property
    def label(self) -> str:
        """What tables and figures call it, such as `best of k by reward`."""
        ...

    @property
    def needs(self) -> tuple[Need, ...]:
        """What samples must have for it."""
        ...

    def accuracy(self, problem: Outcomes, ks: Ints, simulation: Simulation) -> Estimate:
        """The expected accuracy of what it picks from k of the problem's samples, for each k, 1 <= k <= n.

        A selector without a formula returns `simulation.estimate(self.picked, problem, ks)`.
        """
        ...

    def picked(self, problem: Outcomes, orders: Ints, ks: Ints) -> Floats:
        """The accuracy of what it picks from the first k samples of each order, shape (orders, ks).

        Args:
            problem: the samples.
            orders: positions of samples, shape (orders, at least the largest k). A position may occur more than once.
            ks: ascending.
        """
        ...
