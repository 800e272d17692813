import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.scaling.estimators import Counts
from tasks.scaling.paired_differences import paired_differences


def drawn(rates, n, rng):
    return Counts.of([str(i) for i in range(len(rates))], n, rng.binomial(n, rates))


def test_three_problems_with_a_few_more_successes_show_nothing():
    first, second = Counts.of(list("abc"), 100, [10, 1, 3]), Counts.of(list("abc"), 100, [11, 2, 5])
    for each in paired_differences(first, second):
        assert each.p > 0.05
        assert each.low < 0 < each.high


def test_the_same_small_gain_on_every_problem_shows_nothing_where_samples_vary_by_as_much():
    # The differences do not vary at all, so that Student's t alone would be infinite.
    first, second = Counts.of(list("abcde"), 100, [10] * 5), Counts.of(list("abcde"), 100, [11] * 5)
    assert all(each.p > 0.3 for each in paired_differences(first, second))


@pytest.mark.parametrize("problems", [2, 3, 5, 10, 30, 200])
@pytest.mark.parametrize("kind", ["beta", "log-uniform"])
def test_where_nothing_differs_false_alarms_are_as_rare_as_said(problems, kind):
    rng = np.random.default_rng(0)
    alarms = np.zeros(7)
    for _ in range(200):
        rates = rng.beta(0.3, 2, problems) if kind == "beta" else 10 ** rng.uniform(-6, 0, problems)
        found = paired_differences(drawn(rates, 100, rng), drawn(rates, 100, rng), 0.95)
        alarms += np.array([each.p <= 0.05 for each in found])
    assert (alarms / 200 <= 0.06 + 2 * np.sqrt(0.06 * 0.94 / 200)).all()


@pytest.mark.parametrize("problems", [5, 10, 30])
def test_the_interval_of_a_difference_holds_the_population(problems):
    rng = np.random.default_rng(1)
    population = 10 ** rng.uniform(-6, 0, 100_000)
    truth = [np.mean((1 - population) ** k - (1 - np.minimum(1, 1.5 * population)) ** k) for k in (1, 10, 100)]
    held = np.zeros(3)
    for _ in range(200):
        rates = 10 ** rng.uniform(-6, 0, problems)
        found = paired_differences(drawn(rates, 100, rng), drawn(np.minimum(1, 1.5 * rates), 100, rng))
        at = {each.k: each for each in found}
        held += [at[k].low <= value <= at[k].high for k, value in zip((1, 10, 100), truth, strict=True)]
    assert (held / 200 >= 0.895).all()  # .93 less two standard errors of 200 simulations


def test_with_many_problems_the_interval_is_about_that_of_the_paired_t_test():
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(2)
    rates = rng.beta(0.5, 3, 500)
    first, second = drawn(rates, 100, rng), drawn(np.minimum(1, 1.3 * rates), 100, rng)
    (found,) = (each for each in paired_differences(first, second) if each.k == 5)
    student = ttest_rel(second.pass_at_k([5])[:, 0], first.pass_at_k([5])[:, 0]).confidence_interval()
    assert found.high - found.low == pytest.approx(student.high - student.low, rel=0.08)
    assert found.high - found.low >= student.high - student.low
    assert found.p < 1e-6


@st.composite
def two_sets(draw) -> tuple[Counts, Counts]:
    problems = draw(st.integers(2, 6))
    columns = []
    for _ in range(2):
        n = draw(st.lists(st.integers(1, 60), min_size=problems, max_size=problems))
        c = [draw(st.integers(0, most)) for most in n]
        columns.append(Counts.of([str(i) for i in range(problems)], n, c))
    return columns[0], columns[1]


@given(two_sets(), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_p_value_agrees_with_the_interval(sets, level):
    for each in paired_differences(sets[0], sets[1], level):
        assert -1 <= each.low <= each.difference <= each.high <= 1
        assert each.low < each.high
        assert 0 < each.p <= 1
        if abs(each.p - (1 - level)) > 1e-6:
            assert (each.p < 1 - level) == (each.low > 0 or each.high < 0)


@given(two_sets())
def test_swapping_the_sets_mirrors_the_differences(sets):
    for one, other in zip(paired_differences(*sets), paired_differences(*sets[::-1]), strict=True):
        assert (one.difference, one.low, one.high) == pytest.approx((-other.difference, -other.high, -other.low))
        assert one.p == pytest.approx(other.p, rel=1e-6)
