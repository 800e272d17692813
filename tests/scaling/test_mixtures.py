import numpy as np
import pytest
from scipy.special import betaln

from tasks.scaling.estimators import Counts, coverage
from tasks.scaling.mixtures import coverage_under, families, family, fit_mixture, fit_nonparametric


def drawn(rates, n, seed=0):
    rng = np.random.default_rng(seed)
    return Counts.of([str(i) for i in range(len(rates))], n, rng.binomial(n, rates))


@pytest.mark.parametrize(("alpha", "shape"), [(0.03, 1.0), (0.28, 3.9), (1.4, 20.0), (4.0, 0.06)])
def test_the_grid_agrees_with_the_beta_binomial_in_closed_form(alpha, shape):
    weights = family("beta-binomial").tabulate(np.log([[alpha, shape]]))[0]
    ks = np.array([1, 10, 1000])
    exact = 1 - np.exp(betaln(alpha, shape + ks) - betaln(alpha, shape))
    assert coverage_under(weights, ks) == pytest.approx(exact, rel=2e-3)


def test_beta_parameters_are_found_again():
    rng = np.random.default_rng(4)
    fit = fit_mixture(drawn(rng.beta(0.4, 3, 2000), 300), family("beta-binomial"))
    alpha, beta = fit.parameters()
    assert alpha.low <= 0.4 <= alpha.high
    assert beta.low <= 3 <= beta.high
    assert alpha.high / alpha.low < 1.6


def test_never_solvable_problems_are_seen():
    rng = np.random.default_rng(5)
    rates = np.where(rng.random(600) < 0.4, 0.0, rng.beta(2, 5, 600))
    counts = drawn(rates, 200)
    plain, inflated = (fit_mixture(counts, family(n)) for n in ("beta-binomial", "zero-inflated beta-binomial"))
    never = inflated.parameters()[0]
    assert never.low <= 0.4 <= never.high
    assert inflated.log_likelihood > plain.log_likelihood + 20
    # At any k, two in five stay unsolved.
    assert inflated.coverage([10**6])[0] == pytest.approx(0.6, abs=0.05)
    assert plain.coverage([10**6])[0] > 0.75


@pytest.mark.parametrize("name", [f.name for f in families()])
def test_coverage_inside_the_data_is_the_measured_one(name):
    rng = np.random.default_rng(6)
    counts = drawn(rng.beta(0.4, 3, 400), 200)
    fit = fit_mixture(counts, family(name))
    measured = coverage(counts, [1, 10, 100]).coverage
    assert fit.coverage_of_these([1, 10, 100]) == pytest.approx(measured, abs=0.03)
    assert fit.pass_at([1, 10, 100]).mean(axis=0) == pytest.approx(fit.coverage_of_these([1, 10, 100]))


def test_the_nonparametric_mixture_beats_every_family_inside_the_data():
    rng = np.random.default_rng(7)
    rates = np.where(rng.random(400) < 0.5, 0.01, 0.6)
    counts = drawn(rates, 100)
    measured = coverage(counts, [1, 5, 20, 50]).coverage
    free = np.abs(coverage_under(fit_nonparametric(counts), [1, 5, 20, 50]) - measured).max()
    beta = np.abs(fit_mixture(counts, family("beta-binomial")).coverage([1, 5, 20, 50]) - measured).max()
    assert free < 0.003
    assert free < beta / 2


def test_unequal_n_counts_each_problem_by_its_own():
    counts = Counts.of(list("abcd"), [10, 1000, 10, 1000], [0, 0, 3, 300])
    chances = fit_mixture(counts, family("beta-binomial")).pass_at([100])[:, 0]
    assert chances[0] > 3 * chances[1]
    assert chances[2] > 0.99
