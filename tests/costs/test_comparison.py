from itertools import pairwise

import numpy as np
import pytest

from tasks.costs.comparison import compare_costs
from tasks.costs.curves import CostCurve, Option, Part, accuracy_curve, coverage_curve
from tasks.costs.frontier import best, cheapest, pareto
from tasks.costs.measures import LinearCost, Measure
from tasks.errors import UserError
from tasks.scaling.estimators import Counts

RATES = np.random.default_rng(4).beta(0.5, 2, 120)


def curve(label, rates, n, each, *, seed=0, names=None):
    correct = np.random.default_rng(seed).binomial(n, rates)
    counts = Counts.of(names or [f"p{i}" for i in range(len(rates))], n, correct)
    return coverage_curve(label, counts, LinearCost(np.zeros(len(rates)), np.full(len(rates), float(each))))


# Table 1 of Brown et al. (arXiv 2407.21787): SWE-bench Lite, 300 issues; dollars per attempt, attempts, share solved.
TABLE_1 = {"DeepSeek-Coder-V2-Instruct": (0.0072, 5, 0.2962), "GPT-4o": (0.13, 1, 0.24), "Claude 3.5": (0.17, 1, 0.267)}


def facts(label):
    """A set of which no more is known than a row of the table: every issue stands for the mean."""
    each, k, solved = TABLE_1[label]
    problems = tuple(f"issue {i}" for i in range(300))
    cost = LinearCost(np.zeros(300), np.full(300, each))
    return accuracy_curve(label, problems, [k], np.full((300, 1), solved), cost)


def test_table_1_of_the_paper_comes_out_of_its_facts():
    options = {label: facts(label).options()[0] for label in TABLE_1}
    costs = {label: option.cost for label, option in options.items()}
    assert costs == {
        "DeepSeek-Coder-V2-Instruct": pytest.approx(10.8),
        "GPT-4o": pytest.approx(39),
        "Claude 3.5": pytest.approx(51),
    }
    cheap = options["DeepSeek-Coder-V2-Instruct"]
    assert cheap.parts == (Part("DeepSeek-Coder-V2-Instruct", 5),)
    assert pareto(options.values()) == (cheap,)
    assert cheapest(options.values(), 0.24) == cheapest(options.values(), 0.267) == cheap
    assert best(options.values(), 100) == cheap
    assert best(options.values(), 10) is None
    assert cheapest(options.values(), 0.3) is None


def test_five_samples_of_a_cheap_model_match_one_of_a_dear_one():
    found = compare_costs([facts(label) for label in TABLE_1], Measure.DOLLARS, delivered_by="the benchmark")
    ratios = {(each.option.parts[0].label, each.other.parts[0].label): each.ratio for each in found.matches}
    assert ratios == {
        ("DeepSeek-Coder-V2-Instruct", "GPT-4o"): pytest.approx(10.8 / 39),
        ("DeepSeek-Coder-V2-Instruct", "Claude 3.5"): pytest.approx(10.8 / 51),
    }
    (only,) = found.frontier
    assert only.share == 1
    row = found.sets[0].table[0]
    assert row.per_solved == pytest.approx(10.8 / (300 * 0.2962))
    assert row.per_point == pytest.approx(10.8 / 29.62)


@pytest.mark.slow
def test_an_interval_of_the_best_use_of_a_budget_holds_the_truth():
    held = 0
    for seed in range(60):
        rates = np.random.default_rng(1_000 + seed).beta(0.5, 2, 60)
        found = compare_costs(
            [curve("a", rates, 50, 1, seed=seed), curve("b", rates**2, 50, 0.5, seed=seed + 500)],
            Measure.TOKENS,
            budget=20 * 60,
            resamples=300,
            delivered_by="any",
        ).budget
        # What such problems give on average, over many of them.
        population = np.random.default_rng(7).beta(0.5, 2, 100_000)
        truth = max((1 - (1 - population) ** 20).mean(), (1 - (1 - population**2) ** 40).mean())
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    assert held >= 52  # 57 expected; below 52 with a probability of 1.5 %, were it exactly 95 %


