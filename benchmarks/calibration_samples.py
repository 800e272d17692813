"""Section of `calibration.py`: intervals of coverage over samples, with uniform and with adaptive budgets."""

import numpy as np
from calibration_table import Ends, Kind, Row, counts_of, coverage_of, generator_for, row_of

from tasks.scaling.arrays import Floats
from tasks.scaling.estimators import Counts
from tasks.scaling.interval_over_samples import interval_over_samples
from tasks.scaling.sequential_stopping import drawn
from tasks.sweep.budgets import AdaptiveConfig

SIZES = (5, 10, 30, 128)
SAMPLES = 100
KS = (1, 10, 50, 51, 100)
ADAPTIVE_SIZES, ADAPTIVE_SAMPLES, ADAPTIVE_KS = (15, 60), 1000, (10, 500, 501, 1000)
LOWEST = {0.95: 0.92, 0.5: 0.0}


def over_samples(kind: Kind, replications: int) -> list[Row]:
    """Intervals for the coverage of the same problems, with equally many samples of each."""
    rows = []
    for problems in SIZES:
        generator = generator_for("over samples", kind.name, problems)
        rates = [kind.draw(generator, problems) for _ in range(replications)]
        counts = [counts_of(each, SAMPLES, generator) for each in rates]
        rows += _rows("coverage over samples", kind, SAMPLES, KS, rates, counts)
    return rows


def over_samples_adaptive(kind: Kind, replications: int) -> list[Row]:
    """Intervals for coverage of the same problems, where a budget stops sampling those with enough successes."""
    replications = max(10, replications // 4)
    plan = AdaptiveConfig().plan(ADAPTIVE_SAMPLES)
    rows = []
    for problems in ADAPTIVE_SIZES:
        generator = generator_for("over samples, adaptive", kind.name, problems)
        rates, counts = [], []
        for _ in range(replications):
            rates.append(kind.draw(generator, problems))
            n, c, rounds = drawn(ADAPTIVE_SAMPLES, rates[-1], plan, generator)
            counts.append(Counts(tuple(map(str, range(problems))), n, c, rounds))
        rows += _rows("coverage over samples, adaptive", kind, ADAPTIVE_SAMPLES, ADAPTIVE_KS, rates, counts)
    return rows


def _rows(
    interval: str, kind: Kind, samples: int, ks: tuple[int, ...], rates: list[Floats], counts: list[Counts]
) -> list[Row]:
    wanted = np.array(ks)
    truth = np.array([coverage_of(each, wanted) for each in rates])
    rows = []
    for level, lowest in LOWEST.items():
        bands = [interval_over_samples(each, wanted, level=level) for each in counts]
        ends = Ends(np.array([band.low for band in bands]), np.array([band.high for band in bands]), truth)
        name = interval if level == 0.95 else f"{interval}, {level:.0%}"
        rows += [
            row_of(
                ends, column, interval=name, kind=kind.name, problems=len(rates[0]), samples=samples, k=k,
                lowest=lowest,
            )
            for column, k in enumerate(ks)
        ]  # fmt: skip
    return rows
