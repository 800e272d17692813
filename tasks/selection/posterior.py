"""What samples leave open about the answers that a problem's samples would have if they were drawn again.

The frequencies of answers have a Dirichlet posterior. An answer that was seen has its number of votes as its parameter.
Two kinds of answers need more:

- *The correct answer*, which may be unseen. It has a more, the shape near zero of the distribution of rates over
  problems: a problem with one correct sample is a times as frequent as one with none, which is how a is estimated (the
  idea of Good 1953; `tasks.scaling.interval_over_samples` does the same for coverage).
- *Wrong answers not seen yet.* A discount is taken from every wrong answer seen, and is the parameter of all unseen
  ones together, each of which is drawn once: n1 / (n1 + 2 n2), for n1 answers with one vote and n2 with two (Ney, Essen
  and Kneser 1994). Without it, answers that occur once would be drawn several times, and win votes.
"""

from typing import NamedTuple

import numpy as np

from tasks.scaling.arrays import Floats
from tasks.selection.outcomes import Tally

_MIN_SHAPE, _MAX_DISCOUNT = 0.02, 0.95


class Posterior(NamedTuple):
    """Dirichlet parameters of a problem's answers, and the accuracy of each answer, both of shape (answers,); `unseen`
    is the parameter of all unseen wrong answers, `silent` that of no answer, and `n` is the number of samples."""

    votes: Floats
    values: Floats
    unseen: float
    silent: int
    n: int

    @classmethod
    def of(cls, tally: Tally, shape: float) -> "Posterior":
        """The posterior given the votes of all samples. `shape` is that of the correct answer near zero."""
        votes, values = tally.votes.astype(np.float64), tally.values
        if not values.any():
            votes, values = np.append(votes, 0.0), np.append(values, 1.0)
        wrong = values == 0
        discount = discount_of(tally)
        posterior = np.where(wrong, votes - discount, votes + shape)
        return cls(posterior, values, discount * float(wrong.sum()), tally.silent, tally.n)


def discount_of(tally: Tally) -> float:
    """What is taken from the votes of each wrong answer seen, for those not seen."""
    wrong = tally.votes[tally.values == 0]
    once, twice = int((wrong == 1).sum()), int((wrong == 2).sum())
    return min(once / (once + 2 * twice), _MAX_DISCOUNT) if once else 0.0


def shape_near_zero(events: Floats) -> float:
    """How many problems have one event for each that has none, shape (problems,); half a problem is added to either
    count, which keeps it finite."""
    once, never = int((events == 1).sum()), int((events == 0).sum())
    return min(max((once + 0.5) / (never + 1), _MIN_SHAPE), 1.0)
