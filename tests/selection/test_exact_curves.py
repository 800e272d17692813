from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.scaling.estimators import pass_at_k
from tasks.selection import Outcomes, Selector, Simulation
from tasks.selection.best import best_of_k
from tasks.selection.best_of import BestOf
from tasks.selection.exact_vote import accuracy, race
from tasks.selection.first_passing import FirstPassing
from tasks.selection.majority import Majority
from tasks.selection.outcomes import NO_ANSWER, Tally
from tasks.selection.vote_among_passing import VoteAmongPassing
from tasks.selection.weighted_vote import WeightedVote

from . import brute_force

# (a selector, the rule by which it picks)
SELECTORS: list[tuple[Selector, brute_force.Rule]] = [
    (Majority(), brute_force.majority),
    (BestOf(score="reward"), brute_force.best("reward")),
    (WeightedVote(score="reward"), brute_force.weighted("reward")),
    *(
        (WeightedVote(score="reward", keep=keep), brute_force.filtered("reward", Fraction(str(keep))))
        for keep in (0.1, 0.4, 0.9)
    ),
    (FirstPassing(), brute_force.first_passing),
    (VoteAmongPassing(), brute_force.majority_of_passing),
]
IDS = [selector.label for selector, _ in SELECTORS]


@st.composite
def problems(draw, largest=9):
    n = draw(st.integers(1, largest))
    column = {
        "answers": st.integers(NO_ANSWER, draw(st.integers(0, 4))),
        "correct": st.booleans(),
        "passed": st.booleans(),
        # Few distinct numbers, so that there are ties, of single scores and of sums.
        "reward": st.sampled_from([-1.0, -0.25, 0.0, 0.5, 1.0, 2.5]),
    }
    drawn = {name: draw(st.lists(values, min_size=n, max_size=n)) for name, values in column.items()}
    return Outcomes(
        "p",
        np.array(drawn["correct"], dtype=bool),
        np.array(drawn["answers"], dtype=np.int64),
        {"reward": np.array(drawn["reward"])},
        np.array(drawn["passed"], dtype=bool),
    )


def simulation(draws: int = 10_000, seed: int = 0) -> Simulation:
    return Simulation(draws, np.random.default_rng(seed))


@pytest.mark.parametrize(("selector", "rule"), SELECTORS, ids=IDS)
@given(problem=problems())
@settings(max_examples=60, deadline=None)
def test_accuracy_is_the_mean_over_all_subsets(selector, rule, problem):
    ks = np.arange(1, problem.n + 1)
    estimate = selector.accuracy(problem, ks, simulation())
    truth = np.array([float(brute_force.expected(rule, problem, k)) for k in ks.tolist()])
    assert estimate.accuracy == pytest.approx(truth, abs=1e-12)
    assert not estimate.error.any()


@pytest.mark.parametrize(("selector", "rule"), SELECTORS, ids=IDS)
@given(problem=problems())
@settings(max_examples=30, deadline=None)
def test_what_is_picked_in_an_order_follows_the_rule(selector, rule, problem):
    orders = np.array([np.random.default_rng(seed).permutation(problem.n) for seed in range(3)])
    ks = np.arange(1, problem.n + 1)
    picked = selector.picked(problem, orders, ks)
    for row, order in zip(picked, orders.tolist(), strict=True):
        truth = [float(rule(problem, order[:k])) for k in ks.tolist()]
        assert row == pytest.approx(truth, abs=1e-12)


@pytest.mark.parametrize("selector", [each for each, _ in SELECTORS], ids=IDS)
@given(problem=problems(largest=20), seed=st.integers(0, 100))
@settings(max_examples=25, deadline=None)
def test_accuracy_does_not_depend_on_the_order_of_the_samples_or_the_names_of_the_answers(selector, problem, seed):
    generator = np.random.default_rng(seed)
    order, names = generator.permutation(problem.n), generator.permutation(10)
    renamed = np.where(problem.answers < 0, NO_ANSWER, names[problem.answers])
    other = Outcomes(
        "p", problem.correct[order], renamed[order], {"reward": problem.scores["reward"][order]}, problem.passed[order]
    )
    ks = np.arange(1, problem.n + 1)
    # So few draws that the weighted vote is simulated.
    one, two = (selector.accuracy(each, ks, simulation(draws=20)) for each in (problem, other))
    assert one.accuracy == pytest.approx(two.accuracy, abs=1e-12)
    assert one.error == pytest.approx(two.error, abs=1e-12)


