"""The estimator under rests that depend on outcomes: against all outcomes in exact fractions, and by simulation."""

from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest

from tasks.scaling.estimators import Counts, coverage, pass_at_k
from tasks.scaling.interval_over_samples import interval_over_samples
from tasks.scaling.sequential_stopping import Plan, Rounds, drawn, first_stops, log_none_of

PLANS = {
    "first success": ([1, 2, 3, 5, 8], [1] * 5),
    "two rounds": ([3, 7], [2, 1]),
    "falling limits": ([2, 4, 6, 9], [2, 2, 1, 1]),
    "never rests": ([4, 8], [99, 99]),
}


def ended(outcomes, ends, limits):
    """n, c and the graded samples by round of one problem with these outcomes."""
    graded = np.array([ends])
    correct = np.array([[sum(outcomes[:end]) for end in ends]])
    n, c = first_stops(graded, correct, np.array(limits))
    return n, c, Rounds(np.array(ends), np.array(limits), graded)


@pytest.mark.parametrize("plan", PLANS)
def test_over_all_outcomes_the_mean_is_exactly_the_truth(plan):
    ends, limits = PLANS[plan]
    ks = np.arange(1, ends[-1] + 1)
    rate = Fraction(2, 7)
    mean, square, variance = (np.zeros(len(ks), dtype=object) for _ in range(3))
    for outcomes in product((0, 1), repeat=ends[-1]):
        chance = rate ** sum(outcomes) * (1 - rate) ** (len(outcomes) - sum(outcomes))
        n, c, rounds = ended(outcomes, ends, limits)
        counts = Counts(("p",), n, c, rounds)
        # The estimates are ratios of whole numbers: exact again when rounded to a small denominator.
        values = [Fraction(float(value)).limit_denominator(10**6) for value in counts.pass_at_k(ks)[0]]
        mean += chance * np.array(values, dtype=object)
        square += chance * np.array([value**2 for value in values], dtype=object)
        spread = counts.pass_at_k_variance(ks)[0]
        assert (np.isnan(spread) == (2 * ks > ends[-1])).all()
        spreads = [Fraction(float(value)).limit_denominator(10**8) for value in np.nan_to_num(spread)]
        variance += chance * np.array(spreads, dtype=object)
    truth = np.array([1 - (1 - rate) ** int(k) for k in ks], dtype=object)
    assert (mean == truth).all()
    known = 2 * ks <= ends[-1]
    assert np.allclose((square - mean**2)[known].astype(float), variance[known].astype(float), rtol=0, atol=1e-9)


def test_counting_c_of_n_would_be_biased():
    ends, limits = PLANS["first success"]
    naive = Fraction(0)
    for outcomes in product((0, 1), repeat=ends[-1]):
        n, c, _ = ended(outcomes, ends, limits)
        naive += Fraction(int(c[0]), int(n[0])) / 2 ** ends[-1]
    assert naive > Fraction(6, 10)  # the rate is 1/2


def test_without_rests_it_is_the_usual_estimator():
    n, c = np.full(6, 1_000), np.array([0, 1, 7, 400, 999, 1_000])
    rounds = Rounds(np.array([10, 100, 1_000]), np.full(3, 10_000), np.tile([10, 100, 1_000], (6, 1)))
    ks = [1, 10, 11, 99, 100, 500, 1_000]
    assert Counts(tuple("abcdef"), n, c, rounds).pass_at_k(ks) == pytest.approx(pass_at_k(n, c, ks), abs=1e-12)


def test_a_rest_at_large_n_matches_exact_fractions():
    """From 100 without rest (c < 3) to 10,000 with c: orders that begin with k failures, over all orders."""
    rounds = Rounds(np.array([100, 10_000]), np.array([3, 10]), np.array([[100, 10_000]]))
    for c in (3, 12, 400):
        for k in (1, 50, 100, 101, 5_000, 9_990):
            every = sum(comb(100, early) * comb(9_900, c - early) for early in range(3))
            if k <= 100:
                begin = sum(comb(100 - k, early) * comb(9_900, c - early) for early in range(3))
            else:
                begin = comb(10_000 - k, c)
            value = Counts(("p",), np.array([10_000]), np.array([c]), rounds).pass_at_k([k])[0, 0]
            assert abs(Fraction(float(value)) - (1 - Fraction(begin, every))) < Fraction(1, 10**12)


