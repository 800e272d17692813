"""The figure of ways of picking: coverage and each way against k, with the gap between them."""

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tasks.report.model import FigureFile
from tasks.report.palette import DARK, GREY, SERIES
from tasks.report.picking.phrases import gap_formula, points
from tasks.report.style import INK, band, files, k_axis, name_text, new_axes
from tasks.selection.summary import PickedCurve, PickSummary


def draw(summary: PickSummary) -> FigureFile:
    """The figure as files."""
    return files("picking", pick_figure(summary))


def pick_figure(summary: PickSummary) -> Figure:
    """Coverage and every way of picking on a log axis of k, a mark where a curve stops improving, and the modal ceiling
    as a line. Coverage and what delivers most have their intervals over problems as bands. Forecasts beyond the samples
    are dashed, with 90 % intervals."""
    figure, axes = new_axes(6.8, 5.0)
    curves: list[PickedCurve] = [summary.coverage, *summary.picked]
    gap = summary.gap
    for number, each in enumerate(curves):
        colour = SERIES[number % len(SERIES)].light
        if each is summary.coverage or (gap is not None and each is gap[0]):
            band(axes, [(point.k, point.low, point.high) for point in each.curve], colour, 0.12)
        axes.plot(
            [point.k for point in each.curve],
            [point.value for point in each.curve],
            color=colour, lw=2.2 if each is summary.coverage else 1.6, label=name_text(each.label), zorder=3,
            ls="-" if number < len(SERIES) else "--",
        )  # fmt: skip
        if each.forecast:
            ahead = [(point.k, point.low, point.high) for point in each.forecast]
            if each is summary.coverage or (gap is not None and each is gap[0]):
                band(axes, ahead, colour, 0.06)
            axes.plot(
                [point.k for point in each.forecast],
                [point.value for point in each.forecast],
                color=colour, lw=1.4, ls=(0, (4, 2.5)), zorder=2,
            )  # fmt: skip
        if each.plateau is not None and each.plateau.k is not None:
            value = next(point.value for point in each.curve if point.k == each.plateau.k)
            axes.plot([each.plateau.k], [value], "D", color=colour, ms=5, mec="white", mew=0.8, zorder=4)
    if summary.ceiling is not None:
        axes.axhline(summary.ceiling.value, color=DARK, lw=1, ls=":", label="modal ceiling", zorder=2)
    k_axis(axes)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    lowest = min(point.value if point.low is None else point.low for each in curves for point in each.curve)
    axes.set_ylim(0 if lowest < 0.4 else lowest - 0.02, 1.02)
    axes.set_ylabel("problems solved")
    last = summary.coverage.table[-1]
    if gap is not None and gap[1] >= 0.005 and last.k > 1:
        delivered = last.value - gap[1]
        axes.annotate(
            "", (last.k, last.value), (last.k, delivered), arrowprops={"arrowstyle": "<->", "color": GREY, "lw": 1.0}
        )
        axes.annotate(
            f"{points(last.value, delivered)}\npoints", (last.k, last.value - gap[1] / 2), (7, 0),
            textcoords="offset points", ha="left", va="center", fontsize=8, color=DARK,
        )  # fmt: skip
    formula = gap_formula(summary)
    if formula is not None:
        axes.set_title(f"k = {last.k:,}: {name_text(formula, most=110)}", fontsize=8.5, color=INK, loc="left")
    figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=2)
    return figure
