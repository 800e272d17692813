"""Writes a comparison: its page, figures and tables."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.costs.comparison import CostComparison
from tasks.report.comparison import figures, tables
from tasks.report.comparison.delivery import Delivered
from tasks.report.comparison.markdown import markdown
from tasks.report.comparison.page import render
from tasks.report.cost import figures as cost_figures
from tasks.report.cost.tables import costs_csv, csv_files
from tasks.scaling.comparison import Comparison
from tasks.store import Store
from tasks.store.identity import digest, slug


@dataclass(frozen=True, slots=True)
class ComparisonFiles:
    """The page's URL, the comparison as Markdown, and its figures by name, as SVG. `delivered` is what ways of picking
    deliver of the sets, or why that is not known."""

    page: str
    markdown: str
    figures: Mapping[str, bytes]
    delivered: Delivered | str = ""


def folder_of(comparison: Comparison) -> str:
    """The comparison's folder in a store: the same for the same sets."""
    labels = [each.label for each in comparison.sets]
    return f"comparisons/{slug('-'.join(labels))[:80]}-{digest(labels)[:12]}"


def publish(
    store: Store,
    folder: str,
    comparison: Comparison,
    config_yaml: str,
    costs: CostComparison | str,
    *,
    delivered: Delivered | str = "",
    delivered_costs: CostComparison | str = "",
) -> ComparisonFiles:
    """Write the page, figures and tables into a folder of a store, replacing earlier ones. `costs` are the same sets by
    cost, or why they cannot be compared so; `delivered` is what ways of picking deliver of them, or why not, and
    `delivered_costs` what the best of them costs."""
    drawn = figures.draw(comparison)
    tables_of_costs: dict[str, bytes] = {}
    if not isinstance(costs, str):
        drawn = (*drawn, cost_figures.draw(costs))
        tables_of_costs = {name: text.encode() for name, text in csv_files(costs).items()}
    files = {
        "comparison.html": render(
            comparison, config_yaml, drawn, costs, delivered=delivered, delivered_costs=delivered_costs
        ).encode(),
        "curves.csv": tables.curves_csv(comparison).encode(),
        "differences.csv": tables.differences_csv(comparison).encode(),
        **tables_of_costs,
        **({} if isinstance(delivered_costs, str) else {"delivered_costs.csv": costs_csv(delivered_costs).encode()}),
        **_delivered_files(delivered),
        **{f"{figure.name}.svg": figure.svg for figure in drawn},
        **{f"{figure.name}.pdf": figure.pdf for figure in drawn},
    }
    for name, data in files.items():
        store.write(f"{folder}/{name}".lstrip("/"), data)
    page = store.url(f"{folder}/comparison.html".lstrip("/"))
    return ComparisonFiles(
        page, markdown(comparison, costs, delivered_costs), {figure.name: figure.svg for figure in drawn}, delivered
    )


def _delivered_files(delivered: Delivered | str) -> dict[str, bytes]:
    if isinstance(delivered, str):
        return {}
    texts = {"delivered.csv": delivered.csv(), "delivered_differences.csv": delivered.differences_csv()}
    return {name: text.encode(errors="backslashreplace") for name, text in texts.items()}
