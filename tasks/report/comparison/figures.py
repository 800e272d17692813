"""The figures of a comparison for papers and talks (`tasks.report.style`)."""

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from tasks.report.comparison.phrases import points
from tasks.report.model import FigureFile
from tasks.report.palette import GREY, SERIES
from tasks.report.style import INK, band, files, k_axis, name_text, new_axes
from tasks.scaling.comparison import Comparison


def draw(comparison: Comparison) -> tuple[FigureFile, ...]:
    """`curves`, and `differences` if the sets have the same problems."""
    found = [files("curves", curves_figure(comparison))]
    if any(pair.differences for pair in comparison.pairs):
        found.append(files("differences", differences_figure(comparison)))
    return tuple(found)


def curves_figure(comparison: Comparison) -> Figure:
    """Coverage of every set against k with its interval as a band; forecasts are dashed."""
    figure, axes = new_axes(6.4, 4.0)
    for each, colour in zip(comparison.sets, SERIES, strict=False):
        curve, forecast = each.summary.curve, each.summary.forecast
        band(axes, [(point.k, point.low, point.high) for point in curve], colour.light, 0.13)
        ks, values = [point.k for point in curve], [point.coverage for point in curve]
        axes.plot(ks, values, color=colour.light, lw=1.9, label=name_text(each.label), zorder=3)
        beyond, expected = [point.k for point in forecast], [point.coverage for point in forecast]
        axes.plot(beyond, expected, color=colour.light, lw=1.3, ls=(0, (4, 2.5)), zorder=2)
    axes.plot([], [], color=GREY, lw=1.3, ls=(0, (4, 2.5)), label="forecast")
    k_axis(axes)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.set_ylim(0, None)
    axes.set_ylabel("coverage (pass@k)")
    axes.legend(frameon=False, fontsize=9, loc="best")
    return figure


def differences_figure(comparison: Comparison) -> Figure:
    """The difference in coverage between each set and the first, with its paired interval."""
    figure, axes = new_axes(6.4, 3.2)
    for pair, colour in zip(comparison.pairs, SERIES[1:], strict=False):
        band(axes, [(each.k, each.low, each.high) for each in pair.differences], colour.light, 0.15)
        ks, gaps = [each.k for each in pair.differences], [each.difference for each in pair.differences]
        axes.plot(ks, gaps, "o-", color=colour.light, lw=1.8, ms=4, mec="white", mew=0.7, label=name_text(pair.label))
    axes.axhline(0, color=INK, lw=0.9)
    k_axis(axes)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda gap, _: points(gap)))
    axes.set_ylabel(f"points over {name_text(comparison.sets[0].label)}")
    axes.legend(frameon=False, fontsize=9, loc="best")
    return figure
