"""The numbers of a comparison as CSV text."""

from tasks.report.sweep.tables import to_csv
from tasks.scaling.comparison import Comparison


def curves_csv(comparison: Comparison) -> str:
    """`set,k,coverage,low,high,kind`: the curve of every set. `kind` is `measured`, with an interval over problems, or
    `forecast`, with a 90 % interval."""
    rows: list[tuple[object, ...]] = []
    for each in comparison.sets:
        measured, beyond = each.summary.measured, each.summary.forecast[1:]
        rows += [(each.label, point.k, point.coverage, point.low, point.high, "measured") for point in measured]
        rows += [(each.label, point.k, point.coverage, point.low90, point.high90, "forecast") for point in beyond]
    return to_csv(("set", "k", "coverage", "low", "high", "kind"), rows)


def differences_csv(comparison: Comparison) -> str:
    """`set,reference,k,difference,low,high,p`: the coverage of each set minus that of the first."""
    reference = comparison.sets[0].label
    return to_csv(
        ("set", "reference", "k", "difference", "low", "high", "p"),
        (
            (pair.label, reference, each.k, each.difference, each.low, each.high, each.p)
            for pair in comparison.pairs
            for each in pair.differences
        ),
    )
