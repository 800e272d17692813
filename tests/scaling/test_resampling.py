import numpy as np
import pytest

from tasks.scaling import resampling
from tasks.scaling.estimators import Counts, pass_at_k
from tasks.scaling.resampling import bootstrap_curves, bootstrap_means, bootstrap_means_of, percentile_tail
from tests.scaling.memory import peak_on_many_problems


def test_bootstrap_curves_are_means_of_resampled_problems():
    counts = Counts.of(list("abcde"), 20, [0, 1, 4, 9, 20])
    ks = np.array([1, 5, 20])
    curves = bootstrap_curves(counts, ks, resamples=50, seed=7)
    weights = np.random.default_rng(7).multinomial(5, np.full(5, 0.2), size=50)
    each = pass_at_k(counts.n, counts.c, ks)
    for curve, weight in zip(curves, weights, strict=True):
        assert curve == pytest.approx(np.repeat(each, weight, axis=0).mean(axis=0))


def test_problems_with_the_same_counts_and_many_blocks_change_no_bootstrap_distribution():
    generator = np.random.default_rng(0)
    n = generator.integers(2_000, 2_020, 5_000)
    mixed = Counts.of([str(i) for i in range(5_000)], n, generator.binomial(n, 0.3))
    alike = Counts.of([str(i) for i in range(5_000)], 10, generator.binomial(10, 0.3, 5_000))
    for counts in (mixed, alike):
        curves = bootstrap_curves(counts, [1])[:, 0]
        each = counts.pass_at_k([1])[:, 0]
        assert curves.mean() == pytest.approx(each.mean(), abs=4 * each.std() / np.sqrt(5_000 * len(curves)))
        assert curves.std() == pytest.approx(each.std() / np.sqrt(5_000), rel=0.08)


def test_sets_of_the_same_problems_are_resampled_together():
    first = Counts.of(list("abcd"), 10, [0, 2, 5, 9])
    second = Counts.of(list("abcd"), 20, [0, 4, 10, 18])
    both = bootstrap_means(
        (first, second), lambda sets: np.hstack([counts.pass_at_k([1]) for counts in sets]), resamples=100
    )
    assert both[:, 0] == pytest.approx(both[:, 1])
    assert both[:, 0].std() > 0


@pytest.mark.parametrize("many", [1_000, 3_000, 10_000])
def test_means_of_any_values_have_the_distribution_of_a_draw_of_problems(many, monkeypatch):
    monkeypatch.setattr(resampling, "MANY", many)
    values = np.random.default_rng(0).normal(3, 1, (5_000, 1)) ** 2
    means = bootstrap_means_of(np.hstack([values, 2 * values]), resamples=2_000)
    assert means[:, 1] == pytest.approx(2 * means[:, 0]), "both columns see the same draws"
    assert means[:, 0].mean() == pytest.approx(values.mean(), abs=4 * values.std() / np.sqrt(5_000 * 2_000))
    assert means[:, 0].std() == pytest.approx(values.std() / np.sqrt(5_000), rel=0.08)


@pytest.mark.parametrize("problems", [4, 10, 11, 95])
def test_groups_hold_every_problem_once_and_are_no_more_than_asked_for(problems, monkeypatch):
    monkeypatch.setattr(resampling, "MANY", 10)
    values = np.arange(2.0 * problems).reshape(problems, 2)
    groups = resampling.in_groups(values, np.random.default_rng(0))
    assert groups.sums.sum(axis=0) == pytest.approx(values.sum(axis=0))
    assert groups.sizes.sum() == problems
    assert min(problems, 5) <= len(groups.sizes) <= 10


def test_means_of_a_few_values_are_those_of_weighted_problems():
    values = np.array([[1.0, 0.0], [2.0, 5.0], [4.0, 1.0]])
    generator = np.random.default_rng(5)
    generator.multinomial(3, [1.0], size=40)
    weights = generator.multinomial(3, np.full(3, 1 / 3), size=40)
    assert bootstrap_means_of(values, resamples=40, seed=5) == pytest.approx(weights @ values / 3)


def test_memory_does_not_grow_with_problems_times_resamples():
    peak = peak_on_many_problems(lambda counts: bootstrap_curves(counts, [1], resamples=500))
    assert peak < 50e6  # the whole matrix of weights would take 80 MB, and as much again as floats


def test_the_percentile_tail_is_nominal_for_many_problems_and_smaller_for_few():
    tails = [percentile_tail(0.95, problems) for problems in (2, 10, 30, 1_000_000)]
    assert tails == sorted(tails)
    assert tails[1] == pytest.approx(0.0086, abs=1e-4)
    assert tails[-1] == pytest.approx(0.025, abs=1e-5)
