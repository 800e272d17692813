from itertools import permutations

import numpy as np
import pytest

from tasks.errors import UserError
from tasks.scaling.comparison import compare
from tasks.scaling.estimators import Counts
from tasks.scaling.interval_over_problems import interval_over_problems


def drawn(rates, n, seed=0, names=None):
    names = names or [f"p{i}" for i in range(len(rates))]
    return Counts.of(names, n, np.random.default_rng(seed).binomial(n, rates))


RATES = np.random.default_rng(1).beta(0.4, 4, 100)


def test_a_set_and_itself_differ_by_nothing():
    counts = drawn(RATES, 100)
    found = compare([("a", counts), ("b", counts)])
    (pair,) = found.pairs
    assert [each.difference for each in pair.differences] == [0] * 7
    assert all(each.p == 1 for each in pair.differences)
    assert pair.crossings == ()
    assert pair.family is not None
    assert pair.family.shift.factor == pytest.approx(1, rel=0.02)
    assert "the same share" in found.headline


@pytest.mark.slow
def test_what_problems_have_in_common_cancels():
    first, second = drawn(RATES, 1_000), drawn(np.minimum(1, 1.5 * RATES), 1_000, seed=2)
    found = compare([("base", first), ("tuned", second)])
    at = {each.k: each for each in found.pairs[0].differences}
    ten = at[10]
    assert ten.low < ten.difference < ten.high
    band = interval_over_problems(first, [10])
    assert ten.high - ten.low < 0.5 * (band.high[0] - band.low[0])
    assert ten.low > 0
    assert ten.p < 0.01
    # A second set with its problems in another order is the same set.
    order = np.random.default_rng(0).permutation(100)
    again = compare([("base", first), ("tuned", second.of_problems(order))])
    assert again.pairs[0].differences == found.pairs[0].differences


def test_a_crossing_is_found_within_the_data_and_forecast_beyond_it():
    steady = np.repeat([1.0, 0.0], 50)  # half of the problems at once, and no other ever
    late = np.full(100, 0.02)  # overtakes where 1 - .98^k = 1/2, at k = 34.3
    found = compare([("steady", drawn(steady, 1_000)), ("late", drawn(late, 1_000))])
    (crossing,) = found.pairs[0].crossings
    assert crossing.upwards
    assert crossing.k == pytest.approx(34, abs=3)
    assert crossing.low is not None
    assert crossing.high is not None
    assert crossing.share is not None
    assert crossing.low <= crossing.k <= crossing.high
    assert crossing.share > 0.9
    back = compare([("late", drawn(late, 1_000)), ("steady", drawn(steady, 1_000))])
    assert [each.upwards for each in back.pairs[0].crossings] == [False]

    early = compare([("steady", drawn(np.repeat([1.0, 0.0], 50), 10)), ("late", drawn(late, 10))])
    (beyond,) = early.pairs[0].crossings
    assert (beyond.low, beyond.share) == (None, None)
    assert beyond.k > 10


def test_a_family_is_a_shift_with_an_interval_around_it():
    rates = np.random.default_rng(1).beta(0.4, 200, 300)
    found = compare([("large", drawn(rates, 10_000)), ("small", drawn(rates / 8, 10_000, seed=3))])
    family = found.pairs[0].family
    assert family is not None
    assert family.interval is not None
    assert family.shift.factor == pytest.approx(8, rel=0.15)
    assert family.interval.low < 8 < family.interval.high
    assert family.interval.high / family.interval.low < 2


def test_only_shared_problems_are_compared_and_that_is_said():
    names = [f"q{i}" for i in range(100)]
    first, second = drawn(RATES, 100), drawn(RATES, 50, seed=1, names=[*[f"p{i}" for i in range(70)], *names[:30]])
    found = compare([("a", first), ("b", second)])
    assert found.paired
    assert [len(each.summary.problems) for each in found.sets] == [70, 70]
    assert "70 problems that all sets share" in found.notes[0]
    assert found.pairs[0].differences[-1].k == 50
    apart = compare([("a", first), ("b", drawn(RATES, 50, names=names))])
    assert not apart.paired
    assert apart.pairs == ()
    assert "share no problem" in apart.notes[0]


def test_problems_without_samples_are_told_with_their_set():
    first, second = drawn(RATES[:3], 100), Counts.of(["p0", "p1", "p2"], [100, 0, 7], [3, 0, 1])
    notes = compare([("a", first), ("b", second)], resamples=100).notes
    assert "b: 1 of 3 problems has no graded sample and is left out of coverage (p1)." in notes
    assert any(note.startswith("b: Coverage stops at k = 7") and "(p2)" in note for note in notes)


@pytest.mark.slow
def test_corners_give_numbers_or_nothing_and_never_fail():
    corners = {
        "none": Counts.of(["a", "b"], 10, [0, 0]),
        "all": Counts.of(["a", "b"], 10, [10, 10]),
        "one sample": Counts.of(["a", "b"], 1, [0, 1]),
        "unequal": Counts.of(["a", "b"], [3, 70], [1, 30]),
        "ungraded": Counts.of(["a", "b"], [0, 70], [0, 30]),
    }
    for both in permutations(corners.items(), 2):
        found = compare(both, resamples=50)
        assert found.headline
        for pair in found.pairs:
            assert all(each.low <= each.difference <= each.high for each in pair.differences)


def test_two_sets_and_two_names_are_needed():
    counts = drawn(RATES, 10)
    with pytest.raises(UserError, match="1 given; give two sets"):
        compare([("a", counts)])
    with pytest.raises(UserError, match="'a' is given twice"):
        compare([("a", counts), ("a", counts)])
    with pytest.raises(UserError, match="b has no graded sample"):
        compare([("a", counts), ("b", Counts.of(["p0"], 0, [0]))])
