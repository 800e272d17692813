from math import comb

import numpy as np
import pytest

from tasks.scaling.estimators import Counts, coverage, pass_at_k
from tasks.scaling.interval_over_problems import interval_over_problems
from tasks.scaling.interval_over_samples import (
    _LOGIT,
    _variance_of_u_statistic,
    interval_over_samples,
    variance_over_samples,
)
from tasks.scaling.sequential_stopping import drawn as drawn_in_rounds
from tasks.sweep.budgets import AdaptiveConfig


def drawn(rates, n, rng):
    return Counts.of([str(i) for i in range(len(rates))], n, rng.binomial(n, rates))


@pytest.mark.parametrize(("n", "k"), [(1, 1), (12, 1), (12, 3), (12, 6), (12, 7), (12, 12), (40, 20), (40, 33)])
def test_the_variance_at_a_known_rate_is_exact(n, k):
    variances = _variance_of_u_statistic(n, k)
    c = np.arange(n + 1)
    estimate = pass_at_k(n, c, k)
    for i in range(150, len(_LOGIT), 20):
        p = 1 / (1 + np.exp(-_LOGIT[i]))
        probability = np.array([comb(n, j) * p**j * (1 - p) ** (n - j) for j in c.tolist()])
        truth = probability @ (estimate - probability @ estimate) ** 2
        assert variances[i] == pytest.approx(truth, rel=1e-6, abs=1e-15)


@pytest.mark.parametrize("n", [100, 10_000, 1_000_000])
def test_at_k_1_the_variance_is_that_of_a_mean(n):
    rng = np.random.default_rng(0)
    counts = drawn(rng.uniform(0.1, 0.9, 50), n, rng)
    share = counts.c / n
    expected = np.sum(share * (1 - share) / n) / 50**2
    assert variance_over_samples(counts, [1])[0] == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("kind", ["beta", "log-uniform", "atoms", "hard"])
@pytest.mark.parametrize("problems", [10, 60])
def test_the_interval_over_samples_holds_these_problems(kind, problems):
    rng = np.random.default_rng(8)
    ks, held = np.array([1, 20, 50, 51, 100]), np.zeros(5)
    for _ in range(200):
        rates = {
            "beta": lambda: rng.beta(0.4, 4, problems),
            "log-uniform": lambda: 10 ** rng.uniform(-6, 0, problems),
            "atoms": lambda: rng.choice([0.5, 0.01, 0.0005], problems),
            "hard": lambda: rng.beta(0.3, 200, problems),
        }[kind]()
        truth = np.array([np.mean(1 - (1 - rates) ** k) for k in ks])
        band = interval_over_samples(drawn(rates, 100, rng), ks)
        held += (band.low <= truth) & (truth <= band.high)
    assert (held / 200 >= 0.89).all()  # .92 less two standard errors of 200 simulations


def test_the_interval_over_samples_does_not_break_at_half_of_n():
    rng = np.random.default_rng(1)
    for problems in (5, 10, 60):
        band = interval_over_samples(drawn(rng.beta(0.3, 2, problems), 100, rng), [49, 50, 51, 52])
        widths = band.high - band.low
        assert (np.abs(np.diff(widths)) < 0.03 * widths[0]).all()


def test_the_interval_over_samples_holds_under_an_adaptive_budget():
    rng = np.random.default_rng(4)
    plan = AdaptiveConfig().plan(1_000)
    ks, held = np.array([10, 500, 1_000]), np.zeros(3)
    for _ in range(60):
        rates = rng.beta(0.3, 4, 15)
        n, c, rounds = drawn_in_rounds(1_000, rates, plan, rng)
        band = interval_over_samples(Counts(tuple(map(str, range(15))), n, c, rounds), ks)
        truth = np.array([np.mean(1 - (1 - rates) ** k) for k in ks])
        held += (band.low <= truth) & (truth <= band.high)
    assert (held / 60 >= 0.85).all()  # .92 less two standard errors of 60 simulations


@pytest.mark.parametrize(("c", "end"), [(0, 0), (100, 1)])
def test_with_none_or_all_correct_the_interval_over_samples_has_width_at_k_1(c, end):
    band = interval_over_samples(Counts.of(list("abcdefghij"), 100, [c] * 10), [1])
    assert band.high[0] > band.low[0]
    assert band.low[0] <= end <= band.high[0]


def test_beyond_n_the_interval_over_samples_is_nan():
    band = interval_over_samples(Counts.of(["a", "b"], [10, 3], [3, 3]), [3, 4])
    assert np.isnan(band.low).tolist() == np.isnan(band.high).tolist() == [False, True]


def test_many_different_n_give_nearly_the_variance_of_each():
    rng = np.random.default_rng(2)
    n = rng.integers(100, 2_000, 3_000)
    rates = rng.beta(0.4, 4, 3_000)
    counts = Counts.of([str(i) for i in range(3_000)], n, rng.binomial(n, rates))
    unbiased = counts.pass_at_k_variance([1, 10]).sum(axis=0) / 3_000**2
    assert variance_over_samples(counts, [1, 10]) == pytest.approx(unbiased, rel=0.05)


def test_the_interval_over_samples_is_narrower_than_over_problems():
    rng = np.random.default_rng(9)
    counts = drawn(rng.beta(0.4, 2, 50), 400, rng)
    ours, other = interval_over_samples(counts, [1, 10, 100]), interval_over_problems(counts, [1, 10, 100])
    assert ((ours.high - ours.low) < (other.high - other.low) / 2).all()
    assert (ours.low <= coverage(counts, [1, 10, 100]).coverage).all()
