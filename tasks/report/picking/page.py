"""The section of a sweep's page on picking an answer: what `picking.html.j2` shows and what the script draws."""

from typing import Any

from tasks.report.html import figure_links, link
from tasks.report.model import FigureFile
from tasks.report.palette import SERIES
from tasks.report.phrases import visible
from tasks.report.picking import phrases
from tasks.report.picking.model import Picking
from tasks.report.picking.tables import forecast_csv, forecast_rows, picking_csv, table_rows
from tasks.selection.forecast import PickForecast
from tasks.selection.summary import CurvePoint, PickedCurve, PickSummary


def section(picking: Picking | str | None, figure: FigureFile | None) -> dict[str, Any] | None:
    """The values of the template; None for no section.

    Args:
        picking: what ways of picking deliver, or why that is not known; None where there is nothing to say.
        figure: the same as a figure, offered for download.
    """
    if picking is None or isinstance(picking, str):
        return None if picking is None else {"reason": picking}
    summary = picking.summary
    shown = [each for each in summary.picked if each.label not in picking.secondary] or [*summary.picked]
    if summary.gap is not None:
        shown.append(summary.gap[0])
    return {
        "reason": None,
        "ceiling": summary.ceiling is not None,
        "formula": phrases.gap_formula(summary),
        "k": summary.coverage.table[-1].k,
        "level": summary.level,
        "ways": [
            {"label": each.label, "colour": number % len(SERIES), "shown": number == 0 or each in shown}
            for number, each in enumerate(_curves(summary))
        ],
        "rows": table_rows(summary),
        "forecast": forecast_rows(summary),
        "sentences": [
            each
            for each in (
                phrases.ceiling_sentence(summary),
                phrases.likeness_sentence(summary),
                phrases.error_sentence(summary),
            )
            if each is not None
        ],
        "lacking": picking.lacking,
        "notes": summary.notes,
        "links": {
            "picking": [
                link("picking.csv", picking_csv(summary)),
                *([link("picking_forecast.csv", forecast_csv(summary), "CSV of forecasts")] if summary.beyond else []),
                *([] if figure is None else figure_links(figure)),
            ]
        },
    }


def plot(picking: Picking | str | None) -> dict[str, Any] | None:
    """The data of the plot for the script; None where there is none."""
    if picking is None or isinstance(picking, str):
        return None
    summary = picking.summary
    curves = _curves(summary)
    found: dict[str, Any] = {
        "title": "problems solved",
        "signed": False,
        "series": [_series(each, number) for number, each in enumerate(curves)],
        "marks": [point.k for point in summary.coverage.table],
        "crossings": [],
        "level": summary.level,
    }
    if summary.ceiling is not None:
        found["limit"] = {"name": "modal ceiling", "value": round(summary.ceiling.value, 6)}
    if summary.gap is not None:
        best, _ = summary.gap
        there, delivered = summary.coverage.table[-1], best.table[-1]
        found["gap"] = {
            "k": there.k,
            "high": round(there.value, 6),
            "low": round(delivered.value, 6),
            "text": f"{phrases.points(there.value, delivered.value)} points",
            "series": [0, curves.index(best)],
        }
    return found


def _curves(summary: PickSummary) -> list[PickedCurve]:
    return [summary.coverage, *summary.picked]


def _series(curve: PickedCurve, number: int) -> dict[str, Any]:
    return {
        "name": visible(curve.label),
        "colour": number % len(SERIES),
        "measured": [_numbers(point) for point in curve.curve],
        "forecast": [_numbers(point) for point in curve.forecast],
        "law": [],
        "every": [],
        "plateau": None if curve.plateau is None else curve.plateau.k,
    }


def _numbers(point: CurvePoint | PickForecast) -> list[float | None]:
    values = (point.value, point.low, point.high)
    return [point.k, *(None if value is None else round(value, 6) for value in values)]
