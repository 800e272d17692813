"""The choice of tokens compared with exact probabilities, and its independence of the batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.engines.in_process.sampling import choose, uniforms

PROBABILITIES = np.array([0.1, 0.45, 0.05, 0.4])
LOGITS = np.log(PROBABILITIES)[None].astype(np.float32)
EVENLY = (np.arange(10_000) + 0.5) / 10_000
GOLDEN = (
    [0.5033148066907105, 0.5631283688321098, 0.48007759451632814],
    [0.2954007375898212, 0.6438179063513685, 0.8001244985864917],
)


def _frequencies(temperature: float, top_p: float) -> np.ndarray:
    choice = choose(np.repeat(LOGITS, len(EVENLY), axis=0), temperature, top_p, EVENLY)
    return np.bincount(choice.tokens, minlength=4) / len(EVENLY)


def test_each_token_is_chosen_with_its_probability():
    assert _frequencies(1.0, 1.0) == pytest.approx(PROBABILITIES, abs=2e-4)


def test_temperature_raises_probabilities_to_its_reciprocal():
    sharpened = PROBABILITIES ** (1 / 0.6)
    assert _frequencies(0.6, 1.0) == pytest.approx(sharpened / sharpened.sum(), abs=2e-4)


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.3, [1]), (0.45, [1]), (0.46, [1, 3]), (0.86, [0, 1, 3]), (0.95, [0, 1, 3])]
)
def test_top_p_keeps_the_smallest_set_of_likeliest_tokens_that_reaches_it(top_p, kept):
    frequencies = _frequencies(1.0, top_p)
    expected = np.zeros(4)
    expected[kept] = PROBABILITIES[kept] / PROBABILITIES[kept].sum()
    assert frequencies == pytest.approx(expected, abs=3e-4)


def test_top_p_applies_to_probabilities_after_temperature():
    # At temperature 0.5, probabilities are squared: .45**2 / sum is .55, so one token reaches .5, but not .6.
    assert _frequencies(0.5, 0.5)[1] == 1
    assert _frequencies(0.5, 0.6)[1] < 1


def test_temperature_zero_takes_the_first_of_the_likeliest_tokens():
    choice = choose(np.array([[1.0, 3.0, 3.0], [0.0, -1.0, -2.0]]), 0, 1, np.array([0.9, 0.9]))
    assert choice.tokens.tolist() == [1, 0]


@pytest.mark.parametrize("temperature", [0, 0.6, 1.0])
def test_log_probabilities_are_those_at_temperature_one(temperature):
    choice = choose(np.repeat(LOGITS, 50, axis=0), temperature, 0.9, EVENLY[::200])
    assert choice.logprobs == pytest.approx(np.log(PROBABILITIES)[choice.tokens], abs=1e-6)


@pytest.mark.parametrize("u", [0.0, 1 - 2.0**-53])
def test_extreme_uniform_numbers_never_draw_an_impossible_token(u):
    logits = np.array([[-np.inf, 0.0, -1.0, -np.inf]])
    assert choose(logits, 1.0, 1.0, np.array([u])).tokens[0] in {1, 2}


def test_logits_that_are_not_finite_are_an_error():
    with pytest.raises(FloatingPointError, match="not finite"):
        choose(np.array([[0.0, np.nan]]), 1.0, 1.0, np.array([0.5]))


@given(st.integers(1, 40), st.sampled_from([(1.0, 1.0), (0.6, 1.0), (0.8, 0.9)]), st.integers(0, 10))
def test_a_row_does_not_depend_on_the_other_rows(rows: int, settings: tuple[float, float], seed: int) -> None:
    temperature, top_p = settings
    rng = np.random.default_rng(seed)
    logits, u = rng.normal(0, 4, (40, 517)).astype(np.float32), rng.random(40)
    whole = choose(logits, temperature, top_p, u)
    part = choose(logits[:rows], temperature, top_p, u[:rows])
    assert (part.tokens == whole.tokens[:rows]).all()
    assert (part.logprobs == whole.logprobs[:rows]).all()


def test_uniform_numbers_equal_the_golden_ones():
    # Philox4x64-10 is a published function. If these changed, stored and new samples would not belong together.
    assert uniforms(0, "programs/000", 0, 3).tolist() == GOLDEN[0]
    assert uniforms(7, "programs/000", 10**12, 3).tolist() == GOLDEN[1]


def test_a_longer_completion_starts_with_the_same_numbers():
    assert uniforms(1, "p", 5, 10).tolist() == uniforms(1, "p", 5, 1000)[:10].tolist()


def test_samples_problems_and_seeds_share_no_uniform_numbers():
    stretches = [uniforms(s, p, i, 100) for s in (0, 1) for p in ("a", "b") for i in (0, 1, 2**40)]
    assert len(set(np.concatenate(stretches).tolist())) == 1200


def test_uniform_numbers_are_uniform():
    u = np.concatenate([uniforms(3, "p", i, 50) for i in range(400)])
    assert np.all((u >= 0) & (u < 1))
    assert np.histogram(u, bins=10, range=(0, 1))[0] == pytest.approx(np.full(10, 2000), abs=200)
