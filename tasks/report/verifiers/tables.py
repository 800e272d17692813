"""The numbers of a comparison of verifiers as CSV text."""

from typing import Any

from tasks.report.phrases import visible
from tasks.report.sweep.tables import to_csv
from tasks.report.verifiers.phrases import rate
from tasks.selection.verifier_summary import VerifierSummary


def verifiers_csv(summary: VerifierSummary) -> str:
    """`verifier,k,coverage,right,low,high,wrong,nothing,gain`, at the k of the figure."""
    return to_csv(
        ("verifier", "k", "coverage", "right", "low", "high", "wrong", "nothing", "gain"),
        (
            (each.label, at.k, at.coverage, at.right, at.low, at.high, at.wrong, at.nothing, at.gain)
            for each in summary.verifiers
            for at in each.curve
        ),
    )


def table_rows(summary: VerifierSummary) -> list[dict[str, Any]]:
    """A row for each verifier, with text in the cells: its rates on single samples, what is submitted at the k of the
    table, and the k that gains most."""
    return [
        {
            "verifier": visible(each.label),
            "precision": rate(each.rates.precision),
            "recall": rate(each.rates.recall),
            **{f"right, k = {point.k:,}": f"{point.right:.1%}" for point in each.table},
            **{f"wrong, k = {point.k:,}": f"{point.wrong:.1%}" for point in each.table},
            "best k": f"{each.best.k:,}",
            "gain": f"{each.best.gain:+.3f}".replace("-", "−"),
        }
        for each in summary.verifiers
    ]
