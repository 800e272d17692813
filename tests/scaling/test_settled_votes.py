"""When a vote is settled: the posterior against exact integration and simulation, and what is delivered."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from tasks.scaling.settled_votes import DeliveredVote, Voting, lead_probability
from tasks.sweep.budgets import VoteConfig


def exact(a: int, b: int) -> Fraction:
    """P(p > 1/2) for Beta(a+1, b+1): the chance of at most a heads in a+b+1 tosses of a fair coin."""
    return Fraction(sum(comb(a + b + 1, heads) for heads in range(a + 1)), 2 ** (a + b + 1))


@pytest.mark.parametrize(("a", "b"), [(0, 0), (1, 0), (3, 0), (4, 0), (5, 1), (12, 7), (60, 55), (300, 240)])
def test_the_posterior_equals_exact_integration(a: int, b: int) -> None:
    assert lead_probability(a, b) == pytest.approx(float(exact(a, b)), abs=1e-12)
    grid = (np.arange(200_000) + 0.5) / 200_000
    density = np.exp(a * np.log(grid) + b * np.log1p(-grid) - (a * np.log(0.5) + b * np.log(0.5)))
    assert lead_probability(a, b) == pytest.approx(density[grid > 0.5].sum() / density.sum(), abs=1e-5)


def test_a_vote_is_settled_by_its_two_largest_answers() -> None:
    budget = VoteConfig()
    assert not budget.settled([])
    assert not budget.settled([3])
    assert budget.settled([4]), "1 - 2^-5 is above 0.95"
    assert not budget.settled([5, 1])
    assert budget.settled([7, 1])
    assert budget.settled([7, 1, 1, 1, 1]) == budget.settled([7, 1])
    assert VoteConfig(confidence=0.99).settled([6])
    assert not VoteConfig(confidence=0.99).settled([5])


def test_rounds_begin_with_the_first_and_reach_k() -> None:
    assert VoteConfig().plan(100).ends == (5, 7, 10, 15, 20, 30, 50, 70, 100)
    assert VoteConfig(first=4).plan(12).ends == (4, 5, 7, 10, 12)
    assert VoteConfig(first=200).plan(120).ends == (120,)
    assert min(VoteConfig().plan(100).limits) > 100, "correct samples never stop a problem"


def test_what_votes_deliver_adds_up() -> None:
    votes = (
        DeliveredVote("a", 5, 5, 1.0, True),
        DeliveredVote("b", 5, 5, 0.0, True),
        DeliveredVote("c", 20, 18, 0.5, False),
    )
    voting = Voting(votes, 5, 20)
    assert (voting.accuracy, voting.samples, voting.settled, voting.mean_samples) == (0.5, 30, 2, 10)
    assert voting.saved == 0.5
    assert [(each.k, each.problems, each.right) for each in voting.steps()] == [(5, 2, 1.0)]
    assert voting.band.low[0] < 0.5 < voting.band.high[0]
    assert "right for 50.0% of 3 problems, with 10.0 samples of each on average, of at most 20" in voting.headline
    assert "curves up to k = 5, which all problems have" in voting.note