def test_samples_lost_to_the_sandbox_shift_the_rounds_of_their_problem():
    """Problem b lost two of its first four samples: its first stop was decided on the two that were graded."""
    rounds = Rounds(np.array([4, 8]), np.array([1, 1]), np.array([[4, 8], [2, 6]]))
    counts = Counts(("a", "b"), np.array([8, 6]), np.array([2, 2]), rounds)
    found = counts.pass_at_k([1, 2, 3])
    # The first two of b failed, else it would rest: both successes lie among the other four.
    assert found[1] == pytest.approx([0, 0, 1 - comb(3, 2) / comb(4, 2)])
    assert found[0] == pytest.approx([0, 0, 0])
    assert counts.reach == 8
    awake = Counts(("a", "b"), np.array([8, 6]), np.array([2, 0]), rounds)
    assert awake.reach == 6
    assert np.isnan(coverage(awake, [7]).coverage[0])


def test_a_problem_that_rests_tells_of_every_k_and_one_that_does_not_only_up_to_n():
    ends, limits = np.array([10, 100, 1_000]), np.array([1, 1, 1])
    rounds = Rounds(ends, limits, np.tile(ends, (2, 1)))
    stopped = Counts(("a", "b"), np.array([10, 1_000]), np.array([2, 0]), rounds)
    assert stopped.pass_at_k([500]).ravel() == pytest.approx([1, 0])
    assert stopped.reach == 1_000
    assert np.isnan(stopped.pass_at_k([1_001])).all()
    waiting = Counts(("a", "b"), np.array([10, 100]), np.array([2, 0]), rounds)
    assert waiting.reach == 100
    assert np.isnan(waiting.pass_at_k([101])[1, 0])


@pytest.mark.slow
def test_by_simulation_coverage_is_unbiased_and_its_interval_holds():
    generator = np.random.default_rng(7)
    rates = generator.beta(0.4, 4, 60)
    ends = np.array([20, 50, 100, 200, 500, 1_000])
    limits = np.ceil(1_000 / ends).astype(np.int64)
    ks = np.array([1, 10, 100, 400, 1_000])
    truth = (1 - (1 - rates) ** ks[:, None]).mean(axis=1)
    plan = Plan(tuple(ends.tolist()), tuple(limits.tolist()))
    names = tuple(map(str, range(60)))
    curves, held, spent = [], [], []
    for _ in range(150):
        n, c, rounds = drawn(1_000, rates, plan, generator)
        counts = Counts(names, n, c, rounds)
        curves.append(coverage(counts, ks).coverage)
        band = interval_over_samples(counts, ks, 0.9)
        held.append((band.low <= truth) & (truth <= band.high))
        spent.append(n.mean())
    error = np.mean(curves, axis=0) - truth
    assert (np.abs(error) < 4 * np.std(curves, axis=0) / np.sqrt(150)).all()
    assert (np.mean(held, axis=0) > 0.8).all()
    assert np.mean(spent) < 500


def test_many_rounds_and_a_million_samples_stay_finite():
    ends = np.array([1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000])
    limits = np.ceil(1e6 / ends).astype(np.int64)
    graded = np.tile(ends, (3, 1))
    found = log_none_of(
        np.array([1_000_000, 2_000, 100_000]),
        np.array([0, 900, 15]),
        np.array([1, 10**6]),
        Rounds(ends, limits, graded),
    )
    assert found[0].tolist() == [0, 0]
    assert -np.expm1(found[1, 0]) == pytest.approx(0.45, abs=0.05)
    assert found[1:, 1].tolist() == [-np.inf, -np.inf]
