import numpy as np
import pytest

from tasks.scaling.estimators import Counts
from tasks.scaling.laws import NoFit, PowerLaw
from tasks.scaling.summary import SweepSummary, percent, summarise


def counts(n, c):
    return Counts.of([f"p{i}" for i in range(len(c))], n, c)


@pytest.mark.parametrize(
    ("n", "c"),
    [
        (10, [0] * 5),
        (10, [10] * 5),
        (10, [3]),
        (1, [1]),
        (1, [0, 1, 1]),
        ([3, 7, 9], [0, 3, 5]),
        ([0, 7, 9], [0, 3, 5]),
        ([], []),
        (100, [1, 5, 40, 0, 99]),
    ],
)
def test_every_shape_of_counts_survives_json(n, c):
    summary = summarise(counts(n, c), {"correct": 3, "infrastructure": 1}, resamples=50)
    assert SweepSummary.from_json(summary.to_json()) == summary
    assert "nan" not in summary.to_json().lower()


def test_the_numbers_of_a_small_sweep():
    summary = summarise(counts(5, [2, 1, 0]), {"correct": 3, "wrong": 12})
    assert [point.k for point in summary.table] == [1, 2, 5]
    assert [point.coverage for point in summary.table] == pytest.approx([0.2, 1.1 / 3, 2 / 3])
    assert summary.solved == 2
    assert summary.samples == 15
    assert summary.headline == "k = 5 samples solve 67% of 3 problems; one sample solves 20%."
    assert summary.notes == ()
    assert isinstance(summary.law, PowerLaw)


def test_the_forecast_starts_where_the_data_ends():
    rng = np.random.default_rng(2)
    summary = summarise(counts(100, rng.binomial(100, rng.beta(0.4, 2, 50))), {})
    assert summary.forecast[0].k == summary.curve[-1].k == 100
    assert summary.forecast[-1].k == 10_000
    assert summary.forecast[0].coverage == summary.table[-1].coverage
    assert summary.forecast[0].method == "measured"
    assert all(point.low90 < point.coverage < point.high90 for point in summary.forecast)
    assert summary.outlook is not None
    assert summary.outlook.tenfold == 1000
    at_tenfold = next(point.coverage for point in summary.forecast if point.k == 1000)
    assert summary.outlook.expected_solves == pytest.approx(50 * (at_tenfold - summary.table[-1].coverage))
    assert [needed.coverage for needed in summary.outlook.needed] == sorted(
        target for target in (0.5, 0.75, 0.9, 0.95, 0.99) if target > summary.table[-1].coverage
    )


def test_max_k_caps_table_curve_and_fit_but_uses_every_sample():
    many = counts(100, [7, 30, 0])
    summary = summarise(many, {}, max_k=20)
    assert summary.table[-1].k == summary.curve[-1].k == summary.forecast[0].k == 20
    assert summary.table[0].coverage == pytest.approx(37 / 300)
    assert summary.notes == ()


def test_missing_samples_are_told():
    summary = summarise(counts([3, 9, 0], [0, 5, 0]), {"infrastructure": 15})
    assert summary.table[-1].k == 3
    text = " ".join(summary.notes)
    assert "1 of 3 problems has no graded sample" in text
    assert "stops at k = 3" in text
    assert "(p0)" in text
    assert "15 samples were left out of n" in text
    assert "of 2 problems" in summary.headline


def test_nothing_solved_is_told_without_a_fit():
    summary = summarise(counts(10, [0, 0]), {"wrong": 20})
    assert isinstance(summary.law, NoFit)
    assert summary.forecast[0].coverage == 0
    assert 0 < summary.forecast[-1].coverage < 1
    assert summary.headline == "None of 2 problems is solved in 10 samples."


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0%"), (1.0, "100%"), (0.8148, "81%"), (0.0271, "2.7%"), (0.9844, "98.4%"), (0.0003, "0.03%"),
     (0.9999, "99.99%"), (1e-9, "< 0.001%"), (float("nan"), "–")],
)  # fmt: skip
def test_percent_never_rounds_to_nothing_or_all(share, text):
    assert percent(share) == text
