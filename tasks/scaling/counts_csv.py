"""Counts as a plain table, `problem,samples,correct`, so that anybody's results can be fitted and forecast."""

import csv
import io
from typing import Any

import numpy as np

from tasks.errors import UserError
from tasks.scaling.estimators import Counts, coverage, round_ks
from tasks.scaling.forecast import Forecaster
from tasks.scaling.interval_over_problems import interval_over_problems
from tasks.scaling.laws import PowerLaw, fit_counts

_COLUMNS = ("problem", "samples", "correct")
MAX_SAMPLES = 10_000_000
"""Beyond it the running sums of pass@k would no longer fit into memory."""


def read_counts(text: str, name: str) -> Counts:
    """Counts from CSV text with those three columns, in any order, among any others. `name` is for messages.

    Raises:
        UserError: a column is missing, a value is not a whole number or is too large, correct is outside 0..samples, a
            problem occurs twice, or there is no row.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), skipinitialspace=True)
    missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise UserError(f"{name}: no column {missing[0]!r}; the first line must name problem,samples,correct")
    problems: dict[str, int] = {}
    samples: list[int] = []
    correct: list[int] = []
    for row in reader:
        line = reader.line_num
        n, c = (_whole(row[column], f"{name}, line {line}: {column}") for column in ("samples", "correct"))
        if not 0 <= c <= n:
            raise UserError(f"{name}, line {line}: {c} correct of {n} samples; 0 <= correct <= samples must hold")
        if n > MAX_SAMPLES:
            raise UserError(f"{name}, line {line}: {n} samples; the maximum per problem is {MAX_SAMPLES:,}")
        problem = row["problem"] or ""
        if problem in problems:
            raise UserError(f"{name}, line {line}: problem {problem!r} already stands on line {problems[problem]}")
        problems[problem] = line
        samples.append(n)
        correct.append(c)
    if not problems:
        raise UserError(f"{name}: no row; give one line for each problem")
    return Counts.of(list(problems), samples, correct)


def curve_document(counts: Counts) -> dict[str, Any]:
    """The measured curve and the fitted law, ready for JSON: what `monkeys curve --json` prints. Without samples for
    every problem, those without take no part; what cannot be computed is None.

    Raises:
        UserError: no problem has a sample.
    """
    graded = counts.graded()
    if not len(graded):
        raise UserError("curve: no problem has a sample")
    ks = round_ks(graded.reach)
    values, band = coverage(graded, ks).coverage, interval_over_problems(graded, ks)
    law = fit_counts(graded, resamples=0).law
    return {
        "problems": len(graded),
        "curve": [
            {"k": k, "coverage": value, "low": _number(low), "high": _number(high)}
            for k, value, low, high in zip(ks.tolist(), values.tolist(), band.low, band.high, strict=True)
        ],
        "power_law": {
            "a": law.a,
            "b": law.b,
            "max_abs_error": law.max_abs_error,
            "mean_abs_error": law.mean_abs_error,
        }
        if isinstance(law, PowerLaw)
        else None,
    }


def forecast_document(counts: Counts, k: int) -> dict[str, Any]:
    """The forecast at k, ready for JSON: what `monkeys forecast --json` prints.

    Raises:
        UserError: no problem has a sample, or k is below 1 or beyond 10^15.
    """
    point = Forecaster(counts).at([k])[0]
    return {field: getattr(point, field) for field in point.__slots__}


def _whole(text: str | None, where: str) -> int:
    try:
        return int((text or "").strip())
    except ValueError:
        raise UserError(f"{where} is {text!r}; it must be a whole number") from None


def _number(value: np.float64) -> float | None:
    return float(value) if np.isfinite(value) else None
