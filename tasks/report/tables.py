"""The numbers of a report as CSV text, beside the page and inside it."""

import csv
import io
from collections.abc import Iterable

from tasks.scaling.summary import SweepSummary


def coverage_csv(summary: SweepSummary) -> str:
    """`k,coverage,low,high,kind`: what was measured, then the forecast for larger k, which `kind` tells apart."""
    rows = [(point, "measured") for point in summary.measured]
    rows += [(point, "forecast") for point in summary.forecast[1:]]
    return _csv(
        ("k", "coverage", "low", "high", "kind"),
        ((point.k, point.coverage, _blank(point.low), _blank(point.high), kind) for point, kind in rows),
    )


def problems_csv(summary: SweepSummary) -> str:
    """`problem,samples,correct`, in the order of the data set."""
    return _csv(
        ("problem", "samples", "correct"),
        ((problem.problem_id, problem.n, problem.c) for problem in summary.problems),
    )


def verdicts_csv(summary: SweepSummary) -> str:
    """`verdict,samples`, infrastructure failures among them."""
    return _csv(("verdict", "samples"), sorted(summary.verdicts.items()))


def _blank(value: float | None) -> float | str:
    return "" if value is None else value


def _csv(header: tuple[str, ...], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
