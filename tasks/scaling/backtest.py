"""Laws compared by how well they extrapolate, not by how well they fit.

Every problem is reduced to a tenth of its samples, drawn without replacement. Each law is fitted to that subsample and
asked for coverage at larger k, where all the samples give the true value. Any flexible curve can fit; only a law that
holds beyond its data is worth extrapolating.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tasks.scaling.arrays import Floats
from tasks.scaling.estimators import Counts, coverage, round_ks
from tasks.scaling.forecast import METHOD, Forecaster
from tasks.scaling.laws import PowerLaw, fit_counts
from tasks.scaling.mixtures import coverage_under, fit_nonparametric

_SHARE = 10
_FEWEST = 50


@dataclass(frozen=True, slots=True)
class LawError:
    """How far one law errs at held-out k: median and root mean square of the absolute error of log coverage, over k and
    thinnings, None if it never gave a value; `failures` are the thinnings that it could not be fitted to."""

    law: str
    median: float | None
    rms: float | None
    failed_fits: int


@dataclass(frozen=True, slots=True)
class LawComparison:
    """Laws fitted to `fitted` samples of each problem and evaluated at larger k, up to `held_out`; the best first."""

    fitted: int
    held_out: int
    subsamples: int
    errors: tuple[LawError, ...]


def compare_laws(counts: Counts, subsamples: int = 5, seed: int = 0) -> LawComparison | None:
    """Compare the power law, every mixture, the mixture with no shape assumed, and the forecast.

    None where there are fewer than 50 samples of some problem, where none is solved or all are by every sample, or
    where problems rested by their outcomes: counts do not tell which of their samples came first.
    """
    last = counts.reach
    fitted = last // _SHARE
    if counts.rounds is not None or last < _FEWEST:
        return None
    ks = np.array([k for k in round_ks(last).tolist() if k > fitted])
    truth = coverage(counts, ks).coverage
    if not (truth > 0).all() or coverage(counts, [1]).coverage[0] == 1:
        return None
    generator = np.random.default_rng(seed)
    said: dict[str, list[Floats | None]] = {}
    for _ in range(subsamples):
        correct = generator.hypergeometric(counts.c, counts.n - counts.c, fitted)
        for law, values in _predictions(Counts.of(counts.problem_ids, fitted, correct), ks).items():
            said.setdefault(law, []).append(values)
    errors = [_error(law, [None if v is None else np.log(v / truth) for v in each]) for law, each in said.items()]
    errors.sort(key=lambda error: np.inf if error.rms is None else error.rms)
    return LawComparison(fitted, last, subsamples, tuple(errors))


def _predictions(counts: Counts, ks: ArrayLike) -> dict[str, Floats | None]:
    """Coverage at each k by every law, None where it cannot be fitted."""
    power = fit_counts(counts, resamples=0)
    found: dict[str, Floats | None] = {"power law": power.predict(ks) if isinstance(power, PowerLaw) else None}
    forecaster = Forecaster(counts)
    for mixture in forecaster.mixtures:
        found[mixture.family.name] = mixture.coverage(ks)
    solved = bool(counts.c.any())
    found["nonparametric mixture"] = coverage_under(fit_nonparametric(counts), np.asarray(ks)) if solved else None
    found[METHOD] = forecaster.expected(ks)
    return found


def _error(law: str, errors: list[Floats | None]) -> LawError:
    said = [each for each in errors if each is not None]
    if not said:
        return LawError(law, None, None, len(errors))
    every = np.abs(np.concatenate(said))
    return LawError(law, float(np.median(every)), float(np.sqrt(np.mean(every**2))), len(errors) - len(said))
