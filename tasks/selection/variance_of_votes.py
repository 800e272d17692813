"""The variance over samples of a vote that counts answers.

Given the frequencies of a problem's answers, the variance follows from subsets that overlap
(`tasks.selection.overlap`). The frequencies are integrated out under their posterior (`tasks.selection.posterior`):
each draw takes other frequencies from it, and multinomial votes by them.
"""

from collections.abc import Sequence
from math import ceil
from typing import Protocol, runtime_checkable

import numpy as np

from tasks.scaling.arrays import Floats, Ints
from tasks.selection.outcomes import Outcomes, Tally
from tasks.selection.overlap import overlap
from tasks.selection.posterior import Posterior, shape_near_zero

# Draws for all problems together, and for one at least.
_DRAWS, _MIN_DRAWS = 10_000, 20
# Votes that are held together at most.
_TOGETHER = 1 << 20
# The Dirichlet distribution has no parameter 0.
_NONE = 1e-9


@runtime_checkable
class Counting(Protocol):
    """A selector that picks the answer with the most votes."""

    def votes_of(self, problem: Outcomes) -> Tally:
        """The votes of all samples."""
        ...


def variance_of_votes(
    selector: Counting, problems: Sequence[Outcomes], ks: Ints, generator: np.random.Generator
) -> Floats:
    """The sum over problems of the variance of accuracy at each k, shape (ks,)."""
    tallies = [selector.votes_of(each) for each in problems]
    shape = shape_near_zero(np.array([float(each.votes[each.values > 0].sum()) for each in tallies]))
    draws = max(_MIN_DRAWS, ceil(_DRAWS / len(problems)))
    total = np.zeros(len(ks))
    for tally in tallies:
        posterior = Posterior.of(tally, shape)
        for size in batches(draws, len(posterior.votes)):
            total += size / draws * _variance(posterior, ks, size, generator)
    return total


def batches(draws: int, answers: int) -> list[int]:
    """How many draws are made at a time: with thousands of answers, all together take gigabytes."""
    batch = max(2, _TOGETHER // (answers + 2))
    return [min(batch, draws - start) for start in range(0, draws, batch)]


def _variance(posterior: Posterior, ks: Ints, draws: int, generator: np.random.Generator) -> Floats:
    frequencies = frequencies_of(posterior, draws, generator)
    found = np.zeros(len(ks))
    for column, k in enumerate(ks.tolist()):
        pairs = overlap(posterior.n, k)
        shared = pairs.draw(draws, generator)
        one, other = (generator.multinomial(shared, frequencies) for _ in range(2))
        changes = []
        for _ in range(2):
            rest = generator.multinomial(k - shared, frequencies)
            changes.append(
                accuracy_of_winners(one + rest, posterior.values) - accuracy_of_winners(other + rest, posterior.values)
            )
        found[column] = pairs.variance(*changes)
    return found


def frequencies_of(posterior: Posterior, draws: int, generator: np.random.Generator) -> Floats:
    """Draws of the frequencies of each answer, of all unseen wrong ones, and of no answer; shape (draws, answers +
    2)."""
    parameters = np.concatenate([posterior.votes, [posterior.unseen, posterior.silent]])
    return generator.dirichlet(np.maximum(parameters, _NONE), draws)


def accuracy_of_winners(votes: Ints, values: Floats) -> Floats:
    """The accuracy of the winner, shape (draws,), of votes for each answer, for answers that have one vote each, and
    for none, shape (draws, answers + 2)."""
    counted, single = votes[:, :-2], votes[:, -2]
    most = np.maximum(counted.max(axis=1), single > 0)
    tied = (counted == most[:, None]) & (most > 0)[:, None]
    rivals = tied.sum(axis=1) + np.where(most == 1, single, 0)
    accuracy: Floats = (tied @ values) / np.maximum(rivals, 1)
    return accuracy
