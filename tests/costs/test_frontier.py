from fractions import Fraction
from itertools import combinations, pairwise, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.costs.curves import CostCurve, Option, Part, ResampledCurve, coverage_curve, resample
from tasks.costs.frontier import best, best_accuracy, cheapest, least_cost, pareto
from tasks.costs.measures import LinearCost
from tasks.costs.mixtures import mixtures
from tasks.scaling.estimators import Counts

# Sixteenths are exact as floats: no rounding hides an error.
SIXTEENTHS = st.integers(0, 16).map(lambda number: number / 16)
OPTIONS = st.lists(
    st.builds(
        lambda label, k, cost, accuracy: Option((Part(label, k),), cost, accuracy),
        st.sampled_from("ABC"),
        st.integers(1, 9),
        st.integers(0, 8).map(float),
        SIXTEENTHS,
    ),
    max_size=20,
)


@st.composite
def outcomes(draw, problems=None, max_n=5):
    """The outcomes of each sample of each problem."""
    count = draw(st.integers(1, 3)) if problems is None else problems
    return [draw(st.lists(st.booleans(), min_size=1, max_size=max_n)) for _ in range(count)]


def counts_of(rows):
    return Counts.of([f"p{i}" for i in range(len(rows))], [len(row) for row in rows], [sum(row) for row in rows])


@given(OPTIONS)
def test_the_frontier_has_every_option_that_none_beats(options):
    def beats(one, other):
        """As brute force: no worse in both, and better in one."""
        return one.cost <= other.cost and one.accuracy >= other.accuracy and one[1:] != other[1:]

    nothing = Option((), 0.0, 0.0)
    left = {each[1:] for each in options if not any(beats(one, each) for one in (nothing, *options))} - {nothing[1:]}
    found = pareto(options)
    assert {each[1:] for each in found} == left
    assert len(found) == len(left)
    for one, other in pairwise(found):
        assert one.cost < other.cost
        assert one.accuracy < other.accuracy


@given(OPTIONS, SIXTEENTHS)
def test_the_cheapest_option_is_that_of_brute_force(options, accuracy):
    enough = [each for each in options if each.accuracy >= accuracy]
    found = cheapest(options, accuracy)
    if not enough:
        assert found is None
        return
    assert found is not None
    assert found in enough
    assert all(found.cost <= each.cost for each in enough)


@given(OPTIONS, st.integers(0, 9).map(float))
def test_the_best_use_of_a_budget_is_that_of_brute_force(options, budget):
    affordable = [each for each in options if each.cost <= budget]
    found = best(options, budget)
    if not affordable:
        assert found is None
        return
    assert found is not None
    assert found in affordable
    assert all((found.accuracy, -found.cost) >= (each.accuracy, -each.cost) for each in affordable)


def test_a_bound_that_rounding_misses_by_the_last_digit_is_met():
    third = 0.1 + 0.2  # 0.30000000000000004
    assert cheapest([Option((Part("a", 1),), 1.0, 0.3)], third) is not None
    assert best([Option((Part("a", 1),), third, 0.5)], 0.3) is not None


@given(outcomes(), st.data())
def test_the_frontier_of_sets_is_that_of_every_k_of_each(rows, data):
    sets = {"a": rows, "b": data.draw(outcomes(problems=len(rows)))}
    prices = {"a": Fraction(1), "b": Fraction(data.draw(st.integers(1, 4)))}
    curves, exact = [], []
    for label, of_set in sets.items():
        counts = counts_of(of_set)
        cost = LinearCost(np.zeros(len(rows)), np.full(len(rows), float(prices[label])))
        curves.append(coverage_curve(label, counts, cost))
        for k in range(1, min(map(len, of_set)) + 1):
            solved = sum(
                Fraction(sum(any(some) for some in combinations(row, k)), comb(len(row), k)) for row in of_set
            ) / len(rows)
            exact.append((prices[label] * k * len(rows), solved))
    left = {
        (price, solved)
        for price, solved in exact
        if solved > 0 and not any(c <= price and s >= solved and (c, s) != (price, solved) for c, s in exact)
    }
    found = pareto(option for curve in curves for option in curve.options())
    assert len(found) == len(left)
    for option, (price, solved) in zip(found, sorted(left), strict=True):
        assert option.cost == pytest.approx(float(price), abs=1e-12)
        assert option.accuracy == pytest.approx(float(solved), abs=1e-12)


