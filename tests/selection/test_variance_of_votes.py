from itertools import product

import numpy as np
import pytest

from tasks.selection import Outcomes, Simulation
from tasks.selection.curves import pick_curve
from tasks.selection.interval_over_samples import interval_over_samples
from tasks.selection.majority import Majority, vote
from tasks.selection.outcomes import NO_ANSWER, Tally
from tasks.selection.overlap import overlap
from tasks.selection.posterior import Posterior, discount_of, shape_near_zero
from tasks.selection.variance_by_samples import variance_by_samples
from tasks.selection.variance_of_votes import _variance, variance_of_votes
from tasks.selection.vote_among_passing import VoteAmongPassing
from tasks.selection.weighted_vote import WeightedVote

N = 5
KS = np.arange(1, N + 1)


def exact_variance(frequencies: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The variance of the accuracy of a vote among k of N samples, over all samples that could be drawn."""
    chances, accuracies = [], []
    for drawn in product(range(len(frequencies)), repeat=N):
        chances.append(frequencies[list(drawn)].prod())
        votes = np.bincount(drawn, minlength=len(frequencies))
        tally = Tally(votes[votes > 0], values[votes > 0], 0)
        accuracies.append(vote(tally, KS, Simulation(100, np.random.default_rng(0))).accuracy)
    weights, each = np.array(chances), np.array(accuracies)
    return weights @ each**2 - (weights @ each) ** 2


def test_the_variance_of_a_vote_is_that_over_all_samples_that_could_be_drawn():
    frequencies, values = np.array([0.4, 0.35, 0.25]), np.array([1.0, 0.0, 0.0])
    # With a billion votes the posterior has next to no width.
    known = Posterior(frequencies * 1e9, values, 0.0, 0, N)
    found = _variance(known, KS, 40_000, np.random.default_rng(0))
    assert found == pytest.approx(exact_variance(frequencies, values), rel=0.06)


def test_two_subsets_of_k_share_k_squared_over_n_samples_on_average():
    pairs = overlap(20, 6)
    probability = np.diff(pairs.cumulative, prepend=0.0) * pairs.chance
    assert probability @ pairs.shared == pytest.approx(36 / 20)
    assert overlap(20, 1).chance == pytest.approx(1 / 20)
    assert overlap(20, 20).shared.tolist() == [20]


def problem(seed: int, n: int = 40) -> Outcomes:
    generator = np.random.default_rng(seed)
    answers = generator.choice(4, n, p=[0.35, 0.3, 0.2, 0.15])
    return Outcomes(f"p{seed}", answers == 0, answers, {"score": np.ones(n)}, np.ones(n, dtype=np.bool_))


@pytest.mark.parametrize("selector", [WeightedVote(), VoteAmongPassing()], ids=lambda each: each.name)
def test_samples_drawn_again_give_the_variance_that_votes_drawn_again_give(selector):
    problems = [problem(seed) for seed in range(40)]
    ks = np.array([1, 20, 40])
    by_votes = variance_of_votes(Majority(), problems, ks, np.random.default_rng(0))
    by_samples = variance_by_samples(selector, problems, ks, np.random.default_rng(1))
    assert by_samples == pytest.approx(by_votes, rel=0.2)


def symmetric(seed: int) -> list[Outcomes]:
    """Problems with two answers, of rates that are symmetric around 1/2, as is the mean accuracy of a vote."""
    generator = np.random.default_rng(seed)
    problems = []
    for number, rate in enumerate(np.linspace(0.25, 0.75, 8)):
        correct = generator.random(30) < rate
        problems.append(
            Outcomes(f"p{number}", correct, (~correct).astype(np.int64), {"score": generator.uniform(0.5, 1, 30)})
        )
    return problems


@pytest.mark.parametrize("selector", [Majority(), WeightedVote()], ids=lambda each: each.name)
def test_the_interval_of_a_vote_holds_the_truth_also_at_n(selector):
    ks, repetitions = np.array([1, 15, 30]), 60
    held = np.zeros(len(ks))
    for seed in range(repetitions):
        problems = symmetric(seed)
        band = interval_over_samples(selector, problems, pick_curve(selector, problems, ks, error=0.01))
        held += (band.low <= 0.5) & (band.high >= 0.5)
    assert (held / repetitions >= 0.85).all()  # 0.92, less two standard errors


@pytest.mark.parametrize("selector", [Majority(), WeightedVote()], ids=lambda each: each.name)
def test_the_interval_of_a_vote_has_width_where_all_samples_agree(selector):
    agreed = [Outcomes(str(i), np.ones(8, dtype=np.bool_), np.zeros(8, int), {"score": np.ones(8)}) for i in range(9)]
    band = interval_over_samples(selector, agreed, pick_curve(selector, agreed, [8]))
    assert band.low[0] < 0.99
    wrong = [Outcomes(str(i), np.zeros(8, dtype=np.bool_), np.zeros(8, int), {"score": np.ones(8)}) for i in range(9)]
    band = interval_over_samples(selector, wrong, pick_curve(selector, wrong, [8]))
    assert band.high[0] > 0.01


def test_answers_that_occur_once_make_room_for_unseen_ones_and_a_correct_one_is_always_possible():
    tally = Tally(np.array([5, 2, 1, 1, 1]), np.zeros(5), 2)
    assert discount_of(tally) == pytest.approx(3 / 5)
    posterior = Posterior.of(tally, 0.3)
    assert posterior.votes == pytest.approx([4.4, 1.4, 0.4, 0.4, 0.4, 0.3])
    assert posterior.values.tolist() == [0, 0, 0, 0, 0, 1]
    assert posterior.unseen == pytest.approx(3.0)
    assert posterior.n == 12
    assert discount_of(Tally(np.array([5, 3]), np.array([1.0, 0.0]), 0)) == 0


def test_the_shape_near_zero_compares_problems_with_one_success_to_those_with_none():
    assert shape_near_zero(np.array([0.0, 0, 0, 1, 1, 7])) == pytest.approx(2.5 / 4)
    assert shape_near_zero(np.array([9.0, 8])) == pytest.approx(0.5)
    assert shape_near_zero(np.zeros(500)) == 0.02


def test_votes_that_win_by_occurring_twice_are_not_overrated_among_answers_that_occur_once():
    # A bootstrap would draw some wrong answer twice in nearly all of its resamples, and the correct one loses.
    answers = np.append(np.arange(1, 29), [0, 0])
    alone = [Outcomes("p", answers == 0, answers)]
    variance = variance_of_votes(Majority(), alone, np.array([30]), np.random.default_rng(0))[0]
    generator = np.random.default_rng(1)
    resampled = [
        pick_curve(Majority(), [alone[0].at(generator.integers(0, 30, 30))], [30]).accuracy[0] for _ in range(200)
    ]
    assert np.mean(resampled) < 0.5
    assert 0.1 < variance < 0.25


def test_samples_without_an_answer_are_drawn_without_one():
    silent = Outcomes("p", np.zeros(10, dtype=np.bool_), np.full(10, NO_ANSWER), {"score": np.ones(10)})
    for found in (
        variance_of_votes(Majority(), [silent], np.array([1, 10]), np.random.default_rng(0)),
        variance_by_samples(WeightedVote(), [silent], np.array([1, 10]), np.random.default_rng(0)),
    ):
        assert np.isfinite(found).all()


def test_votes_with_thousands_of_answers_are_drawn_a_few_at_a_time(monkeypatch):
    """Of 2,000 samples with 2,000 answers, all draws together would be 20 million votes."""
    from tasks.selection import variance_of_votes as module
    from tasks.selection.forecast_of_votes import forecast_of_votes

    answers = np.arange(2_000)
    alone = Outcomes("p", answers == 0, answers, {}, None)
    largest: list[int] = []
    draws = module.frequencies_of

    def counted(posterior, size, generator):
        found = draws(posterior, size, generator)
        largest.append(found.size)
        return found

    for each in ("tasks.selection.variance_of_votes", "tasks.selection.forecast_of_votes"):
        monkeypatch.setattr(f"{each}.frequencies_of", counted)
    monkeypatch.setattr(module, "_DRAWS", 1_500)
    monkeypatch.setattr("tasks.selection.forecast_of_votes._DRAWS", 1_500)
    ks, generator = np.array([2]), np.random.default_rng(0)
    assert variance_of_votes(Majority(), [alone], ks, generator)[0] >= 0
    expected, variance = forecast_of_votes(Majority(), [alone], np.array([2_500]), generator)
    assert max(largest) <= 1 << 20
    assert len(largest) >= 4
    assert 0 <= expected[0] <= 0.1
    assert variance[0] >= 0


def test_what_a_vote_varies_by_does_not_depend_on_how_many_draws_are_made_at_a_time(monkeypatch):
    each = problem(0)
    whole = variance_of_votes(Majority(), [each], np.array([5, 20]), np.random.default_rng(0))
    monkeypatch.setattr("tasks.selection.variance_of_votes._TOGETHER", 5_000)
    in_parts = variance_of_votes(Majority(), [each], np.array([5, 20]), np.random.default_rng(1))
    assert in_parts == pytest.approx(whole, rel=0.2)
