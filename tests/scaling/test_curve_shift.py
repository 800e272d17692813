import numpy as np
import pytest

from tasks.scaling.curve_shift import shift_in_log_k
from tasks.scaling.estimators import Counts, coverage, log_spaced_ks

from .outcomes import load_counts, needs_outcomes


def curve(rates, n=10_000, seed=0):
    counts = Counts.of([str(i) for i in range(len(rates))], n, np.random.default_rng(seed).binomial(n, rates))
    return coverage(counts, log_spaced_ks(n))


@pytest.mark.parametrize("factor", [1, 4, 30])
def test_a_model_that_needs_f_times_the_samples_is_shifted_by_f(factor):
    rates = np.random.default_rng(1).beta(0.4, 200, 300)
    shift = shift_in_log_k(curve(rates), curve(rates / factor, seed=2))
    assert shift is not None
    assert shift.factor == pytest.approx(factor, rel=0.15)
    assert shift.rmse < 0.01


def test_curves_of_another_shape_fit_badly():
    steep, flat = np.full(100, 0.01), np.random.default_rng(3).beta(0.1, 1, 100)
    shift = shift_in_log_k(curve(steep), curve(flat))
    assert shift is not None
    assert shift.rmse > 0.05


def test_too_few_points_give_none():
    assert shift_in_log_k(curve(np.zeros(5)), curve(np.full(5, 0.1))) is None


@needs_outcomes
def test_the_papers_family_is_nearly_a_shift():
    ks = log_spaced_ks(10_000)
    small, middle, large = (coverage(load_counts(f"MATH__Pythia_{size}"), ks) for size in ("160M", "1B", "12B"))
    near, next_near, far = (
        shift
        for pair in ((large, middle), (middle, small), (large, small))
        if (shift := shift_in_log_k(*pair)) is not None
    )
    assert near.rmse < 0.04
    assert next_near.rmse < 0.04
    # Two steps make about the long one, which fits worse: a family is a shift only nearly.
    assert near.factor * next_near.factor == pytest.approx(far.factor, rel=0.15)
    assert far.rmse < 0.06
