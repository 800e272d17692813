"""With many problems, each gets less work: counted in calls of the exact formula, and in orders drawn."""

import numpy as np
import pytest

from tasks.selection import Outcomes, Simulation, exact_vote, interval_over_samples, majority, simulation
from tasks.selection.curves import pick_curve
from tasks.selection.majority import Majority
from tasks.selection.weighted_vote import WeightedVote

KS = np.array([1, 3, 10, 20, 30])
MANY, ERROR = 40, 0.008


@pytest.fixture(autouse=True)
def fewer_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "MANY_PROBLEMS", MANY)


def drawn(problems: int, n: int, seed: int = 0) -> list[Outcomes]:
    """Problems of every difficulty, with a few frequent wrong answers."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(problems):
        right = generator.random(n) < generator.beta(0.5, 1.0)
        answers = np.where(right, 0, generator.integers(1, 5, n))
        found.append(Outcomes(str(number), right, answers, {"score": generator.gamma(2.0 + right)}))
    return found


@pytest.fixture
def exact_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The k of every vote that is computed exactly from now on."""
    called: list[int] = []

    def counted(race):
        called.append(race.k)
        return exact_vote.accuracy(race)

    monkeypatch.setattr(majority, "accuracy", counted)
    majority._exact.cache_clear()
    return called


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of orders of every batch that is drawn from now on."""
    called: list[int] = []
    permutations = Simulation._permutations

    def counted(self, size, n):
        called.append(size)
        return permutations(self, size, n)

    monkeypatch.setattr(Simulation, "_permutations", counted)
    return called


def test_a_vote_of_few_problems_is_exact(exact_calls, draws):
    curve = pick_curve(Majority(), drawn(MANY, 30)[:8], KS)
    assert not curve.error.any()
    assert exact_calls
    assert not draws


def test_votes_of_many_problems_are_simulated_with_few_draws_within_the_stated_error(exact_calls, draws):
    problems = drawn(2 * MANY, 30)
    exact = np.mean([pick_curve(Majority(), [each], KS).accuracy for each in problems], axis=0)
    exact_calls.clear()
    curve = pick_curve(Majority(), problems, KS, error=ERROR)
    assert not exact_calls
    # What keeps the error of the mean, and no more: fewer than the 100 of each that few problems have anyway.
    assert sum(draws) <= len(problems) * (0.25 / (len(problems) * ERROR**2) + 3)
    assert curve.error.max() <= ERROR
    assert (np.abs(curve.accuracy - exact) <= 4 * curve.error + 1e-12).all()
    assert (curve.error[:-1] > 0).all()


def test_the_more_problems_the_fewer_draws(draws):
    for selector in (Majority(), WeightedVote()):
        totals = []
        for problems in (drawn(60, 30), drawn(120, 30)):
            draws.clear()
            pick_curve(selector, problems, KS, error=ERROR)
            totals.append(sum(draws))
        assert totals[1] < 1.2 * totals[0]


def test_votes_of_many_problems_with_few_samples_are_exact_and_each_tally_is_computed_once(exact_calls, draws):
    problems = drawn(8 * MANY, 6)
    ks = np.arange(1, 7)
    curve = pick_curve(Majority(), problems, ks)
    assert not curve.error.any()
    assert not draws
    tallies = {tuple(sorted(zip(*(each.tolist() for each in one.tally()[:2]), strict=True))) for one in problems}
    assert len(exact_calls) <= 5 * len(tallies)
    assert len(tallies) < len(problems) / 4


@pytest.mark.parametrize("selector", [Majority(), WeightedVote()], ids=lambda each: each.name)
def test_the_interval_over_samples_of_many_problems_is_that_of_some_of_them(selector, monkeypatch):
    problems = drawn(100, 20)
    curve = pick_curve(selector, problems, KS[:4])
    whole = interval_over_samples.interval_over_samples(selector, problems, curve)
    looked_at = []
    voters = vars(Outcomes)["voters"].func

    def counted(self):
        looked_at.append(self.problem_id)
        return voters(self)

    monkeypatch.setattr(Outcomes, "voters", property(counted))
    monkeypatch.setattr(interval_over_samples, "_MAX_PROBLEMS", 50)
    some = interval_over_samples.interval_over_samples(selector, problems, curve)
    assert len(set(looked_at)) == 50
    widths = (whole.high - whole.low)[:-1], (some.high - some.low)[:-1]
    assert widths[1] == pytest.approx(widths[0], rel=0.5)
