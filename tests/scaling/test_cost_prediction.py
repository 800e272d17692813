from dataclasses import astuple

import numpy as np
import pytest

from tasks.scaling.cost_prediction import Seen, predict_total


def seen_of(values: list[list[int]]) -> Seen:
    return Seen(
        np.array([len(each) for each in values]),
        np.array([sum(each) for each in values]),
        np.array([sum(value * value for value in each) for each in values]),
    )


def test_nothing_seen_predicts_nothing() -> None:
    assert predict_total(seen_of([[], []]), np.array([1, 1])) is None


def test_values_that_do_not_vary_are_known_exactly() -> None:
    found = predict_total(seen_of([[30, 30], [50, 50, 50]]), np.array([10, 100]))
    assert found is not None
    assert astuple(found)[:3] == (5_300, 5_300, 5_300)


def test_a_problem_without_values_is_expected_to_be_as_the_others() -> None:
    found = predict_total(seen_of([[10, 10], [20, 20], []]), np.array([0, 0, 4]))
    assert found is not None
    assert found.expected == 60
    assert found.low == 0, "two problems hardly say how a third may be"
    alike = predict_total(seen_of([[10, 10], [10, 10], []]), np.array([0, 0, 4]))
    assert alike is not None
    assert astuple(alike)[:3] == (40, 40, 40)


def test_too_little_seen_gives_no_interval() -> None:
    single = predict_total(seen_of([[10], [20]]), np.array([5, 5]))
    assert single is not None
    assert astuple(single)[:3] == (150, None, None)
    lonely = predict_total(seen_of([[10, 12], []]), np.array([5, 5]))
    assert lonely is not None
    assert astuple(lonely)[:3] == (110, None, None)


def test_the_interval_is_the_textbook_one_for_a_single_problem() -> None:
    values = [3, 5, 8, 13]
    found = predict_total(seen_of([values]), np.array([10]))
    assert found is not None
    reach = 3.182446305 * np.sqrt(np.var(values, ddof=1) * (100 / 4 + 10))  # t of 3 degrees of freedom at 97.5%
    assert (found.expected, found.high) == pytest.approx((72.5, 72.5 + reach))


def test_nothing_missing_costs_nothing_and_no_value_exceeds_the_most() -> None:
    nothing = predict_total(seen_of([[1, 9]]), np.array([0]), most=9)
    assert nothing is not None
    assert astuple(nothing)[:3] == (0, 0, 0)
    bounded = predict_total(seen_of([[1, 9]]), np.array([3]), most=9)
    assert bounded is not None
    assert (bounded.low, bounded.high) == (0, 27)


@pytest.mark.parametrize(("of_each", "unseen"), [(10, 0), (10, 10), (2, 0), (5, 12)])
def test_the_interval_holds_as_often_as_it_says(of_each: int, unseen: int) -> None:
    """Token counts as models have them: geometric, about a mean of each problem's own."""
    generator = np.random.default_rng(0)
    problems, trials, held, missing = 20, 1_000, 0, 40
    for _ in range(trials):
        rates = 1 / generator.lognormal(4, 0.5, problems)
        n = np.where(np.arange(problems) < problems - unseen, of_each, 0)
        drawn = generator.geometric(rates[:, None], (problems, 10))
        counted = np.where(np.arange(10) < n[:, None], drawn, 0)
        seen = Seen(n, counted.sum(axis=1), (counted**2).sum(axis=1))
        found = predict_total(seen, np.full(problems, missing))
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= generator.geometric(rates[:, None], (problems, missing)).sum() <= found.high
    assert held / trials >= 0.9, "normal quantiles are a little short for so skew a law"