def test_bands_are_around_the_frontier_and_shares_add_up():
    found = compare_costs([curve("a", RATES, 100, 1), curve("b", RATES**2, 100, 0.3, seed=1)], Measure.TOKENS)
    assert len(found.frontier) > 10
    for point in found.frontier:
        assert point.low is not None
        assert point.high is not None
        assert point.share is not None
        assert 0 <= point.low <= point.option.accuracy <= point.high <= 1
        assert 0 <= point.share <= 1
    assert [each.option for each in found.frontier] == list(
        pareto([*curve("a", RATES, 100, 1).options(), *curve("b", RATES**2, 100, 0.3, seed=1).options()])
    )


def test_a_share_and_a_budget_are_answered_with_intervals():
    curves = [curve("a", RATES, 100, 1), curve("b", RATES**2, 100, 0.3, seed=1)]
    found = compare_costs(curves, Measure.TOKENS, reach=0.5, budget=300)
    options = [option for each in curves for option in each.options()]
    assert found.reach is not None
    assert found.reach.option == cheapest(options, 0.5)
    assert found.reach.low is not None
    assert found.reach.option is not None
    assert found.reach.low <= found.reach.option.cost
    assert found.budget is not None
    assert found.budget.option == best(options, 300)
    beyond = compare_costs(curves, Measure.TOKENS, reach=0.999, budget=1)
    assert beyond.reach is not None
    assert (beyond.reach.option, beyond.reach.mixture, beyond.reach.high) == (None, None, None)
    assert beyond.budget is not None
    assert beyond.budget.option is None


def test_a_mixture_of_sets_that_solve_different_problems_beats_both():
    first, second = np.repeat([0.3, 0.0], 50), np.repeat([0.0, 0.3], 50)
    curves = [curve("a", first, 100, 1), curve("b", second, 100, 1, seed=1)]
    found = compare_costs(curves, Measure.TOKENS, reach=0.9, budget=1_000)
    assert found.reach is not None
    assert found.reach.option is None  # neither solves more than half
    assert found.reach.mixture is not None
    assert found.budget is not None
    assert found.budget.mixture is not None
    assert found.budget.option is not None
    assert found.budget.gain is not None
    assert found.budget.gain.low > 0.2
    assert found.budget.gain.difference == pytest.approx(
        found.budget.mixture.accuracy - found.budget.option.accuracy, abs=1e-12
    )
    assert max(each.option.accuracy for each in found.mixed) == pytest.approx(1, abs=0.01)
    options = [option for each in curves for option in each.options()]
    for each in found.mixed:
        alone = best(options, each.option.cost)
        assert alone is not None
        assert each.option.accuracy > each.alone >= alone.accuracy - 1e-12
        assert each.low is not None
        assert each.high is not None
        assert each.low <= each.option.accuracy <= each.high
    costs = [each.option.cost for each in found.mixed]
    assert costs == sorted(costs)
    assert max(each.high - each.low for each in found.mixed) > 0.03, "an interval over problems"  # type: ignore[operator]


def test_a_mixture_does_not_beat_a_set_whose_next_k_costs_only_a_little_more():
    """One sample of each costs less than two of the better set by a hair, and solves less than these nearly do."""
    better, worse = curve("a", np.full(50, 0.5), 100, 1.0), curve("b", np.full(50, 0.4), 100, 0.999, seed=1)
    assert compare_costs([better, worse], Measure.TOKENS).mixed == ()


