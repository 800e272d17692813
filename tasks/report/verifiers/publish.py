"""Writes a comparison of verifiers: its figure and its table."""

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tasks.report.palette import GREY, SERIES
from tasks.report.style import band, files, k_axis, name_text, new_axes
from tasks.report.sweep.tables import to_csv
from tasks.selection.verifier_summary import VerifierSummary
from tasks.store import Store


def publish(store: Store, summary: VerifierSummary) -> tuple[str, ...]:
    """Write the figure and the table into a store, replacing earlier ones; returns their URLs."""
    figure = files("verifiers", verifiers_figure(summary))
    written = {
        "verifiers.svg": figure.svg,
        "verifiers.pdf": figure.pdf,
        "verifiers.csv": verifiers_csv(summary).encode(),
    }
    for name, data in written.items():
        store.write(name, data)
    return tuple(store.url(name) for name in written)


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


def verifiers_figure(summary: VerifierSummary) -> Figure:
    """Two panels against k: coverage, and what each verifier delivers with its interval over problems as a band; and
    the expected gain with a mark at its best k."""
    figure, left = new_axes(9.0, 4.2, columns=2)
    right = figure.axes[1]
    if summary.verifiers:
        curve = summary.verifiers[0].curve
        left.plot([at.k for at in curve], [at.coverage for at in curve], color=GREY, lw=2.0, label="coverage")
    for number, each in enumerate(summary.verifiers):
        colour = SERIES[number % len(SERIES)].light
        ks = [at.k for at in each.curve]
        band(left, [(at.k, at.low, at.high) for at in each.curve], colour, 0.12)
        left.plot(ks, [at.right for at in each.curve], color=colour, lw=1.8, label=f"right: {name_text(each.label)}")
        left.plot(ks, [at.wrong for at in each.curve], color=colour, lw=1.2, ls=(0, (4, 2.5)), label="wrong")
        right.plot(ks, [at.gain for at in each.curve], color=colour, lw=1.8)
        right.plot([each.best.k], [each.best.gain], "D", color=colour, ms=5, mec="white", mew=0.8, zorder=4)
    for axes in (left, right):
        k_axis(axes)
    left.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    left.set_ylim(0, 1.02)
    left.set_ylabel("problems")
    right.axhline(0, color=GREY, lw=0.9)
    right.set_ylabel(f"right − {summary.penalty:g} × wrong")
    figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=2)
    return figure
