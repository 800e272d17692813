"""Submitting what an imperfect verifier accepts, against enumeration of all orders in exact fractions."""

import tracemalloc
from fractions import Fraction
from itertools import combinations, permutations

import numpy as np
import pytest

from tasks.errors import UserError
from tasks.selection.best import best_of_k
from tasks.selection.verifier import VerifiedCounts, best_k, rates, share_of, submissions

CASES = [
    ([1, 0, 1, 0, 0, 1], [1, 1, 0, 0, 1, 0]),
    ([1, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 1]),
    ([1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0]),
    ([0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]),
    ([1, 0, 1, 0, 1, 0], [1, 1, 1, 1, 1, 1]),
]


def counts_of(*cases: tuple[list[int], list[int]]) -> VerifiedCounts:
    correct, accepted = ([np.array(each[side], dtype=bool) for each in cases] for side in (0, 1))
    return VerifiedCounts.of([str(i) for i in range(len(cases))], correct, accepted)


def enumerated(correct: list[int], accepted: list[int], k: int, policy: str) -> tuple[Fraction, Fraction, Fraction]:
    """Right, wrong and nothing: of the first accepted, over all orders, or of any accepted, over all subsets."""
    right = wrong = nothing = Fraction(0)
    ways = list(permutations(range(len(correct)), k) if policy == "first" else combinations(range(len(correct)), k))
    for way in ways:
        some = [i for i in way if accepted[i]]
        if policy == "first":
            some = some[:1]
        if not some and policy == "always":
            some = list(way)
        if some:
            share = Fraction(sum(correct[i] for i in some), len(some))
            right, wrong = right + share, wrong + 1 - share
        else:
            nothing += 1
    return right / len(ways), wrong / len(ways), nothing / len(ways)


@pytest.mark.parametrize("policy", ["first", "any", "always"])
@pytest.mark.parametrize(("correct", "accepted"), CASES)
def test_submissions_equal_enumeration_of_all_orders(correct: list[int], accepted: list[int], policy: str) -> None:
    found = submissions(counts_of((correct, accepted)), range(1, 7), always=policy == "always")
    for column, k in enumerate(found.ks.tolist()):
        expected = enumerated(correct, accepted, k, policy)
        got = found.right[0, column], found.wrong[0, column], found.nothing[0, column]
        assert got == pytest.approx([float(each) for each in expected], abs=1e-12)


def test_submitting_always_is_the_best_of_k_where_the_verdict_is_the_score() -> None:
    generator = np.random.default_rng(0)
    correct, accepted = generator.random((2, 300)) < 0.3
    ks = np.array([1, 2, 17, 300])
    found = submissions(VerifiedCounts.of(["a"], [correct], [accepted]), ks, always=True)
    np.testing.assert_allclose(found.right[0], best_of_k(correct, accepted.astype(float), ks), atol=1e-12)


def test_problems_of_different_n_keep_their_own_samples_and_end_the_curve() -> None:
    short = counts_of(([1, 0], [1, 0]), ([1, 0, 0, 1], [0, 1, 0, 1]))
    assert short.reach == 2
    found = submissions(short, [1, 2, 3])
    assert found.right[:, 0].tolist() == [0.5, 0.25]
    assert np.isnan(found.right[0, 2])
    assert found.right[1, 2] == pytest.approx(0.5)


def test_more_samples_help_the_easy_problems_and_mislead_on_the_hard_ones() -> None:
    easy, hard = ([1] * 5 + [0] * 5, [1] * 5 + [0] * 5), ([0] * 100, [1] + [0] * 99)
    counts = counts_of((easy[0] * 10, easy[1] * 10), hard, hard)
    found = submissions(counts, np.arange(1, 101))
    net = found.net(1.0).mean(axis=0)
    best = best_k(counts, 1.0)
    # d/dk of 1/3 (1 - 2^-k) - 2/3 k/100 changes sign at k = 5.1.
    assert best.k == int(net.argmax()) + 1 == 5
    assert best.gain == pytest.approx(net.max())
    assert not best.last
    assert net[-1] < net[0]
    right, wrong = found.right.mean(axis=0), found.wrong.mean(axis=0)
    assert (np.diff(right / (right + wrong)) < 0).all(), "the share of submissions that is right falls"
    assert (np.diff(right) >= -1e-12).all()
    without = best_k(counts, 0.0)
    assert without.gain == pytest.approx(1 / 3)
    assert without.low is not None
    assert without.high is not None
    assert without.low <= without.k <= without.high


def test_a_curve_that_still_rises_has_its_best_k_at_the_end() -> None:
    assert best_k(counts_of(([1] + [0] * 9, [1] + [0] * 9)), 1.0).last


def test_rates_count_every_problem_the_same_whatever_its_n() -> None:
    found = rates(counts_of(([1, 0], [1, 1]), ([1, 0] * 50, [1, 0] * 50)))
    assert found.precision is not None
    assert found.recall is not None
    assert found.false_positives is not None
    assert found.precision.value == pytest.approx((0.5 + 0.5) / (1 + 0.5))
    assert found.recall.value == 1
    assert found.false_positives.value == pytest.approx(0.5)
    nothing = rates(counts_of(([1, 1], [0, 0]), ([1, 1], [0, 0])))
    assert (nothing.precision, nothing.false_positives) == (None, None)


def test_the_interval_of_a_rate_holds_and_has_a_width_where_no_error_was_seen() -> None:
    perfect = share_of(np.full(20, 0.3), np.full(20, 0.3))
    assert perfect is not None
    assert perfect.low is not None
    assert 0.75 < perfect.low < 0.95
    generator = np.random.default_rng(5)
    held = 0
    for trial in range(300):
        whole = generator.beta(1, 2, 40)
        part = whole * generator.beta(4, 1, 40)
        found = share_of(part, whole, seed=trial)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.8 <= found.high
    assert held >= 0.91 * 300


def test_the_interval_of_a_rate_takes_little_memory_however_many_problems_there_are() -> None:
    whole = np.random.default_rng(0).beta(1, 2, 60_000)
    tracemalloc.start()
    found = share_of(whole * 0.8, whole)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 0.8 <= found.high
    assert found.high - found.low < 0.001


def test_counts_without_samples_are_refused() -> None:
    with pytest.raises(UserError, match="no samples with both verdicts"):
        VerifiedCounts.of([], [], [])
    with pytest.raises(UserError, match="problem '0' has no samples"):
        counts_of(([], []))