def exact_majority(votes: list[int], values: list[int], silent: int, k: int) -> Fraction:
    """By polynomials in exact integers: ways to choose k votes in which an answer wins with m votes and t ties."""
    n = sum(votes) + silent
    total = Fraction(0)
    for m in range(1, min(max(votes), k) + 1):
        # ways[t][j], won[t][j]: subsets of j votes with t answers at m, without and with the sum of their values.
        ways = {(0, j): comb(silent, j) for j in range(min(silent, k) + 1)}
        won = dict.fromkeys(ways, 0)
        for count, value in zip(votes, values, strict=True):
            more_ways: dict[tuple[int, int], int] = {}
            more_won: dict[tuple[int, int], int] = {}
            for (t, j), number in ways.items():
                for i in range(min(count, m, k - j) + 1):
                    key = (t + (i == m), j + i)
                    choices = comb(count, i)
                    more_ways[key] = more_ways.get(key, 0) + number * choices
                    gain = value * number if i == m else 0
                    more_won[key] = more_won.get(key, 0) + (won[t, j] + gain) * choices
            ways, won = more_ways, more_won
        total += sum((Fraction(number, t) for (t, j), number in won.items() if t and j == k), Fraction(0))
    return total / comb(n, k)


@pytest.mark.parametrize(
    ("votes", "right", "silent"),
    [
        ([40, 35, 3, 1, 1, 1, 1], 1, 8),
        ([12] * 6, 2, 0),
        ([30, 30, 29], 0, 30),
        ([1] * 40, 7, 3),
        ([60, 1], 1, 90),
        ([5, 4, 3, 2, 1], 4, 0),
    ],
)
def test_majority_of_many_samples_equals_exact_polynomials(votes, right, silent):
    values = [int(answer == right) for answer in range(len(votes))]
    tally = Tally(np.array(votes), np.array(values, dtype=float), silent)
    for k in {1, 2, 3, 5, min(17, tally.n - 1), tally.n // 2, tally.n - 1}:
        assert accuracy(race(tally, k)) == pytest.approx(float(exact_majority(votes, values, silent, k)), abs=1e-12), k


@given(st.integers(1, 400), st.data())
def test_best_of_k_by_correctness_is_pass_at_k(n, data):
    correct = data.draw(st.integers(0, n))
    ks = np.unique([1, data.draw(st.integers(1, n)), n])
    flags = np.arange(n) < correct
    assert best_of_k(flags, flags.astype(float), ks) == pytest.approx(pass_at_k(n, [correct], ks)[0], rel=1e-12)


def test_best_of_k_of_ten_thousand_equals_exact_fractions():
    generator = np.random.default_rng(4)
    n = 10_000
    correct, scores = generator.random(n) < 0.1, generator.integers(0, 40, n).astype(float)
    for k in (1, 3, 100, 5_000, 9_999, 10_000):
        truth, above = Fraction(0), 0
        for score in sorted(set(scores.tolist()), reverse=True):
            group = correct[scores == score]
            ways = comb(n - above, k) - comb(n - above - len(group), k)
            truth += Fraction(ways, comb(n, k)) * Fraction(int(group.sum()), len(group))
            above += len(group)
        assert best_of_k(correct, scores, np.array([k]))[0] == pytest.approx(float(truth), abs=1e-12)


@pytest.mark.parametrize("scores", [[0.1, 0.2, 0.3], [0.1, 0.2, 0.3, 0.3, 0.2, 0.1]])
def test_sums_of_scores_that_differ_only_by_rounding_tie(scores):
    correct = np.arange(len(scores)) < len(scores) // 2 + len(scores) % 2
    problem = Outcomes("p", correct, np.where(correct, 0, 1), {"score": np.array(scores)})
    picked = WeightedVote().picked(problem, np.arange(problem.n)[None, :], np.array([problem.n]))
    assert picked.tolist() == [[0.5]]
    assert WeightedVote().accuracy(problem, np.array([problem.n]), simulation()).accuracy[0] == 0.5


def test_a_share_of_the_samples_is_not_rounded_up_by_floating_point():
    # 0.28 * 25 is a little more than 7. Seven have 72 against 82; the eighth would add 18.
    scores = np.arange(25, 0, -1.0)
    answers = np.array([0, 0, 0, 1, 1, 1, 1] + [0] * 18)
    problem = Outcomes("p", answers == 1, answers, {"score": scores})
    picked = WeightedVote(keep=0.28).picked(problem, np.arange(25)[None, :], np.array([25]))
    assert picked.tolist() == [[1.0]]


def test_without_an_answer_a_vote_delivers_nothing():
    problem = Outcomes("p", np.array([True, False]), np.array([NO_ANSWER, NO_ANSWER]), {"score": np.ones(2)})
    for selector in (Majority(), WeightedVote(), WeightedVote(keep=0.5)):
        assert not selector.accuracy(problem, np.array([1, 2]), simulation()).accuracy.any()
