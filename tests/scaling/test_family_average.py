import numpy as np
import pytest
from scipy.special import logsumexp

from tasks.scaling.estimators import Counts
from tasks.scaling.families import LOG_P, LOG_Q, families, family
from tasks.scaling.family_average import coarsened, family_average
from tasks.scaling.forecast import Forecaster
from tasks.scaling.mixtures import Likelihoods, Table, coarse


def drawn(rates, n, seed=0):
    rng = np.random.default_rng(seed)
    return Counts.of([str(i) for i in range(len(rates))], n, rng.binomial(n, rates))


@pytest.mark.parametrize("name", [f.name for f in families()])
@pytest.mark.parametrize("of_all", [True, False])
def test_a_table_stands_for_its_prior(name, of_all):
    chosen, rng = family(name), np.random.default_rng(8)
    counts = drawn(rng.beta(0.5, 5, 25), 40)
    view = Likelihoods.of_counts(counts) if of_all else Likelihoods.of_rare_successes(counts, 5)
    settings = np.column_stack([rng.uniform(low, high, 10_000) for low, high in chosen.axes])
    of_table, of_prior = (
        logsumexp(each) - np.log(len(each))
        for each in (coarsened(view, coarse(chosen)), coarsened(view, Table(settings, chosen.tabulate(settings))))
    )
    assert of_table == pytest.approx(of_prior, abs=0.5)


def test_many_problems_count_as_fewer_than_150():
    """The likelihood of P problems is raised to the power 150 / (150 + P)."""
    counts = drawn(np.random.default_rng(1).beta(0.5, 5, 50), 40)
    once = Likelihoods.of_counts(counts)
    table = coarse(family("beta-binomial"))
    for repeats in (1, 3, 1000):
        view = once._replace(times=once.times * repeats)
        power = 150 / (150 + 50 * repeats)
        assert np.ptp(coarsened(view, table)) == pytest.approx(power * repeats * np.ptp(once.log_likelihood(table)))


def test_posteriors_and_weights_are_distributions():
    for counts in (drawn(np.full(20, 0.3), 50), drawn(np.zeros(5), 10), drawn(np.ones(5), 10), drawn([0.5], 1)):
        mixtures, weights = family_average(counts)
        assert weights.sum() == pytest.approx(1)
        for each in mixtures:
            assert each.posterior.sum() == pytest.approx(1)
            assert len(each.posterior) == len(each.table.settings)


def test_a_family_that_describes_easy_problems_best_does_not_decide_alone():
    """Two fifths of the rates are 0.05. A beta with an atom there fits all counts so much better than any other family
    that it had 98 % of the weight, but it takes four in five of the unsolved problems to be never solved."""
    rates = np.repeat([0.9, 0.05, 0.001], [20, 40, 40])
    for seed in range(3):
        mixtures, weights = family_average(drawn(rates, 100, seed))
        assert [each.family for each in mixtures] == list(families())
        assert weights.max() < 0.75


def test_an_interval_does_not_narrow_around_a_wrong_forecast_as_problems_grow():
    """It did, to [.835, .948] at k = 10,000, where coverage is .985: no family has this tail."""
    rates = np.minimum(0.02 * np.exp(2.5 * np.random.default_rng(3).standard_normal(2000)), 1)
    for k, point in zip((1_000, 10_000), Forecaster(drawn(rates, 100)).at([1_000, 10_000]), strict=True):
        truth = float(np.mean(-np.expm1(k * np.log1p(-np.minimum(rates, 1 - 1e-12)))))
        assert point.low90 <= truth <= point.high90, k


def test_the_grid_of_rates_holds_every_family():
    for each in families():
        weights = coarse(each).weights
        assert weights.shape[1] == len(LOG_P) == len(LOG_Q)
        assert weights.sum(axis=1) == pytest.approx(1)
