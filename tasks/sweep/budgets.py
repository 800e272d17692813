"""How many samples each problem gets, up to k. A budget is a pydantic config class that plans rounds.

A problem's samples are its first n, so every plan can continue from what another has stored.
"""

from collections.abc import Sequence
from math import ceil, sqrt
from typing import Literal, Protocol, runtime_checkable

from pydantic import Field

from sandboxes.config import Config
from tasks.scaling.sequential_stopping import Plan
from tasks.scaling.settled_votes import lead_probability


class Budget(Protocol):
    """What a person writes to choose how samples are spread over problems."""

    @property
    def name(self) -> str:
        """The name by which a sweep file chooses it."""
        ...

    @property
    def gives_coverage(self) -> bool:
        """Whether coverage against k is reported; if not, the report says what was solved, and at what cost."""
        ...

    def plan(self, k: int) -> Plan:
        """The rounds up to k, and how many correct samples stop a problem at the end of each."""
        ...


@runtime_checkable
class StopsByVotes(Protocol):
    """A budget that stops problems by the answers of their samples rather than by how many are correct. Its plan has
    the rounds; their limits are out of reach."""

    def settled(self, votes: Sequence[int]) -> bool:
        """Whether a problem stops at the end of a round, by its votes so far: the number of samples with each answer,
        in falling order. It must depend on nothing else."""
        ...


class UniformConfig(Config):
    """k samples of every problem."""

    name: Literal["uniform"] = "uniform"

    @property
    def gives_coverage(self) -> bool:
        """True."""
        return True

    def plan(self, k: int) -> Plan:
        """One round."""
        return Plan((k,), (k + 1,))


class AdaptiveConfig(Config):
    """More samples for harder problems, which reduce the variance of coverage most: a problem stops once
    samples × correct ≥ precision × k.

    Averaged over log k, the variance of pass@k for a problem with pass rate p and n samples scales as 1 / (p n). For a
    fixed total of samples it is smallest for n ∝ 1/sqrt(p); with p estimated by c/n, that means equal n c for all
    problems. A problem that is never solved gets all k. Coverage stays unbiased (`tasks.scaling.sequential_stopping`).
    """

    name: Literal["adaptive"] = "adaptive"
    precision: float = Field(
        default=0.3, gt=0, le=1_000, description="A problem stops once samples × correct reaches this times k"
    )

    @property
    def gives_coverage(self) -> bool:
        """True."""
        return True

    def plan(self, k: int) -> Plan:
        """Rounds from the first after which a problem with only correct samples can stop."""
        enough = self.precision * k
        ends = _ladder(max(1, ceil(sqrt(enough))), k)
        return Plan(ends, tuple(ceil(enough / end) for end in ends))


class SolveConfig(Config):
    """A problem stops after the round of its first correct sample: to solve problems, not to measure coverage."""

    name: Literal["solve"] = "solve"
    first: int = Field(default=10, ge=1, description="Samples of every problem in the first round")

    @property
    def gives_coverage(self) -> bool:
        """False."""
        return False

    def plan(self, k: int) -> Plan:
        """Rounds that about double in size; one correct sample stops a problem."""
        ends = _ladder(self.first, k)
        return Plan(ends, (1,) * len(ends))


class VoteConfig(Config):
    """A problem stops once its majority vote is settled: to deliver an answer, not to measure coverage.

    It is settled after a round in which the most frequent answer beats the second with enough confidence: P(p > 1/2)
    for p ~ Beta(votes of the first + 1, votes of the second + 1), as in adaptive consistency (Aggarwal et al. 2023).
    """

    name: Literal["vote"] = "vote"
    first: int = Field(default=5, ge=1, description="Samples of every problem in the first round")
    confidence: float = Field(
        default=0.95,
        gt=0.5,
        lt=1,
        description="A vote is settled once its leader is this likely to win in the long run",
    )

    @property
    def gives_coverage(self) -> bool:
        """False."""
        return False

    def plan(self, k: int) -> Plan:
        """Rounds that grow by about a half; no number of correct samples stops a problem."""
        first = min(self.first, k)
        ends = tuple(sorted({first, *_ladder(first, k, (1, 1.5, 2, 3, 5, 7))}))
        return Plan(ends, (k + 1,) * len(ends))

    def settled(self, votes: Sequence[int]) -> bool:
        """See `StopsByVotes`."""
        if not votes:
            return False
        return lead_probability(votes[0], votes[1] if len(votes) > 1 else 0) > self.confidence


def _ladder(first: int, k: int, digits: Sequence[float] = (1, 2, 5)) -> tuple[int, ...]:
    """The whole numbers among `digits` × powers of ten from `first` up to k, and k itself."""
    rungs = (digit * 10**power for power in range(len(str(k))) for digit in digits)
    return (*(int(rung) for rung in rungs if first <= rung < k and rung == int(rung)), k)
