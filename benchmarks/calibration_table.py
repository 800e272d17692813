"""For the sections of `calibration.py`: populations of problems to simulate, and rows of the table with targets."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from outcome_sets import read_sets

from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Counts

LEVEL = 0.95
# A share may be below its target by this many standard errors.
SLACK = 2.0


class Kind(NamedTuple):
    """A population of problems. `draw` takes a generator and a number of problems, and returns the success rates,
    shape (problems,)."""

    name: str
    draw: Callable[[np.random.Generator, int], Floats]


class Row(NamedTuple):
    """How often an interval contained the truth.

    The `interval` is for `problems` problems with `samples` samples each, at `k` (0 if it is not for a single k).
    `held`, `below` and `above` are the shares of `replications` simulated experiments with the truth in the interval,
    below its lower end and above its upper end. `width` is the mean width. The target is held >= `lowest`, or none if
    that is 0.
    """

    interval: str
    kind: str
    problems: int
    samples: int
    k: int
    held: float
    below: float
    above: float
    width: float
    replications: int
    lowest: float = 0.0

    @property
    def meets_target(self) -> bool:
        """Whether the share reaches its target, up to `SLACK` standard errors of the simulation."""
        return self.held >= self.lowest - SLACK * float(np.sqrt(self.lowest * (1 - self.lowest) / self.replications))


Section = Callable[[Kind, int], list[Row]]
"""Takes a kind and a number of replications, and returns rows. Sections are module-level functions, so that they can be
sent to other processes, and draw random numbers from `generator_for`."""


class Ends(NamedTuple):
    """Intervals and the true values, in simulated experiments, each of shape (replications, ks)."""

    low: Floats
    high: Floats
    truth: Floats


def row_of(
    ends: Ends, column: int, *, interval: str, kind: str, problems: int, samples: int, k: int,
    lowest: float = 0.0,
) -> Row:  # fmt: skip
    """The row for one column of `ends`."""
    low, high, truth = (each[:, column] for each in ends)
    below, above = float(np.mean(truth < low - 1e-12)), float(np.mean(truth > high + 1e-12))
    width = float(np.mean(high - low))
    return Row(interval, kind, problems, samples, k, 1 - below - above, below, above, width, len(low), lowest)


def coverage_of(rates: Floats, ks: Sequence[int] | Ints) -> Floats:
    """The mean coverage of problems with these success rates at each k, shape (ks,)."""
    misses = np.log1p(-np.minimum(rates, 1 - 1e-16))
    return np.array([np.mean(-np.expm1(k * misses)) for k in ks])


def generator_for(*names: object) -> np.random.Generator:
    """A generator that depends only on the names, so that rows do not depend on the order in which sections run."""
    return np.random.default_rng([zlib.crc32(str(name).encode()) for name in names])


def counts_of(rates: Floats, samples: int, generator: np.random.Generator) -> Counts:
    """The outcomes of one simulated experiment, with this many samples per problem."""
    return Counts.of([str(i) for i in range(len(rates))], samples, generator.binomial(samples, rates))


def simulated_kinds() -> tuple[Kind, ...]:
    """Hard and easy populations: smooth, with gaps, and with problems that are never solved.

    The methods were chosen on the first group, `CHOSEN_ON`; the second, `SET_ASIDE`, was not looked at until then.
    """
    return tuple(Kind(name, draw) for name, draw in (CHOSEN_ON | SET_ASIDE).items())


def kinds_of_forecasts() -> tuple[Kind, ...]:
    """Further kinds, for forecasts alone."""
    return tuple(Kind(name, draw) for name, draw in OF_FORECASTS.items())


def real_kinds(folder: Path) -> tuple[Kind, ...]:
    """The sets in a folder (as for `forecast.py`), each as a population from which problems are drawn."""
    return tuple(
        Kind(name.removeprefix("large_language_monkeys_counts_"), partial(_measured, counts.c / counts.n))
        for name, counts in read_sets(folder).items()
    )


def table(rows: list[Row]) -> Iterator[str]:
    """The rows as lines of text."""
    yield f"{'interval':<34} {'kind':<34} {'P':>5} {'n':>6} {'k':>7}  {'held':>6} {'below':>6} {'above':>6}    width"
    for row in rows:
        target = f"{f'{row.lowest:.0%}':<11} {'' if row.meets_target else 'MISSED'}" if row.lowest else ""
        yield (
            f"{row.interval:<34} {row.kind[:34]:<34} {row.problems:>5,} {row.samples:>6,} {row.k or '':>7}  "
            f"{row.held:>6.1%} {row.below:>6.1%} {row.above:>6.1%} {row.width:>8.4f}  {target}".rstrip()
        )


def _beta(a: float, b: float, never: float, generator: np.random.Generator, problems: int) -> Floats:
    return generator.beta(a, b, problems) * (generator.random(problems) >= never)


def _atoms(rates: tuple[float, ...], shares: tuple[float, ...], generator: np.random.Generator, n: int) -> Floats:
    return generator.choice(np.array(rates), n, p=shares)


def _log_uniform(low: float, high: float, generator: np.random.Generator, problems: int) -> Floats:
    rates: Floats = 10 ** generator.uniform(low, high, problems)
    return rates


def _log_normal(middle: float, deviation: float, generator: np.random.Generator, problems: int) -> Floats:
    return np.minimum(middle * np.exp(deviation * generator.standard_normal(problems)), 1.0)


def _logit_normal(middle: float, deviation: float, generator: np.random.Generator, problems: int) -> Floats:
    rates: Floats = 1 / (1 + np.exp(-generator.normal(middle, deviation, problems)))
    return rates


def _measured(rates: Floats, generator: np.random.Generator, problems: int) -> Floats:
    return generator.choice(rates, problems)


CHOSEN_ON: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "beta(0.3, 2)": partial(_beta, 0.3, 2.0, 0.0),
    "beta(0.3, 200)": partial(_beta, 0.3, 200.0, 0.0),
    "30% never, beta(0.5, 5)": partial(_beta, 0.5, 5.0, 0.3),
    "atoms 0.5, 0.01, 0.0005": partial(_atoms, (0.5, 0.01, 0.0005), (1 / 3, 1 / 3, 1 / 3)),
    "log-uniform to 1e-6": partial(_log_uniform, -6.0, 0.0),
}
SET_ASIDE: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "beta(8, 0.7)": partial(_beta, 8.0, 0.7, 0.0),
    "beta(1, 30)": partial(_beta, 1.0, 30.0, 0.0),
    "60% never, beta(0.4, 20)": partial(_beta, 0.4, 20.0, 0.6),
    "atoms 0.9, 0.05, 0.001": partial(_atoms, (0.9, 0.05, 0.001), (0.2, 0.4, 0.4)),
    "log-normal, median 0.003": partial(_log_normal, 0.003, 1.5),
    "logit-normal(-4, 2.5)": partial(_logit_normal, -4.0, 2.5),
}
# Further kinds for forecasts, whose intervals depend most on how rates are distributed; first used to report them.
OF_FORECASTS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "beta(0.5, 50)": partial(_beta, 0.5, 50.0, 0.0),
    "beta(0.15, 0.5)": partial(_beta, 0.15, 0.5, 0.0),
    "40% never, beta(0.3, 3)": partial(_beta, 0.3, 3.0, 0.4),
    "25% never, beta(2, 50)": partial(_beta, 2.0, 50.0, 0.25),
    "atoms 0.8, 0.1, 0.003": partial(_atoms, (0.8, 0.1, 0.003), (0.3, 0.3, 0.4)),
    "atoms 0.4, 0.02, 0.002": partial(_atoms, (0.4, 0.02, 0.002), (0.5, 0.25, 0.25)),
    "log-uniform, 3e-1 to 1e-3": partial(_log_uniform, -3.0, -0.5),
    "log-uniform, 1e-1 to 1e-7": partial(_log_uniform, -7.0, -1.0),
    "log-normal, median 0.001, narrow": partial(_log_normal, 0.001, 1.0),
    "log-normal, median 0.02, wide": partial(_log_normal, 0.02, 2.5),
    "logit-normal(-3, 3)": partial(_logit_normal, -3.0, 3.0),
}
