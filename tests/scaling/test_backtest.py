import numpy as np
import pytest

from tasks.scaling.backtest import compare_laws
from tasks.scaling.estimators import Counts
from tasks.scaling.forecast import METHOD
from tasks.scaling.sequential_stopping import Rounds

from .outcomes import load_counts, needs_outcomes


def drawn(rates, n, seed=0):
    return Counts.of([str(i) for i in range(len(rates))], n, np.random.default_rng(seed).binomial(n, rates))


def test_the_law_that_is_true_comes_first_and_errs_little():
    beta = compare_laws(drawn(np.random.default_rng(1).beta(0.5, 20, 400), 1_000))
    assert beta is not None
    assert (beta.fitted, beta.held_out) == (100, 1_000)
    rms = {each.law: each.rms for each in beta.errors if each.rms is not None}
    assert len(rms) == len(beta.errors)
    assert rms["beta-binomial"] < 0.05
    assert rms["beta-binomial"] < 0.5 * rms["logit-normal"]
    assert list(rms.values()) == sorted(rms.values())
    assert METHOD in rms


def test_it_is_the_held_out_error_and_not_the_fit():
    """A mixture with no shape fits the tenth of the samples best of all, and knows nothing of the rest."""
    found = compare_laws(drawn(np.random.default_rng(2).beta(0.3, 60, 300), 10_000))
    assert found is not None
    order = [each.law for each in found.errors]
    assert order.index("nonparametric mixture") > order.index("beta-binomial")


@pytest.mark.parametrize(
    "counts",
    [
        Counts.of(["a"], 49, [3]),
        Counts.of(["a", "b"], 100, [0, 0]),
        Counts.of(["a", "b"], 100, [100, 100]),
        Counts.of([], [], []),
        Counts(("a",), np.array([100]), np.array([5]), Rounds(np.array([100]), np.array([1]), np.array([[100]]))),
    ],
)
def test_where_nothing_can_be_held_out_there_is_no_comparison(counts):
    assert compare_laws(counts) is None


def test_a_law_that_cannot_be_fitted_says_so():
    found = compare_laws(Counts.of([str(i) for i in range(20)], 1_000, [1] + [0] * 19))
    assert found is not None
    errors = {each.law: each for each in found.errors}
    assert errors["power law"].failed_fits > 0
    assert errors[METHOD].failed_fits == 0


@needs_outcomes
def test_on_the_paper_the_forecast_is_among_the_best():
    found = compare_laws(load_counts("MATH__Pythia_1B"))
    assert found is not None
    assert METHOD in [each.law for each in found.errors[:2]]
