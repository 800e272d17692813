import numpy as np
import pytest

from tasks.errors import UserError
from tasks.scaling.estimators import Counts, coverage
from tasks.scaling.forecast import METHOD, Forecaster
from tasks.scaling.laws import PowerLaw, fit_counts
from tasks.scaling.unsolved import Unsolved

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


def test_half_of_the_problems_with_one_success_are_forecast_sensibly_just_beyond_n():
    """The upper end was 1.0 at k = 110, and the interval at 101 was [.500, .519] after [.421, .579] at 100."""
    counts = Counts.of([str(i) for i in range(100)], 100, [1, 0] * 50)
    at_n, next_k, near, twice = Forecaster(counts).at([100, 101, 110, 200])
    assert at_n.coverage == 0.5
    assert next_k.coverage == pytest.approx(0.5, abs=0.005)
    for end in ("low90", "low50", "high50", "high90"):
        assert getattr(next_k, end) == pytest.approx(getattr(at_n, end), abs=0.005), end
    assert 0.5 < near.coverage < 0.55
    assert near.high90 < 0.62
    assert 0.5 < twice.coverage < twice.high90 < 0.85


def random_counts(seed):
    """Counts of all sizes: hard, easy, unsolvable or of two rates, with equal or unequal n."""
    rng = np.random.default_rng(seed)
    problems, n = int(rng.integers(1, 40)), int(rng.choice([1, 2, 5, 20, 100, 1000]))
    kinds = (
        rng.beta(0.3, 2, problems),
        rng.beta(8, 0.7, problems),
        np.zeros(problems),
        rng.choice([0.5, 0.01], problems),
    )
    samples = np.full(problems, n) if seed % 2 else rng.integers(1, n + 1, problems)
    return Counts.of([str(i) for i in range(problems)], samples, rng.binomial(samples, kinds[seed // 2 % 4]))


@pytest.mark.parametrize("seed", range(8))
def test_intervals_are_nested_and_no_end_falls_as_k_grows(seed):
    found = Forecaster(random_counts(seed))
    ks = np.unique([*np.geomspace(1, 10**15, 60).astype(int), *range(max(1, found.n - 2), found.n + 3)])
    points = [(p.low90, p.low50, p.coverage, p.high50, p.high90) for p in found.at(ks.tolist())]
    ends = np.array([(0.0, *point, 1.0) for point in points])
    assert (np.diff(ends, axis=1) >= 0).all()
    assert (np.diff(ends, axis=0) >= -1e-12).all()


def test_the_lower_end_does_not_fall_within_the_samples():
    """The variance over samples grows towards k = n faster than coverage does: the end fell by .009 here."""
    found = Forecaster(Counts.of(list("abcd"), 100, [2, 2, 50, 0]))
    lows = np.array([(point.low90, point.low50) for point in found.at([1, 10, 30, 60, 80, 90, 100])])
    assert (np.diff(lows, axis=0) >= 0).all()


@pytest.mark.parametrize("seed", range(4))
def test_forecasts_do_not_depend_on_what_else_is_asked_for(seed):
    ks = [1, 7, 90, 10_000]
    found = Forecaster(random_counts(seed))
    together, apart = found.at(ks), [found.at([k])[0] for k in ks]
    for field in ("coverage", "low50", "high50", "low90", "high90"):
        assert [getattr(p, field) for p in together] == pytest.approx([getattr(p, field) for p in apart], abs=1e-12)


def test_the_interval_goes_on_at_n_as_it_was_below():
    rng = np.random.default_rng(4)
    for rates in (rng.beta(0.3, 2, 60), rng.beta(0.5, 100, 60), rng.beta(3, 1, 60)):
        found = Forecaster(Counts.of([str(i) for i in range(60)], 1000, rng.binomial(1000, rates)))
        at_n, beyond = found.at([1000, 1001])
        for end in ("low90", "low50", "high50", "high90"):
            assert getattr(beyond, end) == pytest.approx(getattr(at_n, end), abs=0.002), end


def test_solved_problems_stay_solved_and_unequal_samples_all_count():
    """Three of six problems are solved; the others are known to fail up to 100, 100 and 500 samples."""
    counts = Counts.of(list("abcdef"), [100, 100, 500, 100, 500, 100], [1, 2, 2, 0, 0, 0])
    found = Forecaster(counts)
    beyond = np.array([101, 200, 500, 501, 10**6])
    unsolved = Unsolved(counts)
    # c has 2 of 500: pass@200 = 1 - C(498, 200) / C(500, 200).
    of_c = 1 - 300 * 299 / (500 * 499)
    assert unsolved.settled(beyond)[1:] == pytest.approx([(2 + of_c) / 6, 0.5, 0.5, 0.5])
    assert unsolved.share == 0.5
    assert (found.expected(beyond) >= unsolved.settled(beyond)).all()
    assert found.expected([10**6])[0] > 0.5
    near = unsolved.chance(np.array([100, 101]))
    assert near[0] == 0
    assert near[1] > 0


def test_solved_problems_hold_up_the_lower_end():
    """Five successes of 100 leave no doubt that a thousand samples solve a problem; one success leaves some."""
    often, once = (Forecaster(Counts.of(list("abcd"), 100, [c, c, 0, 0])).at([1000])[0] for c in (5, 1))
    assert often.low90 > 0.499
    assert 0.4 < once.low90 < 0.5
    mean, variance = Unsolved(Counts.of(["a"], 1, [1])).of_solved(np.array([1]))
    # Beta(3/2, 1/2): mean 3/4, variance 3/4 * 1/4 / 3.
    assert (mean[0], variance[0]) == (pytest.approx(3 / 4), pytest.approx(1 / 16))


def test_many_different_numbers_of_samples_are_grouped_without_changing_the_forecast_much():
    rng = np.random.default_rng(5)
    n = rng.integers(900, 1100, 200)
    c = rng.binomial(n, rng.beta(0.3, 20, 200))
    uneven = Forecaster(Counts.of([str(i) for i in range(200)], n, c)).at([20_000])[0]
    even = Forecaster(Counts.of([str(i) for i in range(200)], 1000, np.minimum(c, 1000))).at([20_000])[0]
    assert uneven.coverage == pytest.approx(even.coverage, abs=0.02)
    assert uneven.high90 - uneven.low90 == pytest.approx(even.high90 - even.low90, rel=0.3)


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
        for _ in range(4):
            start = Counts.of(full.problem_ids, 100, rng.hypergeometric(full.c, full.n - full.c, 100))
            point, law = Forecaster(start).at([10_000])[0], fit_counts(start, resamples=0)
            assert isinstance(law, PowerLaw)
            inside += point.low90 <= published[-1] <= point.high90
            ours.append(abs(np.log(point.coverage / published[-1])))
            plain.append(abs(np.log(law.predict(10_000) / published[-1])))
    assert inside >= 16
    assert np.median(ours) < np.median(plain)
    assert max(ours) < 0.35
