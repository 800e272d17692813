import numpy as np
import pytest

from tasks.selection import Outcomes, Simulation, majority
from tasks.selection.exact_vote import accuracy, race
from tasks.selection.majority import Majority
from tasks.selection.outcomes import Tally
from tasks.selection.simulation import ERROR, mean_and_error
from tasks.selection.weighted_vote import WeightedVote

TALLY = Tally(np.array([30, 27, 25, 4, 1]), np.array([0.0, 1.0, 0.5, 1.0, 0.0]), 13)
KS = np.array([2, 10, 50, 90])
WAYS = [majority._by_orders, majority._by_numbers]


def problem(n: int = 60, seed: int = 0) -> Outcomes:
    generator = np.random.default_rng(seed)
    answers = generator.choice(4, n, p=[0.35, 0.3, 0.3, 0.05])
    correct = answers == 1
    return Outcomes("p", correct, answers, {"score": generator.exponential(1 + 0.2 * correct)})


@pytest.mark.parametrize("simulated", WAYS)
def test_a_simulated_majority_vote_is_within_its_error_of_the_exact_one(simulated):
    values = simulated(TALLY, KS, Simulation(4_000, np.random.default_rng(1)))
    mean, error = mean_and_error(values)
    exact = [accuracy(race(TALLY, k)) for k in KS.tolist()]
    assert (np.abs(mean - exact) < 4 * error).all()
    assert (error > 0).all()


@pytest.mark.parametrize("simulated", WAYS)
def test_the_stated_error_of_a_simulated_vote_is_the_spread_of_repetitions(simulated):
    means, errors = zip(
        *(mean_and_error(simulated(TALLY, KS, Simulation(200, np.random.default_rng(seed)))) for seed in range(300)),
        strict=True,
    )
    spread = np.std(means, axis=0, ddof=1)
    # 300 repetitions know their spread to 4 %.
    assert np.mean(errors, axis=0) == pytest.approx(spread, rel=0.16)


@pytest.mark.parametrize("selector", [WeightedVote(), WeightedVote(keep=0.3)])
def test_the_stated_error_of_a_weighted_vote_is_the_spread_of_repetitions(selector):
    ks = np.array([3, 20, 50])
    estimates = [selector.accuracy(problem(), ks, Simulation(150, np.random.default_rng(seed))) for seed in range(300)]
    spread = np.std([each.accuracy for each in estimates], axis=0, ddof=1)
    assert np.mean([each.error for each in estimates], axis=0) == pytest.approx(spread, rel=0.16)


def test_a_simulation_in_two_stages_is_unbiased_and_states_the_spread_of_repetitions():
    """What occurs in 1 of 100 draws: the first stage often does not see it, and then asks for fewer draws."""
    each, ks = problem(100), np.array([40])

    def first_is_0(problem: Outcomes, orders: np.ndarray, ks: np.ndarray) -> np.ndarray:
        return np.repeat(orders[:, :1] == 0, len(ks), axis=1).astype(float)

    drawn = [Simulation(8_000, np.random.default_rng(seed)).estimate(first_is_0, each, ks) for seed in range(800)]
    means, errors = (np.array(column)[:, 0] for column in zip(*drawn, strict=True))
    assert abs(means.mean() - 0.01) < 4 * means.std(ddof=1) / np.sqrt(len(drawn))
    # Where the event does not occur, the error is that of two more draws, and too large rather than 0.
    assert 1 < np.sqrt((errors**2).mean()) / means.std(ddof=1) < 1.3
    # Fewer draws than 8,000 do, because the variance is below the largest.
    assert means.std(ddof=1) < np.sqrt(0.25 / 8_000)
    assert errors.max() < 1.4 * np.sqrt(0.25 / 8_000)


def test_the_less_the_draws_differ_the_fewer_there_are():
    """What varies most, a vote of few samples, has as many draws as allowed, of which it needs only the beginning."""
    answers = np.repeat([0, 1], [3_500, 1_500])
    each = Outcomes("p", answers == 1, answers, {"score": np.full(5_000, 0.1)})
    looked_at: list[tuple[int, int]] = []

    def picked(problem: Outcomes, orders: np.ndarray, ks: np.ndarray) -> np.ndarray:
        looked_at.append(orders.shape)
        return WeightedVote().picked(problem, orders, ks)

    ks = np.array([3, 30, 4_000])
    estimate = Simulation(5_000, np.random.default_rng(0)).estimate(picked, each, ks)
    assert sum(draws for draws, _ in looked_at) > 4_000
    assert sum(draws * length for draws, length in looked_at) < 5_000 * 1_000
    assert (np.sqrt(0.25 / 5_000) > estimate.error).all()


def test_a_weighted_vote_by_equal_weights_is_the_majority_vote():
    ks = np.array([1, 3, 20, 50, 60])
    each = problem()
    equal = Outcomes("p", each.correct, each.answers, {"score": np.full(each.n, 0.1)})
    weighted = WeightedVote().accuracy(equal, ks, Simulation(4_000, np.random.default_rng(2)))
    exact = Majority().accuracy(equal, ks, Simulation(10**6, np.random.default_rng(2)))
    assert not exact.error.any()
    assert (np.abs(weighted.accuracy - exact.accuracy) <= 4 * weighted.error + 1e-12).all()
    assert weighted.error[[0, 4]].tolist() == [0, 0]


def test_where_all_draws_agree_the_error_is_small_but_not_0():
    mean, error = mean_and_error(np.ones((400, 1)))
    assert mean[0] == 1
    assert 0 < error[0] < 0.003


@pytest.mark.parametrize("problems", [1, 128, 512, 5_000, 10_000, 100_000])
def test_the_error_of_the_mean_over_problems_stays_below_the_one_asked_for(problems):
    draws = Simulation.of(problems, 0, 0).draws // 2 * 2
    halves = np.repeat([[0.0], [1.0]], draws // 2, axis=0)
    assert mean_and_error(halves)[1][0] / np.sqrt(problems) <= ERROR


def test_orders_are_permutations_and_each_is_as_likely():
    simulation = Simulation(24_000, np.random.default_rng(3))
    orders = np.concatenate(list(simulation.orders(4)))
    assert (np.sort(orders, axis=1) == np.arange(4)).all()
    _, times = np.unique(orders, axis=0, return_counts=True)
    assert len(times) == 24
    assert ((times - 1_000) ** 2 / 1_000).sum() < 50  # the .999 quantile of chi-squared with 23 degrees is 49.7


def test_the_beginnings_of_orders_are_those_of_whole_ones():
    whole, short = (
        np.concatenate(list(Simulation(300, np.random.default_rng(4)).orders(50, length=length)))
        for length in (None, 7)
    )
    assert (whole[:, :7] == short).all()
