"""Which sample a selector picks, where the others of `tasks.selection` say how often what it picks is correct."""

from dataclasses import replace

import numpy as np

from tasks.selection import Selector
from tasks.selection.outcomes import Outcomes

# Shares of ties are sums of fractions; whatever is picked of n samples is picked with at least 1/n.
_NEVER = 1e-9


def delivered(selector: Selector, problem: Outcomes) -> int | None:
    """The position of the sample that a selector picks of all samples of a problem; of those that tie, the first. None
    where it picks none, such as a vote without a single answer.

    The selector never sees which samples are correct. It is asked for the accuracy of its pick as if only some samples
    were, and these are halved until one is left.
    """
    order, ks = np.arange(problem.n)[np.newaxis], np.array([problem.n])

    def may_pick(first: int, last: int) -> bool:
        """Whether one of the samples from `first` on, and before `last`, may be picked."""
        those = np.zeros(problem.n, dtype=np.bool_)
        those[first:last] = True
        return bool(selector.picked(replace(problem, correct=those), order, ks)[0, 0] > _NEVER)

    first, last = 0, problem.n
    if not may_pick(first, last):
        return None
    while last - first > 1:
        middle = (first + last) // 2
        first, last = (first, middle) if may_pick(first, middle) else (middle, last)
    return first
