"""What came of sampling each problem only until it was solved: how many were, and after how many samples.

Such data is for solving. Which samples exist depends on what they were, and no coverage against k is read off them
here; a sweep with a uniform budget continues from the same samples, and gives coverage again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.scaling.estimators import round_ks

NO_COVERAGE = (
    "Sampling stopped at each problem's first success, so these samples do not give pass@k; "
    "a sweep with a uniform budget continues from them and gives it again."
)


@dataclass(frozen=True, slots=True)
class Solved:
    """`problems` were solved by one of their first `k` samples, and not by fewer than the row before says."""

    k: int
    problems: int


@dataclass(frozen=True, slots=True)
class Solving:
    """Samples up to and with the first success, by problem, for those that were solved. `most` is the largest number
    that a problem could have got, `samples` is the number of graded samples over all problems."""

    to_first_success: Mapping[str, int]
    problems: int
    samples: int
    max_samples: int

    @property
    def solved(self) -> int:
        """How many problems were solved."""
        return len(self.to_first_success)

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        return f"{self.solved:,} of {self.problems:,} problems are solved, with {self.samples:,} samples in all."

    @property
    def median(self) -> float | None:
        """The median number of samples to the first success, over the problems that were solved."""
        return float(np.median(list(self.to_first_success.values()))) if self.to_first_success else None

    def steps(self) -> Sequence[Solved]:
        """How many problems were first solved in each stretch between round numbers of samples."""
        took = np.array(sorted(self.to_first_success.values()))
        edges = round_ks(self.max_samples).tolist()
        within = np.searchsorted(took, edges, side="right")
        return [Solved(k, int(count)) for k, count in zip(edges, np.diff(within, prepend=0), strict=True)]
