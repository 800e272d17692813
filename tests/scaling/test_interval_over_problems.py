import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from tasks.scaling import resampling
from tasks.scaling.estimators import Counts, coverage
from tasks.scaling.interval_over_problems import interval_of_mean, interval_over_problems
from tests.scaling.memory import peak_on_many_problems


def solved(of: int, problems: int, n: int = 1) -> Counts:
    return Counts.of([str(i) for i in range(problems)], n, np.repeat([n, 0], [of, problems - of]))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("problems", [2, 10, 100])
def test_with_one_sample_each_the_interval_is_that_of_a_proportion(share, problems):
    of = round(share * problems)
    band = interval_over_problems(solved(of, problems), [1], resamples=40_000)
    low = beta.ppf(0.025, of, problems - of + 0.75) if of else 0
    high = beta.ppf(0.975, of + 0.75, problems - of) if of < problems else 1
    assert band.low[0] == pytest.approx(low, abs=0.01)
    assert band.high[0] == pytest.approx(high, abs=0.01)


@pytest.mark.parametrize("problems", [5, 10, 40])
def test_the_interval_of_a_proportion_holds_at_every_proportion(problems):
    bands = [interval_over_problems(solved(of, problems), [1]) for of in range(problems + 1)]
    shares = np.linspace(0.001, 0.999, 500)
    probability = binom.pmf(np.arange(problems + 1)[:, None], problems, shares)
    held = [(band.low[0] <= shares) & (shares <= band.high[0]) for band in bands]
    assert (probability * np.array(held)).sum(axis=0).min() >= 0.92


@pytest.mark.parametrize("problems", [2, 5, 10, 128])
@pytest.mark.parametrize("share", [0, 1])
def test_the_interval_has_width_where_none_or_all_of_the_problems_are_solved(problems, share):
    band = interval_over_problems(solved(share * problems, problems, n=100), [1, 10, 100])
    assert (band.high - band.low > 0.5 / problems).all() if share else (band.high > 0).all()
    assert (band.low == 0).all() if share == 0 else (band.high == 1).all()


@pytest.mark.parametrize("kind", ["hard", "log-uniform", "atoms"])
@pytest.mark.parametrize("problems", [5, 10, 20])
def test_the_interval_over_problems_holds_the_population(kind, problems):
    draw = {
        "hard": lambda rng, size: rng.beta(0.3, 200, size),
        "log-uniform": lambda rng, size: 10 ** rng.uniform(-6, 0, size),
        "atoms": lambda rng, size: rng.choice([0.5, 0.01, 0.0005], size),
    }[kind]
    rng = np.random.default_rng(5)
    population, ks = draw(rng, 100_000), np.array([1, 10, 100])
    truth = np.array([np.mean(1 - (1 - population) ** k) for k in ks])
    held = np.zeros(3)
    for _ in range(150):
        counts = Counts.of([str(i) for i in range(problems)], 100, rng.binomial(100, draw(rng, problems)))
        band = interval_over_problems(counts, ks, resamples=500)
        held += (band.low <= truth) & (truth <= band.high)
    assert (held / 150 >= 0.89).all()  # .92 less two standard errors of 150 simulations


def test_for_many_problems_the_interval_is_the_usual_one_and_repeats():
    rng = np.random.default_rng(1)
    counts = Counts.of([str(i) for i in range(400)], 1, rng.integers(0, 2, 400))
    band = interval_over_problems(counts, [1], resamples=4000)
    share = counts.c.mean()
    half = 1.96 * np.sqrt(share * (1 - share) / 400)
    assert band.low[0] == pytest.approx(share - half, abs=0.006)
    assert band.high[0] == pytest.approx(share + half, abs=0.006)
    assert interval_over_problems(counts, [1], resamples=4000).low[0] == band.low[0]


def test_the_interval_of_a_mean_is_as_wide_if_problems_are_weighted_in_groups(monkeypatch):
    values = np.random.default_rng(3).beta(0.4, 1.2, (6_000, 1))
    whole = interval_of_mean(np.hstack([values, values**2]))
    monkeypatch.setattr(resampling, "MANY", 1_500)
    grouped = interval_of_mean(np.hstack([values, values**2]))
    assert grouped.high - grouped.low == pytest.approx(whole.high - whole.low, rel=0.12)
    assert grouped.low == pytest.approx(whole.low, abs=0.002)


def test_for_many_hard_problems_the_interval_stays_narrow():
    rng = np.random.default_rng(2)
    counts = Counts.of([str(i) for i in range(150)], 100, rng.binomial(100, rng.beta(0.3, 200, 150)))
    band = interval_over_problems(counts, [1])
    each = counts.pass_at_k([1])[:, 0]
    assert band.high[0] - band.low[0] < 2 * 2 * 1.96 * each.std() / np.sqrt(150)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=2, max_size=8))
def test_intervals_hold_the_estimate_rise_with_k_and_are_nested(pairs):
    n = [pair[0] for pair in pairs]
    counts = Counts.of([str(i) for i in range(len(n))], n, np.minimum([pair[1] for pair in pairs], n))
    ks = np.arange(1, counts.reach + 1)
    inner, outer = (interval_over_problems(counts, ks, level, resamples=100) for level in (0.5, 0.95))
    estimate = coverage(counts, ks).coverage
    slack = 1e-12
    assert (outer.low <= inner.low + slack).all()
    assert (inner.low <= estimate + slack).all()
    assert (estimate <= inner.high + slack).all()
    assert (inner.high <= outer.high + slack).all()
    for band in (inner, outer):
        assert (np.diff(band.low) >= -slack).all()
        assert (np.diff(band.high) >= -slack).all()
        assert (band.low >= 0).all()
        assert (band.high <= 1).all()


def test_a_single_problem_has_no_interval_over_problems():
    band = interval_over_problems(Counts.of(["p"], 10, [3]), [1, 10])
    assert np.isnan(band.low).all()
    assert np.isnan(band.high).all()


def test_memory_does_not_grow_with_problems_times_weightings():
    peak = peak_on_many_problems(lambda counts: interval_over_problems(counts, [1], resamples=500))
    assert peak < 50e6  # the whole matrix of weights would take 80 MB
