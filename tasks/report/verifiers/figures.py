"""The figure of a comparison of verifiers."""

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tasks.report.model import FigureFile
from tasks.report.palette import GREY, SERIES
from tasks.report.style import band, files, k_axis, name_text, new_axes
from tasks.selection.verifier_summary import VerifierSummary


def draw(summary: VerifierSummary) -> FigureFile:
    """The figure `verifiers`."""
    return files("verifiers", verifiers_figure(summary))


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
