"""Writes a comparison of verifiers: its figure and its table."""

from tasks.report.verifiers.figures import draw
from tasks.report.verifiers.tables import verifiers_csv
from tasks.selection.verifier_summary import VerifierSummary
from tasks.store import Store


def publish(store: Store, summary: VerifierSummary) -> tuple[str, ...]:
    """Write the figure and the table into a store, replacing earlier ones; returns their URLs."""
    figure = draw(summary)
    written = {
        "verifiers.svg": figure.svg,
        "verifiers.pdf": figure.pdf,
        "verifiers.csv": verifiers_csv(summary).encode(errors="backslashreplace"),
    }
    for name, data in written.items():
        store.write(name, data)
    return tuple(store.url(name) for name in written)
