"""Two sets, or two verdict sets of one, problem by problem; those that differ most come first."""

from typing import NamedTuple

from tasks.viewer.library import Library
from tasks.viewer.listing import differences
from tasks.viewer.rendering import page
from tasks.viewer.tallies import Tally

_ROWS = 500


class ComparedProblem(NamedTuple):
    """A problem of both sets. `difference` is that of the shares of correct samples, the second's minus the first's."""

    left: Tally
    right: Tally
    difference: float


def render(library: Library, left: tuple[str, str | None], right: tuple[str, str | None]) -> str:
    """The page as HTML; each side is a set and a verdict set of it, None for the latest.

    Raises:
        UserError: one of them does not exist.
    """
    sides = [library.set(*each) for each in (left, right)]
    counted = [library.tallies(each).tallies for each in sides]
    rows, alone = compared(*counted)
    ingredients = [
        {**each.samples.ingredients, **({} if each.verdicts is None else {"verdicts": each.verdicts.ingredients})}
        for each in sides
    ]
    return page(
        "comparison.html.j2",
        title="Two sets",
        sides=sides,
        rows=rows[:_ROWS],
        hidden=max(0, len(rows) - _ROWS),
        alone=alone,
        differing=differences(ingredients),
    )


def compared(left: list[Tally], right: list[Tally]) -> tuple[list[ComparedProblem], int]:
    """The problems whose pass rate is known in both, the largest difference first, and how many only one has. Of a
    problem whose verdicts are all infrastructure, no pass rate is known."""
    theirs = {each.problem_id: each for each in right}
    rows = [
        ComparedProblem(mine, other, other.rate - mine.rate)
        for mine in left
        if (other := theirs.get(mine.problem_id)) is not None and mine.rate is not None and other.rate is not None
    ]
    alone = len({each.problem_id for each in left} ^ theirs.keys())
    return sorted(rows, key=lambda row: (-abs(row.difference), row.left.position)), alone
