import numpy as np
import pytest

from tasks.errors import UserError
from tasks.scaling.estimators import Counts, coverage
from tasks.scaling.forecast import METHOD, Forecaster
from tasks.scaling.laws import PowerLaw, fit_counts

from .outcomes import COVERAGE, load_counts, needs_outcomes

CORNERS: dict[str, tuple[int | list[int], list[int]]] = {
    "none solved": (10, [0] * 5),
    "all solved": (10, [10] * 5),
    "one problem": (50, [7]),
    "one unsolved": (10, [0]),
    "one sample": (1, [0, 1, 1]),
    "unequal n": ([3, 70, 9], [1, 30, 0]),
    "one success": (100, [0] * 30 + [1]),
    "some ungraded": ([0, 70, 70], [0, 30, 0]),
    "usual": (100, [0, 0, 1, 2, 7, 30, 99]),
}


def forecaster(name: str) -> Forecaster:
    n, c = CORNERS[name]
    return Forecaster(Counts.of([f"p{i}" for i in range(len(c))], n, c))


@pytest.mark.parametrize("name", CORNERS)
def test_every_corner_gives_an_ordered_forecast_that_never_falls(name):
    found = forecaster(name)
    points = found.at([1, found.n, found.n + 1, 2 * found.n, 100 * found.n, 10**6])
    for point in points:
        ends = (0, point.low90, point.low50, point.coverage, point.high50, point.high90, 1)
        assert list(ends) == sorted(ends), point
    values = [point.coverage for point in points]
    assert values == sorted(values)
    assert points[0].method == "measured"
    assert points[-1].method == METHOD
    assert 0 <= found.gain(1000) <= 1


def test_up_to_n_it_is_what_was_measured():
    found = forecaster("usual")
    measured = coverage(found.counts, [1, 10, 100]).coverage
    assert [point.coverage for point in found.at([1, 10, 100])] == pytest.approx(measured)


def test_intervals_widen_with_k_and_narrow_with_problems():
    rng = np.random.default_rng(1)
    few, many = (
        Forecaster(Counts.of([str(i) for i in range(size)], 100, rng.binomial(100, rng.beta(0.3, 4, size))))
        for size in (30, 480)
    )
    near, far = few.at([150, 2000])
    assert near.high90 - near.low90 < far.high90 - far.low90
    assert many.at([2000])[0].high90 - many.at([2000])[0].low90 < 0.6 * (far.high90 - far.low90)
    point = few.at([2000])[0]
    assert point.high50 - point.low50 < 0.6 * (point.high90 - point.low90)


@pytest.mark.slow
def test_forecasts_of_simulated_sets_hold_what_they_promise():
    rng = np.random.default_rng(2)
    inside, errors = 0, []
    for round_number in range(30):
        shapes = (rng.beta(0.25, 2, 100), 1 / (1 + np.exp(-rng.normal(-5, 3, 100))), rng.beta(0.5, 50, 100))
        rates = shapes[round_number % 3]
        full = Counts.of([str(i) for i in range(100)], 5000, rng.binomial(5000, rates))
        start = Counts.of(full.problem_ids, 100, rng.hypergeometric(full.c, full.n - full.c, 100))
        truth = coverage(full, [5000]).coverage[0]
        point = Forecaster(start).at([5000])[0]
        inside += point.low90 <= truth <= point.high90
        errors.append(abs(np.log(point.coverage / truth)))
    assert inside >= 24
    assert np.median(errors) < 0.08


def test_needed_k_is_where_the_forecast_reaches_it():
    found = forecaster("usual")
    for target in (0.3, 0.75, 0.9):
        k = found.needed_k(target)
        assert k is not None
        assert found.expected([k])[0] >= target
        assert found.expected([int(k * 0.998)])[0] < target or k == 1
    assert forecaster("all solved").needed_k(0.5) == 1
    with pytest.raises(UserError, match="between 0 and 1"):
        found.needed_k(1.0)


def test_chances_to_fall_add_up_and_rank_the_least_tried_first():
    found = forecaster("usual")
    chances = found.solve_probabilities(1000)
    assert set(chances) == {"p0", "p1"}
    risen = found.expected([1000])[0] - found.start
    assert sum(chances.values()) == pytest.approx(risen * 7)
    uneven = Forecaster(Counts.of(list("abcd"), [100, 5000, 100, 100], [0, 0, 3, 30])).solve_probabilities(10_000)
    assert list(uneven) == ["a", "b"]
    assert uneven["a"] > uneven["b"]
    assert forecaster("all solved").solve_probabilities(100) == {}


def test_counts_without_a_graded_sample_are_one_clear_line():
    with pytest.raises(UserError, match="no problem has a graded sample"):
        Forecaster(Counts.of(["a"], 0, [0]))
    with pytest.raises(UserError, match="k must be between 1 and"):
        forecaster("usual").at([0])


@needs_outcomes
def test_the_paper_is_forecast_better_than_by_the_plain_law():
    rng = np.random.default_rng(3)
    ours, plain, inside = [], [], 0
    for name, published in COVERAGE.items():
        full = load_counts(name)
        start = Counts.of(full.problem_ids, 100, rng.hypergeometric(full.c, full.n - full.c, 100))
        point, law = Forecaster(start).at([10_000])[0], fit_counts(start, resamples=0).law
        assert isinstance(law, PowerLaw)
        inside += point.low90 <= published[-1] <= point.high90
        ours.append(abs(np.log(point.coverage / published[-1])))
        plain.append(abs(np.log(law.predict(10_000) / published[-1])))
    assert inside >= 4
    assert np.median(ours) < np.median(plain)
    assert max(ours) < 0.35
