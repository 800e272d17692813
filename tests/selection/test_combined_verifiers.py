"""Several weak verifiers as one, fitted on some problems and measured on others."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.special import expit

from tasks.errors import UserError
from tasks.selection.combined_verifiers import Signals, combine, fit
from tasks.selection.verifier_summary import summarise_verifiers


def weak(problems: int, n: int, seed: int = 0, errors: Sequence[float] = (0.2, 0.3, 0.35)) -> list[Signals]:
    """Verifiers that err independently at these rates, and a score with noise."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(problems):
        correct = generator.random(n) < generator.beta(1, 1.5)
        verdicts = {f"v{i}": correct ^ (generator.random(n) < error) for i, error in enumerate(errors)}
        score = correct + generator.normal(0, 1.5, n)
        found.append(Signals(f"p{number}", correct, verdicts, {"reward": score}))
    return found


def test_fitted_weights_are_those_of_the_law_that_made_the_data() -> None:
    generator = np.random.default_rng(1)
    problems = []
    for number in range(400):
        verdict, score = generator.random(50) < 0.5, generator.normal(3, 2, 50)
        correct = generator.random(50) < expit(-2 + 1.5 * verdict + 0.5 * score)
        problems.append(Signals(str(number), correct, {"a": verdict}, {"b": score}))
    weights = fit(problems, ["a", "b"])
    assert [weights.intercept, weights.of["a"], weights.of["b"]] == pytest.approx([-2, 1.5, 0.5], abs=0.12)


def test_the_combination_beats_each_verifier_on_problems_it_has_not_seen() -> None:
    problems = weak(60, 20)
    found = combine(problems, 20)
    assert [each.label for each in found.alone] == ["v0", "v1", "v2", "reward"]
    for each in found.alone:
        assert each.behind is not None
        assert each.behind.low is not None
        assert each.behind.low > 0, each.label
        assert each.behind.value == pytest.approx(found.combination.accuracy - each.accuracy)
    assert found.combination.rates.precision is not None
    assert found.combination.rates.precision.value > 0.8
    unseen = weak(200, 20, seed=9)
    there = combine(unseen, 20).combination.accuracy
    assert found.combination.accuracy == pytest.approx(there, abs=0.08)


def test_verifiers_that_know_nothing_look_no_better_than_chance_when_held_out() -> None:
    seen, held_out = [], []
    for seed in range(6):
        generator = np.random.default_rng(seed)
        problems = [
            Signals(str(i), generator.random(6) < 0.5, {f"v{j}": generator.random(6) < 0.5 for j in range(8)}, {})
            for i in range(20)
        ]
        weights = fit(problems, list(problems[0].verdicts))
        seen.append(np.mean([each.correct[weights.log_odds(each).argmax()] for each in problems]))
        held_out.append(combine(problems, 6).combination.accuracy)
    assert np.mean(held_out) == pytest.approx(0.5, abs=0.1)
    assert np.mean(seen) > np.mean(held_out) + 0.1, "on its own problems the fit looks better than it is"


def test_a_perfect_or_a_constant_verifier_keeps_the_weights_finite() -> None:
    problems = [
        Signals(each.problem_id, each.correct, {"perfect": each.correct, "yes": np.ones(8, dtype=bool)}, {})
        for each in weak(10, 8)
    ]
    found = combine(problems, 8)
    assert found.weights.of["yes"] == 0
    assert 1 < found.weights.of["perfect"] < 100
    assert found.combination.rates.precision is not None
    assert found.combination.rates.precision.value == 1


def test_what_cannot_be_combined_is_said_in_one_line() -> None:
    problems = weak(10, 5)
    with pytest.raises(UserError, match=r"at least 5 problems .* there are 3"):
        combine(problems[:3], 5)
    alone = [Signals(each.problem_id, each.correct, {"v0": each.verdicts["v0"]}, {}) for each in problems]
    with pytest.raises(UserError, match=r"only one verifier to combine \(v0\)"):
        combine(alone, 5)
    wrong = [Signals(each.problem_id, each.correct & False, each.verdicts, each.scores) for each in problems]
    with pytest.raises(UserError, match="all samples are wrong"):
        combine(wrong, 5)


def test_a_summary_has_every_verdict_and_adds_up() -> None:
    found = summarise_verifiers("truth", weak(12, 10), penalty=0.5, combined=True)
    assert [each.label for each in found.verifiers] == ["v0", "v1", "v2"]
    for each in found.verifiers:
        for point in (*each.table, *each.curve):
            assert point.right + point.wrong + point.nothing == pytest.approx(1)
            assert point.gain == pytest.approx(point.right - 0.5 * point.wrong)
            assert point.right <= point.coverage + 1e-12
    assert found.combined is not None


@pytest.mark.parametrize("constant", [0.1, 1 / 3, -1e6, 1e-12])
def test_a_constant_score_has_no_weight(constant: float) -> None:
    generator = np.random.default_rng(0)
    problems = []
    for number in range(7):
        correct = generator.random(9 + number) < 0.4
        scores = np.full(len(correct), constant)
        problems.append(
            Signals(str(number), correct, {"v": correct ^ (generator.random(len(correct)) < 0.2)}, {"s": scores})
        )
    weights = fit(problems, ["v", "s"])
    assert weights.of["s"] == 0
