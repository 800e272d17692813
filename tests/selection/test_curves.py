import numpy as np
import pytest

from tasks.errors import UserError
from tasks.scaling.estimators import Counts, log_spaced_ks
from tasks.scaling.interval_over_problems import interval_of_mean
from tasks.selection import Outcomes
from tasks.selection.best_of import BestOf
from tasks.selection.curves import pick_curve, plateau
from tasks.selection.first_passing import FirstPassing
from tasks.selection.interval_over_samples import interval_over_samples
from tasks.selection.limits import likeness, modal_ceiling
from tasks.selection.majority import Majority
from tasks.selection.outcomes import NO_ANSWER


def drawn(rates: np.ndarray, n: int, seed: int) -> list[Outcomes]:
    """Problems whose samples are right at these rates; the wrong ones have one of three answers."""
    generator = np.random.default_rng(seed)
    problems = []
    for number, rate in enumerate(rates.tolist()):
        correct = generator.random(n) < rate
        answers = np.where(correct, 0, generator.choice([1, 2, 3], n, p=[0.6, 0.3, 0.1]))
        problems.append(Outcomes(f"p{number}", correct, answers, {"score": generator.normal(correct * 1.0)}))
    return problems


RATES = np.linspace(0.02, 0.8, 20)


def test_the_curve_is_the_mean_over_problems_and_ends_at_the_smallest_n():
    problems = [*drawn(RATES[:5], 12, 0), *drawn(RATES[5:9], 30, 1)]
    curve = pick_curve(Majority(), problems, [12, 1, 13])
    assert curve.reach == 12
    assert curve.accuracy[1] == pytest.approx(np.mean([each.correct.mean() for each in problems]))
    assert np.isnan(curve.accuracy[2])
    alone = [pick_curve(Majority(), [each], [12]).accuracy[0] for each in problems]
    assert curve.accuracy[0] == pytest.approx(np.mean(alone))


def test_what_a_selector_needs_and_problems_lack_is_one_line():
    problems = drawn(RATES[:2], 5, 0)
    with pytest.raises(UserError, match=r"best of k by reward needs the score 'reward', which 2 of 2 problems lack"):
        pick_curve(BestOf(score="reward"), problems, [1])
    with pytest.raises(UserError, match=r"needs whether each sample passed the public tests"):
        pick_curve(FirstPassing(), problems, [1])
    with pytest.raises(UserError, match=r"majority needs the samples' answers"):
        pick_curve(Majority(), [Outcomes("p", np.array([True]))], [1])
    with pytest.raises(UserError, match=r"no problems"):
        pick_curve(Majority(), [], [1])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_a_finite_number_is_refused(value):
    with pytest.raises(UserError, match=r"problem 'p': reward of the sample at position 1 is .*must be finite"):
        Outcomes("p", np.array([True, False]), None, {"reward": np.array([1.0, value])})


def test_another_number_of_scores_than_samples_is_refused():
    with pytest.raises(UserError, match=r"2 samples, but 1 values of reward"):
        Outcomes("p", np.array([True, False]), None, {"reward": np.array([1.0])})


@pytest.mark.parametrize("selector", [BestOf(), pytest.param(Majority(), marks=pytest.mark.slow)])
def test_the_interval_over_samples_holds_the_mean_of_repetitions(selector):
    ks, n = np.array([1, 5, 20]), 20
    repetitions = [pick_curve(selector, drawn(RATES, n, seed), ks) for seed in range(60)]
    truth = np.mean([each.accuracy for each in repetitions], axis=0)
    held = np.zeros(3)
    for seed, curve in enumerate(repetitions):
        band = interval_over_samples(selector, drawn(RATES, n, seed), curve)
        held += (band.low <= truth) & (truth <= band.high)
    assert (held / 60 >= 0.85).all()  # .95 less three standard errors of 60 repetitions


def test_the_interval_of_a_mean_is_that_of_coverage_with_the_added_problem_solved():
    values = np.array([[0.2], [0.9], [0.4], [1.0]])
    band = interval_of_mean(values)
    assert band.low[0] < 0.625 < band.high[0] < 1
    assert np.isnan(interval_of_mean(values[:1]).low[0])


def test_the_plateau_is_where_no_larger_k_gains_more_than_a_point():
    problems = drawn(RATES, 200, 3)
    curve = pick_curve(Majority(), problems, log_spaced_ks(200, 20))
    found = plateau(curve)
    assert found.k is not None
    later = curve.accuracy[curve.ks >= found.k]
    assert later.max() - later[0] <= 0.01
    before = curve.accuracy[curve.ks < found.k]
    assert (before < later.max() - 0.01).all()
    assert found.low is not None
    assert found.low <= found.k <= (found.high or 200)


def test_a_curve_that_still_rises_has_no_plateau():
    problems = drawn(np.full(10, 0.05), 40, 4)
    assert plateau(pick_curve(FirstPassing(), [_passing(each) for each in problems], log_spaced_ks(40))).k is None


def _passing(problem: Outcomes) -> Outcomes:
    return Outcomes(problem.problem_id, problem.correct, None, {}, problem.correct)


def test_the_modal_ceiling_is_the_share_of_problems_whose_modal_answer_is_right():
    right = Outcomes("a", np.array([True, True, False]), np.array([5, 5, 2]))
    wrong = Outcomes("b", np.array([True, False, False]), np.array([0, 1, 1]))
    tie = Outcomes("c", np.array([True, False]), np.array([0, 1]))
    silent = Outcomes("d", np.array([False]), np.array([NO_ANSWER]))
    ceiling = modal_ceiling([right, wrong, tie, silent])
    assert ceiling.value == pytest.approx(1.5 / 4)
    assert (ceiling.low or 0) < ceiling.value < (ceiling.high or 1)


def test_the_ceiling_is_what_majority_vote_tends_to():
    problems = drawn(np.array([0.55, 0.2, 0.7]), 4_000, 5)
    assert pick_curve(Majority(), problems, [2_000]).accuracy[0] == pytest.approx(
        modal_ceiling(problems).value, abs=0.01
    )


def test_the_correlation_of_independent_samples_of_equal_problems_is_0_and_of_certain_ones_1():
    generator = np.random.default_rng(6)
    alike = likeness(Counts.of([str(i) for i in range(200)], 50, generator.binomial(50, 0.3, 200)))
    assert alike is not None
    assert alike.correlation.value == pytest.approx(0, abs=0.02)
    assert alike.effective.value > 25
    certain = likeness(Counts.of(["a", "b", "c", "d"], 50, [50, 0, 0, 50]))
    assert certain is not None
    assert certain.correlation.value == 1
    assert certain.effective.value == pytest.approx(1)
    assert likeness(Counts.of(["a", "b"], 5, [0, 0])) is None
    assert likeness(Counts.of(["a"], 5, [1])) is None


def test_the_correlation_is_estimated_without_bias():
    generator = np.random.default_rng(7)
    # Rates from beta(1, 3) have correlation 1 / (1 + 1 + 3).
    values = []
    for _ in range(200):
        counts = Counts.of([str(i) for i in range(60)], 10, generator.binomial(10, generator.beta(1, 3, 60)))
        found = likeness(counts, resamples=10)
        values.append(found.correlation.value if found else 0)
    assert np.mean(values) == pytest.approx(0.2, abs=0.015)
