"""When a problem's vote is settled, and what came of stopping there.

Of the answers so far, the leader has a votes and the runner-up b. If each vote for one of the two is for the leader
with probability p, which is uniform at first, p is Beta(a+1, b+1) given the votes, and the leader would win the vote in
the long run with probability P(p > 1/2). The vote is settled once that is large enough: the Beta criterion of adaptive
consistency (Aggarwal, Madaan, Yang and Mausam 2023, "Let's Sample Step by Step", arXiv 2305.11860).

Such data is for delivering an answer. How many samples a problem has depends on what they were: those that agree have
few. So beyond the first round, which every problem has in full, no curve against k is read off them; a sweep with a
uniform budget continues from the same samples, and gives curves again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import betainc

from tasks.scaling.estimators import Band
from tasks.scaling.interval_over_problems import interval_of_mean


def lead_probability(leader: int, runner_up: int) -> float:
    """P(p > 1/2) for p ~ Beta(leader + 1, runner_up + 1): that the answer with the most votes would keep
    its lead."""
    return float(betainc(runner_up + 1, leader + 1, 0.5))


class DeliveredVote(NamedTuple):
    """The vote of one problem after `samples` graded samples, `votes` of which have an answer. `right` is the share of
    the leading answer's samples that is correct, the mean of those that tie; 0 where there is no answer. `settled` says
    that sampling stopped since the vote was settled."""

    problem_id: str
    samples: int
    votes: int
    right: float
    settled: bool


@dataclass(frozen=True, slots=True)
class Voting:
    """What the votes of a sweep deliver. Every problem has `first` samples, and at most `max_samples`."""

    problems: tuple[DeliveredVote, ...]
    first: int
    max_samples: int

    @property
    def accuracy(self) -> float:
        """The share of problems whose delivered answer is right."""
        return float(np.mean([each.right for each in self.problems])) if self.problems else 0.0

    @property
    def band(self) -> Band:
        """The interval of the accuracy over problems; NaN with fewer than two."""
        return interval_of_mean(np.array([[each.right] for each in self.problems]))

    @property
    def settled(self) -> int:
        """How many problems stopped since their vote was settled."""
        return sum(each.settled for each in self.problems)

    @property
    def samples(self) -> int:
        """How many samples were graded."""
        return sum(each.samples for each in self.problems)

    @property
    def mean_samples(self) -> float:
        """Samples per problem."""
        return self.samples / max(1, len(self.problems))

    @property
    def saved(self) -> float:
        """The share of `max_samples` of every problem that was not needed."""
        return 1 - self.mean_samples / self.max_samples

    def steps(self) -> "Sequence[Settled]":
        """How many problems stopped after each number of samples, and how many of their answers are right."""
        ends = sorted({each.samples for each in self.problems if each.settled})
        return [
            Settled(
                end,
                sum(each.settled and each.samples == end for each in self.problems),
                sum(each.right for each in self.problems if each.settled and each.samples == end),
            )
            for end in ends
        ]

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        return (
            f"Majority vote is right for {self.accuracy:.1%} of {len(self.problems):,} problems, with "
            f"{self.mean_samples:,.1f} samples of each on average, of at most {self.max_samples:,}."
        )

    @property
    def note(self) -> str:
        """Which curves these samples still give."""
        return (
            f"Sampling stopped where each problem's vote was settled. These samples give curves up to k = "
            f"{self.first:,}, which all problems have (monkeys pick shows them); beyond it they give none, neither "
            "pass@k nor majority@k. A sweep with a uniform budget continues from them and gives all curves."
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """`problems` were settled after `k` samples each; `right` of their answers are right."""

    k: int
    problems: int
    right: float
