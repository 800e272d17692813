"""The table of what votes delivered, without heavy imports."""

from typing import NamedTuple

from tasks.scaling.settled_votes import Voting


class VoteRow(NamedTuple):
    """`problems` whose vote was settled after the samples that `label` names, or not at all; `right` of their answers
    are right (a tie counts in part)."""

    label: str
    problems: int
    right: float


def vote_rows(voting: Voting) -> list[VoteRow]:
    """A row for each number of samples after which votes were settled, and one for those that were not."""
    rows = [VoteRow(f"{step.k:,}", step.problems, step.right) for step in voting.steps()]
    open_ = [each for each in voting.problems if not each.settled]
    if open_:
        rows.append(VoteRow("not settled", len(open_), sum(each.right for each in open_)))
    return rows


def vote_pairs(voting: Voting) -> list[tuple[str, str]]:
    """Label and value of what was delivered, and of what it took."""
    band = voting.band
    around = "" if len(voting.problems) < 2 else f" ({band.low[0]:.1%} – {band.high[0]:.1%})"
    return [
        ("accuracy of the majority vote", f"{voting.accuracy:.1%}{around}"),
        ("votes settled", f"{voting.settled:,} of {len(voting.problems):,}"),
        ("samples in total", f"{voting.samples:,}"),
        ("samples per problem, mean", f"{voting.mean_samples:,.1f}"),
        (f"not drawn, of {voting.max_samples:,} per problem", f"{voting.saved:.0%}"),
    ]
