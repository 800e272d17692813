"""What ways of picking deliver, as rows: for files, and for tables in the terminal, on pages and in the Prefect UI."""

from collections.abc import Callable, Iterable
from typing import Any

from tasks.report.phrases import visible
from tasks.report.picking.phrases import ends, plateau_text, share
from tasks.report.sweep.tables import to_csv
from tasks.selection.forecast import PickForecast
from tasks.selection.summary import CurvePoint, PickedCurve, PickSummary


def picking_csv(summary: PickSummary) -> str:
    """`way,k,accuracy,low,high`: coverage and the accuracy of every way of picking, with intervals over problems."""
    return _csv(summary, lambda each: each.curve)


def forecast_csv(summary: PickSummary) -> str:
    """`way,k,accuracy,low,high`: forecasts beyond the samples, with 90 % intervals for these problems."""
    return _csv(summary, lambda each: each.forecast)


def _csv(summary: PickSummary, points: Callable[[PickedCurve], Iterable[CurvePoint | PickForecast]]) -> str:
    return to_csv(
        ("way", "k", "accuracy", "low", "high"),
        (
            (each.label, point.k, point.value, point.low, point.high)
            for each in (summary.coverage, *summary.picked)
            for point in points(each)
        ),
    )


def forecast_rows(summary: PickSummary) -> list[dict[str, Any]]:
    """A row for each curve that has a forecast, at the k asked for beyond the samples; the interval is for the largest
    k."""
    found = []
    for each in (summary.coverage, *summary.picked):
        at = {point.k: point for point in each.forecast}
        if at:
            last = at[summary.beyond[-1]]
            values = {f"k = {k:,}": share(at[k].value) for k in summary.beyond}
            found.append({"way": visible(each.label), **values, "90% interval": ends(last.low, last.high)})
    return found


def table_rows(summary: PickSummary) -> list[dict[str, Any]]:
    """A row for coverage and for each way of picking, with text in the cells."""
    return [
        {
            "way": visible(each.label),
            **{f"k = {point.k:,}": share(point.value) for point in each.table},
            "over problems": ends(each.table[-1].low, each.table[-1].high),
            "over samples": ends(each.table[-1].low_samples, each.table[-1].high_samples),
            "plateau": plateau_text(each),
        }
        for each in (summary.coverage, *summary.picked)
    ]
