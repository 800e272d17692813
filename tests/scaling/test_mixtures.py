import numpy as np
import pytest
from scipy.special import betaln
from scipy.stats import binom

from tasks.scaling.estimators import Counts, coverage
from tasks.scaling.families import LOG_P, LOG_Q, families, family, solved_by
from tasks.scaling.mixtures import Likelihoods, Mixture, Table, coverage_under, fit_mixture, fit_nonparametric


def drawn(rates, n, seed=0):
    rng = np.random.default_rng(seed)
    return Counts.of([str(i) for i in range(len(rates))], n, rng.binomial(n, rates))


def pass_at(fit, counts, ks):
    """Expected pass@k of each problem, given its own counts; shape (problems, ks)."""
    return fit.rates_of(counts.n, counts.c) @ solved_by(ks).T


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
    every = Likelihoods.of_counts(counts)
    assert every.log_likelihood(inflated.table).max() > every.log_likelihood(plain.table).max() + 20
    # At any k, two in five stay unsolved.
    assert inflated.coverage([10**6])[0] == pytest.approx(0.6, abs=0.05)
    assert plain.coverage([10**6])[0] > 0.75


@pytest.mark.parametrize("name", [f.name for f in families()])
def test_coverage_inside_the_data_is_the_measured_one(name):
    rng = np.random.default_rng(6)
    counts = drawn(rng.beta(0.4, 3, 400), 200)
    fit = fit_mixture(counts, family(name))
    measured = coverage(counts, [1, 10, 100]).coverage
    assert pass_at(fit, counts, [1, 10, 100]).mean(axis=0) == pytest.approx(measured, abs=0.03)


@pytest.mark.parametrize(("alpha", "beta"), [(0.3, 2.0), (1.0, 1.0), (0.05, 100.0)])
def test_chances_of_unsolved_problems_agree_with_the_beta_binomial_in_closed_form(alpha, beta):
    """Given n failures p is Beta(alpha, beta + n), so that m more samples fail with B(alpha, beta+n+m) / B(alpha,
    beta+n)."""
    known = known_beta(alpha, beta)
    tried, ks = np.array([10, 400]), np.array([5, 10, 11, 400, 5_000])
    found = known.chances_of_unsolved(tried, np.array([0.25, 0.75]), ks)

    def failing(samples, times=1):
        more = np.maximum(ks - samples, 0)
        return np.exp(betaln(alpha, beta + samples + times * more) - betaln(alpha, beta + samples))

    expected = 0.25 * (1 - failing(10)) + 0.75 * (1 - failing(400))
    variance = 0.25 * (failing(10, 2) - failing(10) ** 2) + 0.75 * (failing(400, 2) - failing(400) ** 2)
    assert found.means.shape == (1, 5)
    assert found.means[0] == pytest.approx(expected, rel=5e-3)
    assert found.variance == pytest.approx(variance, rel=2e-2, abs=1e-12)
    assert (known.rates_of(tried, np.zeros_like(tried)) @ solved_by(20)).tolist() == pytest.approx(
        [float(1 - np.exp(betaln(alpha, beta + n + 20) - betaln(alpha, beta + n))) for n in tried], rel=5e-3
    )


def known_beta(alpha, beta):
    """A mixture whose parameters are known: the posterior is on one setting."""
    beta_binomial = family("beta-binomial")
    settings = np.log([[alpha, beta]])
    table = Table(settings, beta_binomial.tabulate(settings))
    return Mixture(beta_binomial, table, np.ones(1))


def test_an_atom_has_the_chance_of_its_one_rate():
    settings = np.array([[1.0, np.log(0.01 / 0.99), 0.0, 0.0]])
    weights = family("beta-binomial with an atom").tabulate(settings)
    assert weights.sum() == pytest.approx(1)
    assert coverage_under(weights[0], [1, 100]) == pytest.approx([0.01, 1 - 0.99**100], rel=1e-2)


def test_log_uniform_rates_lie_between_the_lowest_and_the_highest():
    settings = np.array([[-7.0, np.log(4.0)]])
    weights = family("log-uniform").tabulate(settings)[0]
    inside = (LOG_P - LOG_Q > -7.1) & (LOG_P - LOG_Q < -2.9)
    assert weights[inside].sum() == pytest.approx(1)
    assert np.ptp(weights[inside][1:-1]) == pytest.approx(0, abs=1e-12)


def test_truncated_beta_rates_are_those_of_the_beta_above_the_lowest():
    lowest = -5.05
    truncated = family("truncated beta-binomial").tabulate(np.array([[lowest, np.log(0.3), np.log(2.0)]]))[0]
    whole = family("beta-binomial").tabulate(np.log([[0.3, 2.0]]))[0]
    logits = LOG_P - LOG_Q
    above = logits > lowest
    assert truncated[~above].max() == 0
    assert truncated[above] == pytest.approx(whole[above] / whole[above].sum())


def test_a_lowest_rate_far_above_a_beta_leaves_a_distribution():
    """All of this beta is below the lowest rate, where its density is less than the smallest float."""
    axes = family("truncated beta-binomial").axes
    weights = family("truncated beta-binomial").tabulate(np.array([[axes[0][1], axes[1][0], axes[2][1] + 5]]))[0]
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()


def test_the_likelihood_of_small_counts_pools_the_others():
    counts = Counts.of(list("abcdef"), [10, 10, 10, 10, 200, 4], [0, 2, 5, 9, 180, 4])
    found = Likelihoods.of_rare_successes(counts, 5)
    table = Table(np.zeros((2, 2)), family("beta-binomial").tabulate(np.log([[0.3, 2.0], [2.0, 7.0]])))
    p = np.exp(LOG_P)
    chances = [
        *(binom.pmf(c, n, p) for n, c in ((10, 0), (10, 2), (4, 4))),
        *(binom.sf(4, n, p) for n in (10, 10, 200)),
    ]
    exact = [sum(float(np.log(weights @ each)) for each in chances) for weights in table.weights]
    found_ratio = found.log_likelihood(table)
    assert found.times.sum() == len(counts)
    # The binomial coefficients are left out, which are the same for every setting.
    assert found_ratio[1] - found_ratio[0] == pytest.approx(exact[1] - exact[0], abs=1e-9)


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
    chances = pass_at(fit_mixture(counts, family("beta-binomial")), counts, [100])[:, 0]
    assert chances[0] > 3 * chances[1]
    assert chances[2] > 0.99


def test_families_are_the_same_objects_whenever_they_are_asked_for():
    """Their tables are kept by family: new ones would be tabulated again, and kept too, at megabytes each time."""
    assert all(once is again for once, again in zip(families(), families(), strict=True))
    assert all(family(each.name) is each for each in families())
