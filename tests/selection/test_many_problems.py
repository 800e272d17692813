"""With many problems, each gets less work: counted in calls of the exact formula, and in orders drawn."""

import numpy as np
import pytest

from tasks.selection import Outcomes, Simulation, exact_vote, interval_over_samples, majority, simulation
from tasks.selection.best_of import BestOf
from tasks.selection.curves import pick_curve
from tasks.selection.majority import Majority
from tasks.selection.many_problems import Rows, in_rows
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

    def counted(self, size, n, length):
        called.append(size)
        return permutations(self, size, n, length)

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


def hard_to_tell(problems: int, n: int, seed: int = 0) -> list[Outcomes]:
    """Problems with few answers, samples without one, scores that tie, and negative ones."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(problems):
        answers = generator.integers(-1, 3, n)
        found.append(
            Outcomes(str(number), answers == 1, answers, {"score": generator.integers(-1, 3, n).astype(float)})
        )
    return found


@pytest.mark.parametrize("n", [1, 2, 7])
def test_the_best_of_many_problems_is_that_of_each(n):
    problems, ks = hard_to_tell(MANY + 1, n), np.arange(1, n + 1)
    curve = pick_curve(BestOf(), problems, ks)
    alone = [pick_curve(BestOf(), [each], ks).accuracy for each in problems]
    assert np.abs(curve.each - alone).max() < 1e-12


@pytest.mark.parametrize("weight", ["score", "exp"])
def test_a_weighted_vote_of_many_problems_is_that_of_each_within_the_stated_error(weight):
    problems, ks, selector = hard_to_tell(MANY + 1, 6), np.arange(1, 7), WeightedVote(weight=weight)
    curve = pick_curve(selector, problems, ks, error=0.004)
    alone = [pick_curve(selector, [each], ks) for each in problems]
    assert not any(each.error.any() for each in alone)
    exact = np.array([each.accuracy for each in alone])
    assert np.abs(curve.each - exact)[:, [0, -1]].max() < 1e-12
    assert not curve.error[[0, -1]].any()
    assert (np.abs(curve.accuracy - exact.mean(axis=0)) <= 4 * curve.error + 1e-12).all()
    assert 0 < curve.error.max() <= 0.004


def test_the_stated_errors_of_weighted_votes_of_many_problems_are_the_spread_of_repetitions():
    rows, ks = Rows.of(hard_to_tell(30, 8)), np.array([2, 4, 6])
    estimates = [
        WeightedVote().accuracies(rows, ks, Simulation(100, np.random.default_rng(seed))) for seed in range(200)
    ]
    accuracies, errors = (np.array(column) for column in zip(*estimates, strict=True))
    spread = accuracies.std(axis=0, ddof=1)
    assert np.sqrt((errors.mean(axis=0) ** 2).mean(axis=0)) == pytest.approx(np.sqrt((spread**2).mean(axis=0)), rel=0.1)


def test_what_many_problems_give_does_not_depend_on_the_order_of_their_samples():
    problems = hard_to_tell(MANY + 1, 7)
    generator = np.random.default_rng(1)
    shuffled = [each.at(generator.permutation(each.n)) for each in problems]
    one, other = (pick_curve(WeightedVote(), each, np.arange(1, 8)).each for each in (problems, shuffled))
    assert np.abs(one - other).max() < 1e-12


def test_problems_with_different_numbers_of_samples_each_keep_their_row():
    problems = [each for n in (5, 3, 5, 4) for each in hard_to_tell(MANY, n, n)]
    found = {at: row for positions, rows in in_rows(problems) for at, row in zip(positions, rows.correct, strict=True)}
    assert all((found[at] == each.correct).all() for at, each in enumerate(problems))
    curve = pick_curve(BestOf(), problems, [2])
    assert curve.each[:, 0] == pytest.approx([pick_curve(BestOf(), [each], [2]).accuracy[0] for each in problems])