def test_a_mixture_is_named_for_a_share_only_where_it_costs_less():
    first, second = np.repeat([0.5, 0.01], 50), np.repeat([0.01, 0.5], 50)
    apart = [curve("a", first, 100, 1), curve("b", second, 100, 1, seed=1)]
    reach = compare_costs(apart, Measure.TOKENS, reach=0.7).reach
    assert reach is not None
    assert reach.option is not None
    assert reach.mixture is not None
    assert reach.mixture.cost < reach.option.cost
    assert reach.mixture.accuracy >= 0.7
    # Samples of a set that solves less of every problem, at the same cost, help nowhere.
    worse = [curve("a", first, 100, 1), curve("b", first / 100, 100, 1, seed=1)]
    reach = compare_costs(worse, Measure.TOKENS, reach=0.5).reach
    assert reach is not None
    assert reach.option is not None
    assert reach.mixture is None


def test_a_set_overtakes_another_at_the_cost_where_their_curves_cross():
    steady = np.repeat([1.0, 0.0], 50)  # half of the problems at once, and no other ever
    late = np.full(100, 0.02)  # overtakes where 1 - .98^k = 1/2, at k = 34.3
    found = compare_costs([curve("steady", steady, 200, 3), curve("late", late, 200, 1)], Measure.TOKENS)
    (crossing,) = found.crossings
    assert (crossing.label, crossing.other) == ("late", "steady")
    assert crossing.low <= crossing.cost <= crossing.high
    assert crossing.cost == pytest.approx(100 * 34.3, rel=0.1)
    assert crossing.share > 0.9
    # Named from the other side, it is the same crossing.
    again = compare_costs([curve("late", late, 200, 1), curve("steady", steady, 200, 3)], Measure.TOKENS)
    assert [(each.label, each.other) for each in again.crossings] == [("late", "steady")]


def test_one_problem_has_no_interval():
    found = compare_costs([curve("a", np.array([0.5]), 10, 1)], Measure.TOKENS, reach=0.5, budget=3)
    assert {(point.low, point.high, point.share) for point in found.frontier} == {(None, None, None)}
    assert found.reach is not None
    assert (found.reach.low, found.reach.high) == (None, None)


def test_what_is_never_solved_has_no_cost_per_problem_solved():
    found = compare_costs([curve("a", np.zeros(5), 10, 1)], Measure.TOKENS)
    assert found.frontier == ()
    for row in found.sets[0].table:
        assert (row.per_solved, row.per_point, row.per_further) == (None, None, None)


def test_the_cost_per_further_problem_is_that_since_the_row_above():
    rows = compare_costs([curve("a", RATES, 100, 2)], Measure.TOKENS).sets[0].table
    for before, after in pairwise(rows):
        more = 120 * (after.accuracy - before.accuracy)
        assert after.per_further == pytest.approx((after.cost - before.cost) / more)


def test_a_delivered_accuracy_that_falls_with_k_is_best_where_it_peaks():
    problems = ("p0", "p1", "p2")
    falling = np.array([[0.2, 0.8, 0.1], [0.2, 0.6, 0.3], [0.5, 0.7, 0.2]])
    cost = LinearCost(np.zeros(3), np.ones(3))
    found = compare_costs([accuracy_curve("vote", problems, [1, 5, 25], falling, cost)], Measure.TOKENS, budget=1_000)
    assert found.budget is not None
    assert found.budget.option is not None
    assert found.budget.option.parts == (Part("vote", 5),)


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ([], "0 sets given; give one to 8"),
        ([curve(str(i), RATES, 3, 1) for i in range(9)], "9 sets given"),
        ([curve("a", RATES, 3, 1)] * 2, "'a' is given twice"),
        (
            [curve("a", RATES[:2], 3, 1), curve("b", RATES[:2], 3, 1, names=["q0", "q1"])],
            "a and b have different problems",
        ),
    ],
)
def test_sets_that_cannot_be_compared_are_told_in_one_line(curves, message):
    with pytest.raises(UserError, match=message):
        compare_costs(curves, Measure.TOKENS)


def test_options_know_their_parts():
    option = curve("a", RATES, 3, 1).options()[1]
    assert isinstance(option, Option)
    assert option.parts == (Part("a", 2),)
    assert isinstance(curve("a", RATES, 3, 1), CostCurve)
