from dataclasses import replace

import numpy as np
import pytest

from tasks.errors import UserError
from tasks.selection import Outcomes, Selector
from tasks.selection.best_of import BestOf
from tasks.selection.curves import pick_curve
from tasks.selection.first_passing import FirstPassing
from tasks.selection.forecast import forecast
from tasks.selection.majority import Majority
from tasks.selection.outcomes import NO_ANSWER
from tasks.selection.summary import summarise
from tasks.selection.weighted_vote import WeightedVote

RATES = np.linspace(0.02, 0.7, 24)


def drawn(n: int, seed: int, strength: float = 1.0) -> list[Outcomes]:
    """Problems whose scores are `strength` standard deviations higher for correct samples."""
    generator = np.random.default_rng(seed)
    problems = []
    for number, rate in enumerate(RATES.tolist()):
        correct = generator.random(n) < rate
        answers = np.where(correct, 0, generator.choice([1, 2, 3], n, p=[0.5, 0.3, 0.2]))
        score = generator.normal(strength * correct)
        problems.append(Outcomes(f"p{number}", correct, answers, {"score": score}, correct))
    return problems


@pytest.mark.parametrize("selector", [Majority(), BestOf()], ids=lambda each: each.name)
def test_a_forecast_is_nearer_to_more_samples_than_the_last_measured_value(selector):
    ks = np.array([400])
    truth = pick_curve(selector, drawn(4_000, 99), ks, error=0.01).accuracy[0]
    errors, stays, held = [], [], 0
    for seed in range(12):
        problems = drawn(40, seed)
        (found,) = forecast(selector, problems, ks)
        errors.append(found.value - truth)
        stays.append(pick_curve(selector, problems, [40]).accuracy[0] - truth)
        held += found.low <= truth <= found.high
    assert np.mean(np.square(errors)) < np.mean(np.square(stays))
    assert held >= 9  # 0.9 of 12, less two standard errors


def test_a_forecast_of_a_weighted_vote_is_nearer_to_more_samples_than_the_last_measured_value():
    def weighted(n: int, generator: np.random.Generator) -> list[Outcomes]:
        found = []
        for number, each in enumerate(shares):
            answers = generator.choice(len(each), n, p=each)
            found.append(
                Outcomes(f"p{number}", answers == 0, answers, {"score": generator.gamma(2.0 + (answers == 0))})
            )
        return found

    wrong = (np.full(5, 0.5), np.full(60, 0.15))
    errors, stays, held = [], [], 0
    ks = np.array([400])
    for seed in range(8):
        generator = np.random.default_rng(seed)
        shares = [
            np.append(rate, (1 - rate) * generator.dirichlet(wrong[number % 2]))
            for number, rate in enumerate(generator.beta(0.3, 2, 40).tolist())
        ]
        truth = pick_curve(WeightedVote(), weighted(2_000, generator), ks, error=0.01).accuracy[0]
        problems = weighted(100, generator)
        (found,) = forecast(WeightedVote(), problems, ks)
        errors.append(found.value - truth)
        stays.append(pick_curve(WeightedVote(), problems, [100]).accuracy[0] - truth)
        held += found.low <= truth <= found.high
    assert np.mean(np.square(errors)) < np.mean(np.square(stays))
    assert held >= 5  # 0.9 of 8, less two standard errors


def test_scores_that_prefer_some_wrong_samples_are_forecast_to_deliver_less():
    generator = np.random.default_rng(3)
    problems = []
    for number in range(30):
        correct = generator.random(200) < 0.3
        # The highest scores are those of wrong samples, whose spread is twice as large.
        score = np.where(correct, generator.normal(1, 0.5, 200), generator.normal(0, 1, 200))
        problems.append(Outcomes(f"p{number}", correct, None, {"score": score}))
    (found,) = forecast(BestOf(), problems, np.array([2_000]))
    # The truth at 2,000 is 0.01.
    assert found.value < 0.5 * pick_curve(BestOf(), problems, [200]).accuracy[0]


