"""The figure of a comparison by cost for papers and talks (`tasks.report.style`)."""

from math import log10

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

from tasks.costs.comparison import CostComparison, CostedSet, CostPoint
from tasks.costs.curves import Option
from tasks.costs.measures import Measure
from tasks.report.cost.phrases import cost_label, option_text, solved_label
from tasks.report.model import FigureFile
from tasks.report.palette import DARK, GREY, SERIES
from tasks.report.style import INK, band, files, name_text, new_axes
from tasks.scaling.arrays import Floats

# Costs at which the frontier is drawn, and by how much a mixture must solve more to be drawn.
_POINTS = 400
_VISIBLE = 0.002


def draw(of: CostComparison) -> FigureFile:
    """`frontier`: accuracy against cost."""
    return files("frontier", frontier_figure(of))


def frontier_figure(of: CostComparison) -> Figure:
    """Coverage of every set against its cost, on a log axis: its interval as a band, its k at powers of ten. Sets that
    cost nothing are left out.

    The frontier is a broad grey line behind the curves, and mixtures of two sets are dashed where they solve more. A
    star is the answer to a share to reach, and a diamond that to a budget.
    """
    figure, axes = new_axes(6.4, 4.2)
    axes.set_xscale("log")
    axes.margins(x=0.07)
    at, alone, with_mixtures = _best_lines(of)
    if len(of.sets) > 1:
        axes.plot(at, alone, color=GREY, lw=7, alpha=0.35, solid_capstyle="round", label="frontier")
    if np.isfinite(with_mixtures).any():
        axes.plot(at, with_mixtures, color=DARK, lw=1.1, ls=(0, (4, 2.5)), label="mixtures of two")
        better = [each for each in of.mixed if each.option.accuracy > each.alone + _VISIBLE]
        band(axes, [(each.option.cost, each.low, each.high) for each in better], DARK, 0.06)
    for number, (each, colour) in enumerate(zip(of.sets, SERIES, strict=False)):
        shown = [point for point in each.curve if point.cost > 0]
        if not shown:
            continue
        band(axes, [(point.cost, point.low, point.high) for point in shown], colour.light, 0.12)
        axes.plot(
            [point.cost for point in shown],
            [point.accuracy for point in shown],
            color=colour.light,
            lw=1.9,
            marker="o" if len(shown) == 1 else "",
            label=name_text(each.label),
            zorder=3,
        )
        for point in _marked(each):
            axes.plot(point.cost, point.accuracy, "o", color=colour.light, ms=4.5, mec="white", mew=0.7, zorder=4)
            axes.annotate(
                f"k = {point.k:,}" if point.k == 1 else f"{point.k:,}",
                (point.cost, point.accuracy),
                xytext=(-4, 6) if number % 2 else (4, -10),  # so that those of two sets rarely overlap
                textcoords="offset points",
                ha="right" if number % 2 else "left",
                fontsize=7.5,
                color=colour.light,
            )
    if of.reach is not None and of.reach.option is not None:
        axes.axhline(of.reach.accuracy, color=INK, lw=0.8, ls=":")
        _mark_answer(axes, of.reach.option, "cheapest", "*", 11)
    if of.budget is not None and of.budget.option is not None:
        axes.axvline(of.budget.budget, color=INK, lw=0.8, ls=":")
        _mark_answer(axes, of.budget.option, "best use", "D", 6)
    axes.xaxis.set_major_locator(LogLocator(numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: _tick(cost, of.measure)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(cost_label(of))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.set_ylim(0, None)
    axes.set_ylabel(name_text(solved_label(of)))
    axes.legend(frameon=False, fontsize=8.5, loc="best")
    return figure


def _mark_answer(axes: Axes, option: Option, what: str, marker: str, size: float) -> None:
    label = f"{what}: {name_text(option_text(option))}"
    axes.plot(option.cost, option.accuracy, marker, color=INK, ms=size, mec="white", mew=0.8, zorder=5, label=label)


def _best_lines(of: CostComparison) -> tuple[Floats, Floats, Floats]:
    """Costs, the most that one set solves at each, and the most that mixtures solve where that is more, else NaN. As in
    the curves, straight lines join the options: some problems get the one, some the other."""
    curves = [shown for each in of.sets if (shown := [point for point in each.curve if point.cost > 0])]
    costs = [point.cost for curve in curves for point in curve]
    at = np.geomspace(min(costs), max(costs), _POINTS)
    alone = np.zeros(len(at))
    for curve in curves:
        reached = np.maximum.accumulate([point.accuracy for point in curve])
        alone = np.maximum(alone, np.interp(at, [point.cost for point in curve], reached, left=0.0))
    mixed = [
        point.option for point in of.mixed if point.option.accuracy > np.interp(point.option.cost, at, alone) + _VISIBLE
    ]
    if not mixed:
        return at, alone, np.full(len(at), np.nan)
    together = np.interp(at, [each.cost for each in mixed], [each.accuracy for each in mixed], left=0.0)
    return at, alone, np.where(together > alone + _VISIBLE, together, np.nan)


def _marked(each: CostedSet) -> list[CostPoint]:
    """The points at powers of ten of k, and the last one."""
    last = each.curve[-1].k
    powers = {10**power for power in range(len(str(last))) if 3 * 10**power <= last}
    return [point for point in each.curve if point.cost > 0 and point.k in powers | {last}]


def _tick(cost: float, measure: Measure) -> str:
    """A power of ten as a label: $0.01, 1,000 or 10¹⁵."""
    if measure is Measure.DOLLARS:
        return f"${cost:,.0f}" if cost >= 1 else f"${cost:g}"
    return f"{cost:,.0f}" if 1 <= cost < 1e6 else f"$10^{{{round(log10(cost))}}}$"
