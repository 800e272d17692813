"""The numbers of a comparison of verifiers as CSV text."""

from tasks.report.sweep.tables import to_csv
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
