"""Section of `calibration.py`: intervals of coverage over problems."""

import numpy as np
from calibration_table import LEVEL, Ends, Kind, Row, counts_of, coverage_of, generator_for, row_of

from tasks.scaling.interval_over_problems import interval_over_problems

SIZES = (5, 10, 20, 60, 150)
SAMPLES = 100
KS = (1, 10, 100)
LOWEST = 0.92
POPULATION = 200_000


def over_problems(kind: Kind, replications: int) -> list[Row]:
    """Intervals for the coverage of a population, from a sample of its problems."""
    ks = np.array(KS)
    everything = kind.draw(generator_for("population", kind.name), POPULATION)
    truth = coverage_of(everything, ks)
    rows = []
    for problems in SIZES:
        generator = generator_for("over problems", kind.name, problems)
        bands = []
        for _ in range(replications):
            counts = counts_of(kind.draw(generator, problems), SAMPLES, generator)
            bands.append(interval_over_problems(counts, ks, level=LEVEL))
        low, high = (np.array([getattr(band, end) for band in bands]) for end in ("low", "high"))
        ends = Ends(low, high, np.tile(truth, (replications, 1)))
        rows += [
            row_of(
                ends, column, interval="coverage over problems", kind=kind.name, problems=problems, samples=SAMPLES,
                k=k, lowest=LOWEST,
            )
            for column, k in enumerate(KS)
        ]  # fmt: skip
    return rows
