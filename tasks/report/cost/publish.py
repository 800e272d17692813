"""Writes a comparison by cost: its figure and its tables."""

from tasks.costs.comparison import CostComparison
from tasks.report.cost import figures, tables
from tasks.store import Store


def publish(store: Store, of: CostComparison) -> tuple[str, ...]:
    """Write the figure and the tables into a store, replacing earlier ones; returns their URLs."""
    figure = figures.draw(of)
    files = {
        "frontier.svg": figure.svg,
        "frontier.pdf": figure.pdf,
        **{name: text.encode() for name, text in tables.csv_files(of).items()},
    }
    for name, data in files.items():
        store.write(name, data)
    return tuple(store.url(name) for name in files)
