"""A comparison as one HTML page (`tasks.report.html`)."""

from collections.abc import Sequence
from typing import Any

from tasks.costs.comparison import CostComparison
from tasks.report.comparison import phrases, tables
from tasks.report.comparison.delivery import Delivered
from tasks.report.cost import phrases as cost_phrases
from tasks.report.cost.tables import costs_csv, csv_files
from tasks.report.html import figure_links, link, page, svg_address
from tasks.report.model import FigureFile
from tasks.report.phrases import interval, visible
from tasks.report.sweep.page import series
from tasks.scaling.comparison import Comparison, Pair
from tasks.scaling.summary import percent

_COST_FILES = {
    "frontier.csv": "CSV of the frontier",
    "costs.csv": "CSV of costs",
    "mixtures.csv": "CSV of mixtures",
}
"""What the downloads of a comparison by cost are called."""


def render(
    comparison: Comparison,
    config_yaml: str,
    figures: Sequence[FigureFile] = (),
    costs: CostComparison | str = "",
    *,
    delivered: Delivered | str = "",
    delivered_costs: CostComparison | str = "",
) -> str:
    """The page as HTML text.

    Args:
        comparison: what to show.
        config_yaml: the configuration of the comparison, shown as it is.
        figures: figures offered for download under their plots (`tasks.report.comparison.figures.draw`); that of costs
            is shown as it is.
        costs: the same sets by cost, or why they cannot be compared so.
        delivered: what ways of picking deliver of the sets, or why that is not known; empty for no section.
        delivered_costs: the sets by what the best of these ways delivers at which cost, or why that is not known; empty
            for nothing.
    """
    reference = comparison.sets[0].label
    links = {
        "curves": [link("curves.csv", tables.curves_csv(comparison))],
        "differences": [link("differences.csv", tables.differences_csv(comparison))],
    }
    by_cost = None if isinstance(costs, str) else costs
    if by_cost is not None:
        links["frontier"] = [link(name, text, _COST_FILES[name]) for name, text in csv_files(by_cost).items()]
    if not isinstance(delivered, str):
        links["delivered"] = [
            link("delivered.csv", delivered.csv()),
            link("delivered_differences.csv", delivered.differences_csv(), "CSV of differences"),
        ]
    if not isinstance(delivered_costs, str):
        links["delivered_costs"] = [link("delivered_costs.csv", costs_csv(delivered_costs))]
    for figure in figures:
        links[figure.name] += figure_links(figure)
    return page(
        "comparison.html.j2",
        title=" and ".join(each.label for each in comparison.sets),
        plots={"coverage": _curves(comparison), "differences": _differences(comparison)},
        comparison=comparison,
        reference=reference,
        rows=_rows(comparison),
        findings=phrases.findings(comparison),
        law_cells=phrases.law_cells,
        points=phrases.points,
        span=phrases.span,
        chance=phrases.chance,
        is_clear=phrases.is_clear,
        interval=interval,
        percent=percent,
        delivered=delivered,
        costs=by_cost,
        no_costs=costs.removeprefix("cost: ") if isinstance(costs, str) else "",
        delivered_costs=delivered_costs,
        delivered_headline="" if isinstance(delivered_costs, str) else cost_phrases.headline(delivered_costs),
        cost_headline=None if by_cost is None else cost_phrases.headline(by_cost),
        cost_findings=[] if by_cost is None else cost_phrases.findings(by_cost),
        cost_label=cost_phrases.cost_label,
        amount=cost_phrases.amount,
        frontier_image=next((svg_address(figure) for figure in figures if figure.name == "frontier"), None),
        config_yaml=config_yaml,
        downloads=links,
    )


def _rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Coverage of every set at each round k that any of them reaches; `best` is the largest, None if all are equal."""
    at = [{point.k: point for point in each.summary.table} for each in comparison.sets]
    rows = []
    for k in sorted(set().union(*at)):
        points = [of_set.get(k) for of_set in at]
        values = [point.coverage for point in points if point is not None]
        rows.append({"k": k, "points": points, "best": max(values) if len(set(values)) > 1 else None})
    return rows


def _curves(comparison: Comparison) -> dict[str, Any]:
    crossings = [
        {"k": crossing.k, "series": number}
        for number, pair in enumerate(comparison.pairs, start=1)
        for crossing in pair.crossings
    ]
    return {
        "title": "coverage",
        "signed": False,
        "series": [{**series(each.label, each.summary), "every": []} for each in comparison.sets],
        "marks": sorted({point.k for each in comparison.sets for point in each.summary.table}),
        "crossings": crossings,
        "level": comparison.level,
    }


def _differences(comparison: Comparison) -> dict[str, Any]:
    return {
        "title": f"points over {visible(comparison.sets[0].label)}",
        "signed": True,
        "series": [_gaps(pair, number) for number, pair in enumerate(comparison.pairs, start=1) if pair.differences],
        "marks": sorted({each.k for pair in comparison.pairs for each in pair.differences}),
        "crossings": [],
        "level": comparison.level,
    }


def _gaps(pair: Pair, number: int) -> dict[str, Any]:
    measured = [
        [each.k, *(round(value, 6) for value in (each.difference, each.low, each.high))] for each in pair.differences
    ]
    return {"name": visible(pair.label), "colour": number, "measured": measured, "forecast": [], "law": [], "every": []}
