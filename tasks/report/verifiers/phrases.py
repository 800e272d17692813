"""What a comparison of verifiers says in words."""

from tasks.report.phrases import interval
from tasks.selection.combined_verifiers import Combined
from tasks.selection.limits import Interval
from tasks.selection.verifier_summary import VerifierResult, VerifierSummary


def rate(value: Interval | None) -> str:
    """A rate with its interval; a dash where it is not defined."""
    if value is None:
        return "–"
    ends = "" if value.low is None else f" ({interval(value.low, value.high, '{:.1%}'.format)})"
    return f"{value.value:.1%}{ends}"


def best_k_sentence(of: VerifierResult, summary: VerifierSummary) -> str:
    """Which k gains most, for the penalty of the comparison."""
    best = of.best
    costs = f"With a penalty of {summary.penalty:g} for a wrong submission,"
    around = "" if best.low is None or best.high is None else f" (interval {best.low:,} – {best.high:,})"
    if best.gain < 0:
        return f"{costs} no k is worth it: the least loss is at k = {best.k:,}{around}."
    if best.last and best.k > 1:
        return f"{costs} the gain still rises at k = {best.k:,}, the largest measured{around}."
    return f"{costs} the gain is largest at k = {best.k:,}{around}: {best.gain:+.3f}."


def weights_sentence(combined: Combined) -> str:
    """The weights, as a formula for the log-odds that a sample is correct."""
    terms = "".join(
        f" {'−' if weight < 0 else '+'} {abs(weight):.3g} × {name}" for name, weight in combined.weights.of.items()
    )
    intercept = f"{combined.weights.intercept:.3g}".replace("-", "−")
    return f"log-odds of a correct sample = {intercept}{terms}; a verdict is 0 or 1."