def test_ways_without_a_forecast_have_none():
    problems = drawn(30, 0)
    ks = np.array([60])
    assert forecast(FirstPassing(), problems, ks) == (), "most of its numbers are equal"
    assert forecast(BestOf(), problems[:5], ks) == (), "too few problems"
    few = [each.at(np.arange(8)) for each in problems]
    assert forecast(BestOf(), few, ks) == (), "too few samples"
    assert forecast(Majority(), few, ks) == (), "too few samples"
    assert forecast(WeightedVote(), few, ks) == (), "too few samples"


@pytest.mark.parametrize("keep", [1.0, 0.2])
def test_votes_weighted_by_equal_scores_are_forecast_as_votes_that_count(keep):
    problems = [replace(each, scores={"score": np.full(each.n, 0.3)}) for each in drawn(40, 2)]
    ks = np.array([80, 400])
    counted, weighted = forecast(Majority(), problems, ks), forecast(WeightedVote(keep=keep), problems, ks)
    for one, other in zip(counted, weighted, strict=True):
        assert other.value == pytest.approx(one.value, abs=0.015)
        assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=0.03)


def test_a_forecast_of_a_weighted_vote_depends_on_the_weights_and_not_on_the_order_of_the_samples():
    right = np.arange(500) < 200
    weights = np.where(right, 2.0, 1.0) * np.random.default_rng(0).gamma(50, 0.02, 500)
    problem = Outcomes("p", right, np.where(right, 0, 1), {"score": weights})
    order = np.random.default_rng(1).permutation(500)
    found = forecast(WeightedVote(), [problem], np.array([500]))
    assert found[0].value > 0.9, "40% of the samples have 57% of the weight"
    assert forecast(Majority(), [problem], np.array([500]))[0].value < 0.2
    assert forecast(WeightedVote(), [problem.at(order)], np.array([500])) == found


def test_only_the_samples_with_the_largest_weights_vote_in_a_forecast_where_others_are_not_kept():
    right = np.arange(50) < 10
    problem = Outcomes("p", right, np.where(right, 0, 1), {"score": np.where(right, 1.1, 1.0)})
    (some,) = forecast(WeightedVote(keep=0.1), [problem], np.array([500]))
    (every,) = forecast(WeightedVote(), [problem], np.array([500]))
    assert some.value > 0.97
    assert every.value < 0.03


def test_samples_without_an_answer_have_no_weight_in_a_forecast():
    right = np.arange(50) < 10
    problem = Outcomes("p", right, np.where(right, 0, NO_ANSWER), {"score": np.ones(50)})
    (found,) = forecast(WeightedVote(), [problem], np.array([500]))
    assert found.value == pytest.approx(1.0)


def test_the_forecast_of_best_of_does_not_depend_on_the_order_of_the_samples():
    problems = drawn(40, 1)
    order = np.random.default_rng(0).permutation(40)
    (one,) = forecast(BestOf(), problems, np.array([80]))
    (other,) = forecast(BestOf(), [each.at(order) for each in problems], np.array([80]))
    assert one.value == pytest.approx(other.value)


def test_k_beyond_the_samples_is_forecast_for_coverage_and_each_way_that_can_be():
    ways: list[Selector] = [Majority(), WeightedVote(weight="exp"), FirstPassing()]
    found = summarise(drawn(30, 0), ways, [10, 100, 30], points=5, error=0.02)
    assert [point.k for point in found.coverage.table] == [10, 30]
    assert found.beyond == (100,)
    majority, weighted, first_passing = found.picked
    for curve in (found.coverage, majority, weighted):
        assert curve.forecast[0].k == 31
        assert curve.forecast[-1].k == 100
        assert all(point.low <= point.value <= point.high for point in curve.forecast)
    assert first_passing.forecast == ()
    assert f"No forecast beyond the samples: {first_passing.label}." in found.notes
    assert not any(curve.forecast for curve in summarise(drawn(30, 0), [Majority()], [10]).picked)


def test_only_forecasts_asked_for_leave_the_table_as_it_is_by_default():
    found = summarise(drawn(30, 0), [Majority()], [60], points=5)
    assert [point.k for point in found.coverage.table] == [1, 10, 30]


@pytest.mark.parametrize("k", [0, 301])
def test_a_k_below_1_or_far_beyond_the_samples_is_one_line(k):
    with pytest.raises(UserError, match=r"out of reach: k must be between 1 and 300, 10 times the number of samples"):
        summarise(drawn(30, 0), [Majority()], [k])
