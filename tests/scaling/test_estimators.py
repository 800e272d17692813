from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import UserError
from tasks.scaling.estimators import (
    Counts,
    coverage,
    joint_blocks,
    log_spaced_ks,
    pass_at_k,
    pass_at_k_variance,
    pass_hat_k,
    round_ks,
)

from .outcomes import COVERAGE, load_counts, needs_outcomes


def exact(n: int, c: int, k: int) -> Fraction:
    return 1 - Fraction(comb(n - c, k), comb(n, k))


@st.composite
def n_c_k(draw, largest=10_000):
    n = draw(st.integers(1, largest))
    return n, draw(st.integers(0, n)), draw(st.integers(1, n))


@given(n_c_k())
def test_pass_at_k_matches_exact_fractions(case):
    n, c, k = case
    truth = exact(n, c, k)
    value = pass_at_k(n, [c], k)[0]
    assert abs(Fraction(float(value)) - truth) <= Fraction(1, 10**12)
    # Relative precision too: pass@1 of one success in ten thousand must not drown in rounding.
    assert abs(Fraction(float(value)) - truth) <= truth * Fraction(1, 10**11)


@given(st.integers(1, 300), st.integers(0, 300), st.integers(0, 300))
def test_pass_at_1_is_the_mean_and_pass_at_n_is_whether_any_succeeded(n, c, other):
    c = min(c, n)
    values = pass_at_k(n, [c, min(other, n)], [1, n])
    assert values[0, 0] == pytest.approx(c / n, rel=1e-14)
    assert values[0, 1] == (1.0 if c else 0.0)


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), min_size=1, max_size=8))
def test_problems_of_unequal_n_do_not_affect_each_other(pairs):
    n = np.array([pair[0] for pair in pairs])
    c = np.minimum([pair[1] for pair in pairs], n)
    ks = range(1, 61)
    together = pass_at_k(n, c, list(ks))
    for row, (size, correct) in enumerate(zip(n, c, strict=True)):
        for column, k in enumerate(ks):
            if k > size:
                assert np.isnan(together[row, column])
            else:
                assert together[row, column] == pytest.approx(float(exact(size, correct, k)), abs=1e-13)


def test_a_million_samples_stay_exact():
    n = 1_000_000
    c = np.array([0, 1, 2, 17, 1_000, 999_999, 1_000_000])
    for k in (1, 2, 1_000, 500_000, 999_999, 1_000_000):
        values = pass_at_k(n, c, k)
        # C(n-c, k) / C(n, k) is a product of min(c, k) ratios: exact, and short where either is small.
        for value, correct in zip(values, c.tolist(), strict=True):
            short, long = min(correct, k), max(correct, k)
            if short <= 1_000:
                fail = 1.0
                for i in range(short):
                    fail *= (n - long - i) / (n - i)
                assert value == pytest.approx(1 - max(fail, 0.0), abs=1e-12)
            else:
                assert value == 1.0


def test_n_below_k_gives_no_number_and_says_so():
    counts = Counts.of(["a", "b"], [10, 3], [3, 3])
    curve = coverage(counts, [1, 3, 4, 10])
    assert np.isnan(curve.coverage).tolist() == [False, False, True, True]
    assert curve.note is not None
    assert "only 3 samples" in curve.note
    assert coverage(counts, [1, 3]).note is None


@pytest.mark.parametrize(
    ("n", "c", "says"),
    [([5], [6], "0 <= correct"), ([5], [-1], "0 <= correct"), ([-1], [-1], "0 <= correct")],
)
def test_impossible_counts_are_refused(n, c, says):
    with pytest.raises(UserError, match=says):
        Counts.of(["p"], n, c)


def test_a_repeated_problem_is_refused():
    with pytest.raises(UserError, match="'p' occurs twice"):
        Counts.of(["p", "p"], 3, [1, 2])


def test_k_below_one_is_refused():
    with pytest.raises(UserError, match="at least 1"):
        pass_at_k(5, [2], 0)


@pytest.mark.parametrize("n", [1, 2, 7, 100, 10_000])
def test_ks_are_distinct_and_include_both_ends(n):
    for ks in (log_spaced_ks(n), round_ks(n)):
        assert ks[0] == 1
        assert ks[-1] == n
        assert (np.diff(ks) > 0).all()
    assert len(log_spaced_ks(n)) <= 40


