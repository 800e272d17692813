"""What ways of picking deliver, in words: the same in the terminal, on pages and in Markdown."""

from tasks.report.phrases import interval
from tasks.report.picking.model import Picking
from tasks.selection.summary import PickedCurve, PickSummary


def share(value: float) -> str:
    """A share in percent with one decimal: those of one sentence have to add up."""
    return f"{100 * value:.1f}%"


def ends(low: float | None, high: float | None) -> str:
    """An interval of shares in percent, with one decimal."""
    return interval(low, high, lambda end: f"{100 * end:.1f}")


def gap_formula(summary: PickSummary) -> str | None:
    """The gap as a difference, such as `coverage 88.0% − majority 62.0% = 26.0 points`; None without a way of picking.

    The difference is that of the rounded shares, so that it is right as it stands."""
    if summary.gap is None:
        return None
    best, _ = summary.gap
    there, delivered = summary.coverage.table[-1].value, best.table[-1].value
    return f"coverage {share(there)} − {best.label} {share(delivered)} = {points(there, delivered)} points"


def gap_sentence(summary: PickSummary) -> str | None:
    """What is there at the largest k, what the best way of picking delivers, and the gap; None without a way."""
    if summary.gap is None:
        return None
    best, _ = summary.gap
    last, delivered = summary.coverage.table[-1], best.table[-1].value
    return (
        f"k = {last.k:,}: {share(last.value)} of the problems have a correct sample; {best.label} delivers "
        f"{share(delivered)}: a gap of {points(last.value, delivered)} points."
    )


def points(there: float, delivered: float) -> str:
    """The difference of two shares as they are shown, in points with one decimal."""
    return f"{round(100 * there, 1) - round(100 * delivered, 1):.1f}".replace("-", "−")


def ceiling_sentence(summary: PickSummary) -> str | None:
    """The modal ceiling with its interval; None where samples have no answers."""
    ceiling = summary.ceiling
    if ceiling is None:
        return None
    return (
        f"modal ceiling: {share(ceiling.value)} (interval: {ends(ceiling.low, ceiling.high)}): the share of problems "
        "whose most frequent answer is correct, to which majority vote tends as k grows."
    )


def likeness_sentence(summary: PickSummary) -> str | None:
    """How alike the samples of a problem are; None where that is not defined."""
    if summary.likeness is None:
        return None
    correlation, effective = summary.likeness.correlation, summary.likeness.effective
    return (
        f"correlation of two samples of a problem: {correlation.value:.2f} ({correlation.low:.2f} – "
        f"{correlation.high:.2f}); {summary.likeness.n:,} samples are worth {effective.value:.1f} independent ones "
        "for mean accuracy."
    )


def plateau_text(curve: PickedCurve) -> str:
    """The plateau and its interval, whose upper end may be beyond the data; empty for coverage."""
    found, last = curve.plateau, curve.curve[-1].k
    if found is None or last == 1:
        return ""
    if found.k is None:
        return f"still rises at {last:,}"
    high = f"beyond {last:,}" if found.high is None else f"{found.high:,}"
    return f"{found.k:,}" if found.low is None else f"{found.k:,} ({found.low:,} – {high})"


def intervals_sentence(summary: PickSummary) -> str:
    """What the intervals and the plateau of a table are."""
    return (
        f"Intervals at {summary.level:.0%}, for k = {summary.coverage.table[-1].k:,}. Plateau: the smallest k beyond "
        "which no larger k gains more than a point, and its interval over problems."
    )


def forecast_sentence() -> str:
    """What a table of forecasts is."""
    return "forecast beyond the samples, for these problems; the interval is for the largest k"


def error_sentence(summary: PickSummary) -> str | None:
    """Which figures are by Monte Carlo, with their largest standard error; None where all are exact."""
    curves = [summary.coverage, *summary.picked]
    error = max(point.error for each in curves for point in each.table)
    if not error:
        return None
    simulated = ", ".join(each.label for each in curves if any(point.error for point in each.table))
    return (
        f"Means over all subsets of k samples; those of {simulated} are by Monte Carlo where that is cheaper, with "
        f"standard errors up to {100 * error:.2f} points."
    )


def headlines(picking: Picking) -> list[str]:
    """One line for each way of picking that is not secondary, and for the best one: what it delivers at the largest
    k."""
    best, _ = picking.summary.gap or (None, 0.0)
    return [
        f"{each.label}, k = {each.table[-1].k:,}: {share(each.table[-1].value)} delivered "
        f"({picking.summary.level:.0%} interval {ends(each.table[-1].low, each.table[-1].high)})"
        for each in picking.summary.picked
        if each.label not in picking.secondary or each is best
    ]
