"""Counts as a plain table, `problem,samples,correct`, so that anybody's results can be fitted and forecast."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.errors import UserError
from tasks.scaling.arrays import finite_or_none
from tasks.scaling.estimators import Counts, coverage, round_ks
from tasks.scaling.forecast import Forecaster
from tasks.scaling.interval_over_problems import interval_over_problems
from tasks.scaling.laws import PowerLaw, fit_counts
from tasks.scaling.notes import notes_on_counts, notes_on_intervals

_COLUMNS = ("problem", "samples", "correct")
_MAX_NUMBER = 10**15
# The limit is the process's, and `tasks.files.rows` sets it, too. At Python's own of 131,072 characters, an unclosed
# quotation mark in a large table would end the reading before the line on which it stands is known.
_MAX_FIELD = 1 << 30
MAX_SAMPLES = 10_000_000
"""Beyond it the running sums of pass@k would no longer fit into memory."""


def read_counts(text: str, name: str) -> Counts:
    """Counts from CSV text with those three columns, in any order, among any others. `name` is for messages.

    Raises:
        UserError: a column is missing or occurs twice, a value is not a whole number or is too large, correct is
            outside 0..samples, a problem occurs twice, a quotation mark is not closed, or there is no row.
    """
    reader = table(text)
    problems: dict[str, int] = {}
    samples: list[int] = []
    correct: list[int] = []
    try:
        _check_columns(reader.fieldnames or (), name)
        for row in reader:
            line = line_of(row, reader)
            where = f"{name}, line {line}"
            if line < reader.line_num and row["correct"] is None:
                raise UserError(_unclosed(where))
            n, c = (_whole(row[column], f"{where}: {column}") for column in ("samples", "correct"))
            if not 0 <= c <= n:
                raise UserError(f"{where}: {c} correct of {n} samples; 0 <= correct <= samples must hold")
            if n > MAX_SAMPLES:
                raise UserError(f"{where}: {n} samples; the maximum per problem is {MAX_SAMPLES:,}")
            problem = row["problem"] or ""
            if problem in problems:
                raise UserError(f"{where}: problem {_quoted(problem)} is already on line {problems[problem]}")
            problems[problem] = line
            samples.append(n)
            correct.append(c)
    except csv.Error:
        raise UserError(_unclosed(f"{name}, after line {max(problems.values(), default=1)}")) from None
    if not problems:
        raise UserError(f"{name}: no row; give one line for each problem")
    return Counts.of(list(problems), samples, correct)


def table(text: str) -> "csv.DictReader[str]":
    """A reader of the rows of a CSV text."""
    csv.field_size_limit(_MAX_FIELD)
    return csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), skipinitialspace=True)


def line_of(row: Mapping[str, Any], reader: "csv.DictReader[str]") -> int:
    """The line on which a row begins that was just read."""
    # A field may span lines; one that is not closed has the end of the file's last line in it.
    breaks = sum(value.removesuffix("\n").count("\n") for value in row.values() if isinstance(value, str))
    return reader.line_num - breaks


def _check_columns(header: Sequence[str], name: str) -> None:
    for column in _COLUMNS:
        if header.count(column) > 1:
            raise UserError(f"{name}: column {column!r} occurs {header.count(column)} times; it must occur once")
        if column not in header:
            separated = "; values must be separated by commas" if any(mark in "".join(header) for mark in ";\t") else ""
            raise UserError(
                f"{name}: no column {column!r}; the first line must name problem,samples,correct{separated}"
            )


def _unclosed(where: str) -> str:
    return f"{where}: a quotation mark opens a field that does not end on its line; close it or remove it"


def curve_document(counts: Counts) -> dict[str, Any]:
    """The measured curve and the fitted law, ready for JSON: what `monkeys curve --json` prints. Problems without
    samples are left out; `notes` say so, and what ends the curve. What cannot be computed is None.

    Raises:
        UserError: no problem has a sample.
    """
    graded = counts.graded()
    if not len(graded):
        raise UserError("curve: no problem has a sample")
    ks = round_ks(graded.reach)
    values, band = coverage(graded, ks).coverage, interval_over_problems(graded, ks)
    rows = zip(ks.tolist(), values.tolist(), *map(finite_or_none, (band.low, band.high)), strict=True)
    law = fit_counts(graded, resamples=0)
    return {
        "problems": len(graded),
        "curve": [{"k": k, "coverage": value, "low": low, "high": high} for k, value, low, high in rows],
        "power_law": {
            "a": law.a,
            "b": law.b,
            "max_abs_error": law.max_abs_error,
            "mean_abs_error": law.mean_abs_error,
        }
        if isinstance(law, PowerLaw)
        else None,
        "notes": [*notes_on_counts(counts), *notes_on_intervals(graded)],
    }


def forecast_document(counts: Counts, k: int) -> dict[str, Any]:
    """The forecast at k, ready for JSON: what `monkeys forecast --json` prints.

    Raises:
        UserError: no problem has a sample, or k is below 1 or beyond 10^15.
    """
    point = Forecaster(counts).at([k])[0]
    # Where the samples of some problem end, the forecast begins: its method says so.
    notes = notes_on_counts(counts, max_k=k)
    return {field: getattr(point, field) for field in point.__slots__} | {"notes": notes}


def _whole(text: str | None, where: str) -> int:
    try:
        number = int((text or "").strip())
    except ValueError:
        given = "missing" if text is None else _quoted(text)
        raise UserError(f"{where} is {given}; it must be a whole number") from None
    if abs(number) > _MAX_NUMBER:
        raise UserError(f"{where} is {_quoted(text or '')}; the maximum per problem is {MAX_SAMPLES:,}")
    return number


def _quoted(text: str) -> str:
    """A value for a message, cut where it is long."""
    return repr(text if len(text) <= 60 else text[:57] + "…")
