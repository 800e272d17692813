"""Section of `calibration.py`: intervals of the power law's a and b."""

import numpy as np
from calibration_table import Ends, Kind, Row, counts_of, coverage_of, generator_for, row_of

from tasks.scaling.laws import PowerLaw, fit_counts, fit_ks, fit_power_law

SIZES = (10, 30, 150)
SAMPLES = 100
FROM_PROBLEMS = 30
LOWEST = 0.90
POPULATION = 200_000


def law(kind: Kind, replications: int) -> list[Row]:
    """Intervals for a and b of the law fitted to the population's curve at the same k, when the fit has intervals."""
    ks = fit_ks(SAMPLES)
    population = kind.draw(generator_for("population", kind.name), POPULATION)
    of_population = fit_power_law(ks, coverage_of(population, ks))
    if not isinstance(of_population, PowerLaw):
        return []
    replications = max(10, replications // 4)
    rows = []
    for problems in SIZES:
        generator = generator_for("law", kind.name, problems)
        found = [fit_counts(counts_of(kind.draw(generator, problems), SAMPLES, generator)) for _ in range(replications)]
        fitted = [(each.a_interval, each.b_interval) for each in found if isinstance(each, PowerLaw)]
        with_interval = [(a, b) for a, b in fitted if a is not None and b is not None]
        if not with_interval:
            continue
        low, high = (
            np.array([[getattr(each, end) for each in both] for both in with_interval]) for end in ("low", "high")
        )
        ends = Ends(low, high, np.tile([of_population.a, of_population.b], (len(low), 1)))
        lowest = LOWEST if problems >= FROM_PROBLEMS else 0.0
        rows += [
            row_of(
                ends, column, interval=f"the law's {name}", kind=kind.name, problems=problems, samples=SAMPLES, k=0,
                lowest=lowest,
            )
            for column, name in enumerate(("a", "b"))
        ]  # fmt: skip
    return rows
