"""What the report of a sweep shows of picking an answer."""

from dataclasses import dataclass

from tasks.selection.summary import PickSummary


@dataclass(frozen=True, slots=True)
class Picking:
    """What ways of picking deliver of a sweep. `secondary` are the labels of those by numbers that drawing gives, such
    as log-probabilities; `lacking` says in one sentence which ways the data cannot give, and why."""

    summary: PickSummary
    secondary: frozenset[str]
    lacking: str | None
