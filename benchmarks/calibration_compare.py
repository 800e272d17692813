"""Section of `calibration.py`: intervals and p-values of paired differences."""

from collections.abc import Callable
from functools import partial

import numpy as np
from calibration_table import Ends, Kind, Row, counts_of, coverage_of, generator_for, row_of

from tasks.scaling.arrays import Floats
from tasks.scaling.paired_differences import paired_differences

SIZES = (2, 3, 5, 10, 20, 60, 200)
SAMPLES = 100
KS = (1, 10, 100)
LOWEST = 0.93
MAX_FALSE_ALARMS = 0.06
POPULATION = 200_000


def _same(rates: Floats, _: np.random.Generator) -> Floats:
    return rates


def _times(factor: float, rates: Floats, _: np.random.Generator) -> Floats:
    return np.minimum(factor * rates, 1.0)


def _logit_shift(shift: float, spread: float, rates: Floats, generator: np.random.Generator) -> Floats:
    with np.errstate(divide="ignore"):
        odds = rates / (1 - np.minimum(rates, 1 - 1e-12)) * np.exp(generator.normal(shift, spread, len(rates)))
    shifted: Floats = odds / (1 + odds)
    return shifted


def _some_gain(share: float, rates: Floats, generator: np.random.Generator) -> Floats:
    return np.where(generator.random(len(rates)) < share, np.maximum(rates, 0.5), rates)


SECOND_SET: dict[str, Callable[[Floats, np.random.Generator], Floats]] = {
    "the same rates": _same,
    "rates × 1.5": partial(_times, 1.5),
    "odds × e": partial(_logit_shift, 1.0, 0.0),
    "odds × e^normal(0, 1)": partial(_logit_shift, 0.0, 1.0),
    "15% of problems gain": partial(_some_gain, 0.15),
}
# With fewer problems than this, too many experiments have no problem that gains: such rows have no target.
TOO_RARE = {"15% of problems gain": 20}


def differences(kind: Kind, replications: int) -> list[Row]:
    """Intervals and p-values for the mean difference in coverage over the population."""
    replications = max(10, replications // 2)
    rows = []
    for name, second in SECOND_SET.items():
        generator = generator_for("population of differences", kind.name, name)
        rates = kind.draw(generator, POPULATION)
        truth = coverage_of(second(rates, generator), KS) - coverage_of(rates, KS)
        for problems in SIZES:
            rows += _rows(kind, name, problems, truth, replications)
    return rows


def _rows(kind: Kind, name: str, problems: int, truth: Floats, replications: int) -> list[Row]:
    generator = generator_for("differences", kind.name, name, problems)
    low, high, p = (np.empty((replications, len(KS))) for _ in range(3))
    for row in range(replications):
        rates = kind.draw(generator, problems)
        first = counts_of(rates, SAMPLES, generator)
        second = counts_of(SECOND_SET[name](rates, generator), SAMPLES, generator)
        at = {each.k: each for each in paired_differences(first, second)}
        for column, k in enumerate(KS):
            low[row, column], high[row, column], p[row, column] = at[k].low, at[k].high, at[k].p
    ends = Ends(low, high, np.tile(truth, (replications, 1)))
    lowest = 0.0 if problems < TOO_RARE.get(name, 0) else LOWEST
    rows = [
        row_of(
            ends, column, interval=f"difference, {name}", kind=kind.name, problems=problems, samples=SAMPLES, k=k,
            lowest=lowest,
        )
        for column, k in enumerate(KS)
    ]  # fmt: skip
    if name == "the same rates":
        for column, k in enumerate(KS):
            alarms = float(np.mean(p[:, column] <= 0.05))
            rows.append(
                Row(
                    "no false alarm at p <= 0.05", kind.name, problems, SAMPLES, k, 1 - alarms, 0, 0, np.nan,
                    replications, 1 - MAX_FALSE_ALARMS,
                )
            )  # fmt: skip
    return rows
