from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.scaling.estimators import Counts, coverage, pass_at_k, pass_at_k_variance, pass_hat_k
from tasks.scaling.intervals import resampled_coverage


@given(st.integers(1, 400), st.integers(0, 400), st.integers(1, 400))
def test_pass_hat_k_matches_exact_fractions(n, c, k):
    c, k = min(c, n), min(k, n)
    assert pass_hat_k(n, [c], k)[0] == pytest.approx(float(Fraction(comb(c, k), comb(n, k))), abs=1e-13)


def test_pass_hat_k_is_nan_beyond_n():
    assert np.isnan(pass_hat_k([5, 9], [5, 9], 7)).tolist() == [True, False]


@pytest.mark.parametrize(("n", "k", "p"), [(12, 1, 0.3), (12, 3, 0.1), (12, 6, 0.4), (40, 20, 0.02)])
def test_the_variance_is_unbiased(n, k, p):
    # Over every possible count, weighted by its binomial chance: no simulation, no tolerance for luck.
    c = np.arange(n + 1)
    chance = np.array([comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(n + 1)])
    estimate = pass_at_k(n, c, k)
    truth = chance @ estimate**2 - (chance @ estimate) ** 2
    assert chance @ pass_at_k_variance(n, c, k) == pytest.approx(truth, rel=1e-9)


@given(st.integers(2, 2000), st.integers(0, 2000), st.integers(1, 2000))
def test_the_variance_is_never_negative_and_nan_without_2k_samples(n, c, k):
    c, k = min(c, n), min(k, n)
    value = pass_at_k_variance(n, [c], k)[0]
    assert np.isnan(value) if 2 * k > n else 0 <= value <= 0.25 + 1e-9


@pytest.mark.parametrize("k", [1, 20, 60, 100])
def test_the_interval_over_samples_holds_the_truth_as_often_as_it_says(k):
    rng = np.random.default_rng(8)
    rates = rng.beta(0.4, 4, 60)
    truth = np.mean(1 - (1 - rates) ** k)
    held = 0
    for _ in range(200):
        counts = Counts.of([str(i) for i in range(60)], 100, rng.binomial(100, rates))
        band = resampled_coverage(counts, [k], resamples=200)
        held += band.low[0] <= truth <= band.high[0]
    assert 0.90 <= held / 200 <= 0.995


def test_the_interval_over_samples_is_narrower_than_over_problems():
    from tasks.scaling.estimators import bootstrap_coverage

    rng = np.random.default_rng(9)
    counts = Counts.of([str(i) for i in range(50)], 400, rng.binomial(400, rng.beta(0.4, 2, 50)))
    ours, other = resampled_coverage(counts, [1, 10, 100]), bootstrap_coverage(counts, [1, 10, 100])
    assert ((ours.high - ours.low) < (other.high - other.low) / 2).all()
    assert (ours.low <= coverage(counts, [1, 10, 100]).coverage).all()