@given(outcomes(max_n=4), st.data())
def test_the_coverage_of_a_mixture_is_that_of_enumerating_its_draws(rows, data):
    others = data.draw(outcomes(problems=len(rows), max_n=4))
    free = LinearCost(np.arange(len(rows), dtype=float), np.ones(len(rows)))
    first, second = (coverage_curve(label, counts_of(of), free) for label, of in (("a", rows), ("b", others)))
    found = mixtures(first, second)
    assert {tuple(part.k for part in option.parts) for option in found} == set(
        product(range(1, min(map(len, rows)) + 1), range(1, min(map(len, others)) + 1))
    )
    for option in found:
        (_, i), (_, j) = option.parts
        solved = sum(
            Fraction(
                sum(any(one) or any(two) for one in combinations(row, i) for two in combinations(other, j)),
                comb(len(row), i) * comb(len(other), j),
            )
            for row, other in zip(rows, others, strict=True)
        ) / len(rows)
        assert option.accuracy == pytest.approx(float(solved), abs=1e-12)
        assert option.cost == pytest.approx(2 * sum(range(len(rows))) + len(rows) * (i + j))


def test_a_mixture_takes_both_ends_of_a_long_curve():
    counts = Counts.of(["p"], [10_000], [3])
    curve = coverage_curve("a", counts, LinearCost(np.zeros(1), np.ones(1)))
    ks = {option.parts[0].k for option in mixtures(curve, coverage_curve("b", counts, curve.cost))}
    assert {1, 10_000} <= ks
    assert 30 < len(ks) <= 48


@given(st.data())
def test_resampled_frontiers_are_those_of_brute_force(data):
    curves = []
    for _ in range(data.draw(st.integers(1, 3))):
        ks = data.draw(st.integers(1, 4))
        rows = st.lists(st.lists(SIXTEENTHS, min_size=ks, max_size=ks), min_size=2, max_size=2)
        costs = np.sort(np.array(data.draw(rows)), axis=1)
        curves.append(ResampledCurve(costs, np.array(data.draw(rows))))
    budgets = np.array(data.draw(st.lists(SIXTEENTHS, min_size=1, max_size=4)))
    target = data.draw(SIXTEENTHS)
    found, least = best_accuracy(curves, budgets), least_cost(curves, target)
    for row in range(2):
        options = [list(zip(each.cost[row], each.accuracy[row], strict=True)) for each in curves]
        for curve, of in enumerate(options):
            for at, budget in enumerate(budgets):
                assert found[curve, row, at] == max((a for c, a in of if c <= budget), default=0.0)
        assert least[row] == min((c for of in options for c, a in of if a >= target), default=np.inf)


def test_resamples_of_all_sets_are_of_the_same_problems():
    counts = Counts.of([f"p{i}" for i in range(30)], 10, np.arange(30) % 7)
    cost = LinearCost(np.arange(30.0), np.arange(30.0) ** 2)
    curves = (coverage_curve("a", counts, cost), coverage_curve("b", counts, cost))
    one, other = resample(curves, 50, seed=3)
    assert np.allclose(one.accuracy, other.accuracy)
    assert np.allclose(one.cost, other.cost)
    assert one.cost.std() > 0
    # The mean over resamples is the curve itself.
    many = resample(curves[:1], 20_000, seed=1)[0]
    assert many.accuracy.mean(axis=0) == pytest.approx(curves[0].mean_accuracy, abs=0.005)
    assert many.cost.mean(axis=0) == pytest.approx(curves[0].total_cost, rel=0.01)


def test_a_curve_of_a_large_set_has_fewer_values_of_k():
    problems = 100_000
    counts = Counts.of([str(i) for i in range(problems)], 1_000, np.arange(problems) % 3)
    curve = coverage_curve("a", counts, LinearCost(np.zeros(problems), np.ones(problems)))
    assert isinstance(curve, CostCurve)
    assert curve.accuracy.size < 10_000_000
    assert (curve.ks[0], curve.ks[-1]) == (1, 1_000)
