"""Section of `calibration.py`: intervals of forecasts, from 1.1 to 100 times the samples drawn."""

import numpy as np
from calibration_table import Ends, Kind, Row, counts_of, coverage_of, generator_for, row_of

from tasks.scaling.forecast import Forecaster

SIZES = (30, 100)
SAMPLES = 100
KS = (110, 200, 1_000, 10_000)
LOWEST = {90: 0.85, 50: 0.42}


def forecasts(kind: Kind, replications: int) -> list[Row]:
    """Intervals for the coverage of the same problems at k beyond their samples.

    The target is for the mean over k. The error of a forecast depends on rates that are too small to be observed, and
    the more so the larger k is.
    """
    replications = max(10, replications // 8)
    rows = []
    for problems in SIZES:
        generator = generator_for("forecast", kind.name, problems)
        truth, found = [], []
        for _ in range(replications):
            rates = kind.draw(generator, problems)
            truth.append(coverage_of(rates, KS))
            found.append(Forecaster(counts_of(rates, SAMPLES, generator)).at(KS))
        for level, lowest in LOWEST.items():
            low, high = (
                np.array([[getattr(point, f"{end}{level}") for point in points] for points in found])
                for end in ("low", "high")
            )
            ends, name = Ends(low, high, np.array(truth)), f"forecast, {level}%"
            rows += [
                row_of(ends, column, interval=name, kind=kind.name, problems=problems, samples=SAMPLES, k=k)
                for column, k in enumerate(KS)
            ]
            together = Ends(*(each.reshape(-1, 1) for each in ends))
            of_all = row_of(
                together, 0, interval=f"{name}, all k", kind=kind.name, problems=problems, samples=SAMPLES, k=0,
                lowest=lowest,
            )  # fmt: skip
            # The errors for several k of one experiment are correlated: they count as one replication.
            rows.append(of_all._replace(replications=replications))
    return rows
