"""Statistics on counts of correct samples: coverage, the law through it, forecasts and comparisons.

Every function takes counts in any of these forms:

- a `Counts`, or loaded `Results`;
- a mapping from problem to (samples, correct): `{"p1": (100, 3), "p2": (100, 0)}`;
- a pandas data frame with the columns problem, samples and correct;
- the path of a CSV file with these columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np
import pandas as pd

from tasks.errors import UserError
from tasks.files.counts import read_counts_file
from tasks.scaling import comparison
from tasks.scaling.comparison import Comparison
from tasks.scaling.estimators import Counts, round_ks
from tasks.scaling.estimators import coverage as estimate
from tasks.scaling.forecast import Forecaster
from tasks.scaling.interval_over_problems import interval_over_problems
from tasks.scaling.laws import NoFit, PowerLaw, fit_counts

if TYPE_CHECKING:
    from monkeys.results import Results

CountsLike: TypeAlias = Union[Counts, "Results", Mapping[str, tuple[int, int]], pd.DataFrame, str, Path]


def coverage(counts: CountsLike, ks: int | Sequence[int] | None = None, *, level: float = 0.95) -> pd.DataFrame:
    """Unbiased coverage (pass@k averaged over problems), with intervals over problems.

    >>> coverage({"p1": (4, 1), "p2": (4, 0)}, [1, 2, 4])["coverage"].round(3).tolist()
    [0.125, 0.25, 0.5]

    Args:
        counts: graded and correct samples of each problem.
        ks: one k or several; None: round numbers up to the smallest number of samples of a problem.
        level: probability of the intervals.

    Returns:
        The columns k, coverage, low and high; NaN at every k beyond the smallest number of samples of a problem.

    Raises:
        UserError: the counts cannot be used, no problem has a graded sample, or k is below 1.
    """
    graded = _counts(counts).graded()
    if not len(graded):
        raise UserError("coverage: no problem has a graded sample")
    wanted = round_ks(graded.reach) if ks is None else np.atleast_1d(np.asarray(ks, dtype=np.int64))
    band = interval_over_problems(graded, wanted, level=level)
    values = estimate(graded, wanted).coverage
    return pd.DataFrame({"k": wanted, "coverage": values, "low": band.low, "high": band.high})


def fit(counts: CountsLike, *, max_k: int | None = None, level: float = 0.95) -> PowerLaw | NoFit:
    """Fit the power law log c = a·k^b to coverage, with bootstrap intervals of a and b.

    >>> fit({"p1": (100, 3), "p2": (100, 1), "p3": (100, 40)}).b < 0
    True

    Args:
        counts: graded and correct samples of each problem.
        max_k: fit up to this k; None: up to the smallest number of samples of a problem.
        level: probability of the intervals.

    Returns:
        The law; `law.predict(k)` is its coverage. A `NoFit` with the reason if there is nothing to fit.

    Raises:
        UserError: the counts cannot be used.
    """
    return fit_counts(_counts(counts).graded(), max_k, level=level)


def forecast(counts: CountsLike, ks: int | Sequence[int]) -> pd.DataFrame:
    """Expected coverage of these problems at larger k, with 50 % and 90 % intervals over samples.

    >>> list(forecast({"p1": (100, 3), "p2": (100, 0)}, 1_000).columns)
    ['k', 'coverage', 'low50', 'high50', 'low90', 'high90', 'method']

    Args:
        counts: graded and correct samples of each problem.
        ks: one k or several.

    Returns:
        One row per k; `method` is `measured` where there are enough samples to estimate coverage without a forecast.

    Raises:
        UserError: the counts cannot be used, no problem has a graded sample, or a k is below 1 or beyond 10^15.
    """
    wanted = np.atleast_1d(np.asarray(ks, dtype=np.int64)).tolist()
    return pd.DataFrame([asdict(point) for point in Forecaster(_counts(counts)).at(wanted)])


def compare(sets: Mapping[str, CountsLike], *, level: float = 0.95) -> Comparison:
    """Compare several results on the problems they share: which solves more at each k, and how certain that is.

    >>> small, large = {"p1": (100, 3), "p2": (100, 1)}, {"p1": (100, 9), "p2": (100, 40)}
    >>> compare({"small": small, "large": large}).pairs[0].label
    'large'

    Args:
        sets: labels and counts, two to eight; the first is the reference.
        level: probability of the intervals.

    Returns:
        `headline` is one sentence; `pairs` has paired differences, crossings and shifts against the reference.

    Raises:
        UserError: counts cannot be used, or the number of sets is not 2 to 8.
    """
    return comparison.compare([(label, _counts(counts)) for label, counts in sets.items()], level=level)


def _counts(given: CountsLike) -> Counts:
    if isinstance(given, Counts):
        return given
    if isinstance(given, str | Path):
        return read_counts_file(Path(given))
    if isinstance(given, pd.DataFrame):
        missing = [column for column in ("problem", "samples", "correct") if column not in given.columns]
        if missing:
            raise UserError(f"counts: no column {missing[0]!r}; a data frame needs problem, samples and correct")
        return Counts.of([str(problem) for problem in given["problem"]], given["samples"], given["correct"])
    if isinstance(given, Mapping):
        pairs = list(given.values())
        return Counts.of(list(given), [samples for samples, _ in pairs], [correct for _, correct in pairs])
    return given.counts()
