import numpy as np
import pytest

from tasks.selection import Outcomes
from tasks.selection.best import best_of_k, chances_of_best
from tasks.selection.best_of import BestOf
from tasks.selection.curves import pick_curve
from tasks.selection.first_passing import FirstPassing
from tasks.selection.interval_over_samples import interval_over_samples

N, PROBLEMS = 30, 20
KS = np.array([1, 15, N])


def drawn(seed: int) -> list[Outcomes]:
    """Problems of different rates, with scores and public tests that say nothing, so that every pick is right at these
    rates."""
    generator = np.random.default_rng(seed)
    return [
        Outcomes(
            f"p{number}",
            generator.random(N) < rate,
            scores={"score": generator.standard_normal(N)},
            passed=generator.random(N) < 0.1,
        )
        for number, rate in enumerate(np.linspace(0.05, 0.95, PROBLEMS))
    ]


@pytest.mark.parametrize("selector", [BestOf(), FirstPassing()], ids=lambda each: each.name)
def test_the_interval_holds_the_truth_also_at_n_where_one_sample_decides(selector):
    held, repetitions = np.zeros(len(KS)), 100
    for seed in range(repetitions):
        problems = drawn(seed)
        band = interval_over_samples(selector, problems, pick_curve(selector, problems, KS))
        held += (band.low <= 0.5) & (band.high >= 0.5)
    assert (held / repetitions >= 0.87).all()  # 0.92, less two standard errors


def test_the_interval_has_width_where_the_best_samples_of_every_problem_agree():
    scores = np.arange(N, dtype=np.float64)
    problems = [Outcomes(str(number), scores >= N - 8, scores={"score": scores}) for number in range(10)]
    band = interval_over_samples(BestOf(), problems, pick_curve(BestOf(), problems, [N]))
    assert band.low[0] < 0.99


def test_the_interval_is_wider_at_n_than_in_the_middle():
    band = interval_over_samples(BestOf(), drawn(0), pick_curve(BestOf(), drawn(0), KS))
    assert (np.diff(band.high - band.low) > 0).all()


def test_the_chances_that_samples_are_picked_give_the_accuracy_and_ties_share_them():
    generator = np.random.default_rng(1)
    scores, correct = generator.integers(0, 5, 12).astype(np.float64), generator.random(12) < 0.5
    ks = np.arange(1, 13)
    chances = chances_of_best(scores, ks)
    assert chances.sum(axis=1) == pytest.approx(1)
    assert chances @ correct == pytest.approx(best_of_k(correct, scores, ks))
    best = scores == scores.max()
    assert chances[-1] == pytest.approx(best / best.sum())