def test_round_ks_are_1_2_5_times_powers_of_ten_and_n():
    assert round_ks(300).tolist() == [1, 2, 5, 10, 20, 50, 100, 200, 300]
    assert round_ks(0).tolist() == []


@given(st.integers(1, 400), st.integers(0, 400), st.integers(1, 400))
def test_pass_hat_k_matches_exact_fractions(n, c, k):
    c, k = min(c, n), min(k, n)
    assert pass_hat_k(n, [c], k)[0] == pytest.approx(float(Fraction(comb(c, k), comb(n, k))), abs=1e-13)


def test_pass_hat_k_is_nan_beyond_n():
    assert np.isnan(pass_hat_k([5, 9], [5, 9], 7)).tolist() == [True, False]


@pytest.mark.parametrize(("n", "k", "p"), [(12, 1, 0.3), (12, 3, 0.1), (12, 6, 0.4), (40, 20, 0.02)])
def test_the_variance_of_pass_at_k_is_unbiased(n, k, p):
    # Over every possible count, weighted by its binomial probability: no simulation, no tolerance for luck.
    c = np.arange(n + 1)
    probability = np.array([comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(n + 1)])
    estimate = pass_at_k(n, c, k)
    truth = probability @ estimate**2 - (probability @ estimate) ** 2
    assert probability @ pass_at_k_variance(n, c, k) == pytest.approx(truth, rel=1e-9)


@given(st.integers(2, 2000), st.integers(0, 2000), st.integers(1, 2000))
def test_the_variance_of_pass_at_k_is_never_negative_and_nan_without_2k_samples(n, c, k):
    c, k = min(c, n), min(k, n)
    value = pass_at_k_variance(n, [c], k)[0]
    assert np.isnan(value) if 2 * k > n else 0 <= value <= 0.25 + 1e-9


def test_blocks_hold_every_problem_and_those_with_the_same_counts_once():
    n = np.array([5, 5, 9, 5, 9])
    c = np.array([1, 2, 1, 1, 1])
    (block,) = Counts.of(list("abcde"), n, c).blocks()
    found = dict(zip(zip(block.counts.n.tolist(), block.counts.c.tolist(), strict=True), block.times, strict=True))
    assert found == {(5, 1): 2, (5, 2): 1, (9, 1): 2}


def test_joint_blocks_keep_problems_apart_that_differ_in_either_set():
    first, second = Counts.of(list("abcd"), 5, [1, 1, 1, 2]), Counts.of(list("abcd"), 7, [3, 3, 4, 3])
    (block,) = joint_blocks((first, second))
    pairs = zip(block.sets[0].c.tolist(), block.sets[1].c.tolist(), block.times.tolist(), strict=True)
    assert sorted(pairs) == [(1, 3, 2), (1, 4, 1), (2, 3, 1)]


def test_coverage_of_many_blocks_is_the_mean_over_all_problems():
    generator = np.random.default_rng(3)
    n = generator.integers(50, 5_000, 10_000)
    counts = Counts.of([str(i) for i in range(10_000)], n, generator.binomial(n, 0.01))
    assert len(list(counts.blocks())) > 1
    assert coverage(counts, [1, 50]).coverage == pytest.approx(counts.pass_at_k([1, 50]).mean(axis=0), rel=1e-12)


def test_coverage_computed_by_hand():
    # By hand: 1 - C(3,2)/C(5,2) = .7 and 1 - C(4,2)/C(5,2) = .4, and an unsolved problem.
    curve = coverage(Counts.of(list("abc"), 5, [2, 1, 0]), [1, 2, 5])
    assert curve.coverage == pytest.approx([0.2, 1.1 / 3, 2 / 3])


@needs_outcomes
@pytest.mark.parametrize("name", COVERAGE)
def test_coverage_of_the_released_outcomes_is_as_published(name):
    curve = coverage(load_counts(name), [1, 10, 100, 1_000, 10_000])
    assert curve.coverage == pytest.approx(COVERAGE[name], abs=5.01e-5)
