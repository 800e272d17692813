"""The selectors for which samples have what they need."""

from collections.abc import Sequence

import numpy as np

from tasks.selection import Outcomes, Selector
from tasks.selection.best_of import BestOf
from tasks.selection.first_passing import FirstPassing
from tasks.selection.majority import Majority
from tasks.selection.vote_among_passing import VoteAmongPassing
from tasks.selection.weighted_vote import WeightedVote

LOGARITHMIC = "logprob"
"""How the names of scores that are logarithms begin: a vote is weighted by their exponentials."""


def available(problems: Sequence[Outcomes]) -> list[Selector]:
    """The built-in selectors that can pick from samples of every one of the problems; of scores that are equal
    throughout, such as the confidences of samples shorter than a group, only the first by name."""
    scores = sorted(set[str].intersection(*(set(problem.scores) for problem in problems))) if problems else []
    scores = [name for at, name in enumerate(scores) if not any(_equal(problems, name, one) for one in scores[:at])]
    selectors: list[Selector] = [Majority()]
    for score in scores:
        selectors += [
            BestOf(score=score),
            WeightedVote(score=score, weight="exp" if score.startswith(LOGARITHMIC) else "score"),
        ]
    selectors += [FirstPassing(), VoteAmongPassing()]
    return [each for each in selectors if not any(problem.lacks(need) for need in each.needs for problem in problems)]


def _equal(problems: Sequence[Outcomes], one: str, other: str) -> bool:
    return all(np.array_equal(problem.scores[one], problem.scores[other]) for problem in problems)
