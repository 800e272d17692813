"""The figures of a sweep for papers and talks: vector SVG and PDF with their fonts inside (`tasks.report.style`)."""

from collections.abc import Callable
from math import ceil, log, sqrt

import numpy as np
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from tasks.report.model import FigureFile
from tasks.report.palette import BLUE, DARK, FORECAST, GREY, LAW, verdict_shares
from tasks.report.style import INK, band, count_problems, files, k_axis, new_axes
from tasks.report.sweep.pass_rates import by_difficulty, rate_bins
from tasks.report.sweep.vote_figure import votes_figure
from tasks.scaling.laws import PowerLaw
from tasks.scaling.summary import SweepSummary


def draw(summary: SweepSummary) -> tuple[FigureFile, ...]:
    """The figures of a sweep for which there are numbers: `coverage`, `solved` or `votes`, `heat_map`, `pass_rates` and
    `verdicts`."""
    drawn: list[tuple[str, Callable[[SweepSummary], Figure]]] = []
    if summary.voting is not None:
        drawn.append(("votes", votes_figure))
    elif summary.solving is not None:
        drawn.append(("solved", solved_figure))
    elif summary.curve:
        drawn += [("coverage", coverage_figure), ("heat_map", heat_map_figure), ("pass_rates", pass_rate_figure)]
    if verdict_shares(summary.verdicts):
        drawn.append(("verdicts", verdict_figure))
    return tuple(files(name, figure(summary)) for name, figure in drawn)


def coverage_figure(summary: SweepSummary) -> Figure:
    """Coverage against k on a log axis with its interval as a band; the forecast beyond the data is dashed
    and labelled."""
    figure, axes = new_axes(6.4, 4.0)
    ks = [point.k for point in summary.curve]
    band(axes, [(point.k, point.low, point.high) for point in summary.curve], BLUE, 0.18)
    axes.plot(
        ks,
        [point.coverage for point in summary.curve],
        color=BLUE,
        lw=2,
        label=f"measured, {summary.level:.0%} over problems",
        zorder=3,
    )
    axes.plot(
        [point.k for point in summary.table],
        [point.coverage for point in summary.table],
        "o", color=BLUE, ms=4.5, mec="white", mew=0.8, zorder=4,
    )  # fmt: skip
    if isinstance(summary.law, PowerLaw):
        axes.plot(ks, summary.law.predict(ks), color=LAW.light, lw=1, ls=":", label="fitted power law", zorder=2)
    if summary.forecast:
        beyond = [point.k for point in summary.forecast]
        outer = [(point.low90, point.high90) for point in summary.forecast]
        inner = [(point.low50, point.high50) for point in summary.forecast]
        for ends in (outer, inner):
            low, high = zip(*ends, strict=True)
            axes.fill_between(beyond, low, high, color=FORECAST.light, alpha=0.13, lw=0)
        axes.plot(
            beyond,
            [point.coverage for point in summary.forecast],
            color=FORECAST.light, lw=1.6, ls=(0, (4, 2.5)), label="forecast, 50% and 90% over samples", zorder=2,
        )  # fmt: skip
        axes.axvline(ks[-1], color=GREY, lw=0.8, ls=":")
        axes.annotate(
            "forecast →", (ks[-1], 1.0), (4, -11), xycoords=("data", "axes fraction"),
            textcoords="offset points", color=DARK, fontsize=8,
        )  # fmt: skip
    k_axis(axes)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.set_ylim(0, min(1.02, 1.12 * _highest(summary)) or 1.02)
    axes.set_ylabel("coverage (pass@k)")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return figure


def solved_figure(summary: SweepSummary) -> Figure:
    """The number of problems by samples to their first success, and of those without one.

    Raises:
        ValueError: sampling did not stop at first successes.
    """
    if summary.solving is None:
        raise ValueError("sampling did not stop at first successes: there is nothing to draw")
    figure, axes = new_axes(6.4, 3.4)
    steps = summary.solving.steps()
    left = summary.solving.problems - summary.solving.solved
    before = [0, *(step.k for step in steps)]
    labels = [
        f"{step.k:,}" if step.k == low + 1 else f"{low + 1:,}–{step.k:,}"
        for low, step in zip(before, steps, strict=False)
    ]
    heights = [*(step.problems for step in steps), left]
    axes.bar(range(len(heights)), heights, color=[*[BLUE] * len(steps), GREY], width=0.82)
    count_problems(axes, [*labels, "not solved"], "samples to the first success")
    return figure


def heat_map_figure(summary: SweepSummary) -> Figure:
    """A cell for each problem, easiest first; the more of its samples are correct, the darker (on a log scale); crossed
    if none are."""
    ordered = by_difficulty(summary.problems)
    columns = max(10, ceil(sqrt(4 * len(ordered))))
    rows = ceil(len(ordered) / columns)
    figure, axes = new_axes(6.4, 0.7 + 6.0 * rows / columns)
    deepest = log(max(2, *(problem.n for problem in ordered)))
    colours = LinearSegmentedColormap.from_list("rate", ["#DCEBF5", BLUE])
    cells, crosses = [], []
    for place, problem in enumerate(ordered):
        x, y = place % columns, place // columns
        solved = problem.c > 0
        shade = colours(1 + log(problem.c / problem.n) / deepest) if solved else "#F1F3F5"
        cells.append(Rectangle((x - 0.45, y - 0.45), 0.9, 0.9, facecolor=shade))
        if not solved:
            crosses.append([(x - 0.25, y + 0.25), (x + 0.25, y - 0.25)])
    axes.add_collection(PatchCollection(cells, match_original=True))
    axes.add_collection(LineCollection(crosses, colors=GREY, linewidths=0.9))
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(
        "problems, easiest first: the darker, the more samples are correct; crossed if none are",
        fontsize=8, color=INK, loc="left",
    )  # fmt: skip
    return figure


def pass_rate_figure(summary: SweepSummary) -> Figure:
    """Two panels: the number of problems by pass rate, and the pass rate of each problem, easiest first, on a log
    axis."""
    figure, left = new_axes(8.0, 3.4, columns=2)
    right = figure.axes[1]
    bins = rate_bins(summary.problems)
    colours = [GREY if item is bins[0] else BLUE for item in bins]
    left.bar(range(len(bins)), [item.count for item in bins], color=colours, width=0.82)
    count_problems(left, [item.label for item in bins], "pass rate of the problem")
    ordered = by_difficulty(summary.problems)
    rates = np.array([problem.c / problem.n for problem in ordered])
    rank = np.arange(1, len(ordered) + 1)
    solved = rates > 0
    floor = 0.5 / max(problem.n for problem in ordered)
    right.plot(rank[solved], rates[solved], ".", color=BLUE, ms=5)
    right.plot(rank[~solved], np.full((~solved).sum(), floor), "x", color=GREY, ms=4, mew=0.9)
    right.set_yscale("log")
    right.set_ylim(floor * 0.7, 1.4)
    right.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{100 * rate:.4g}%"))
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.set_xlabel("problem, easiest first" + ("" if solved.all() else " (×: never solved)"))
    right.set_ylabel("pass rate")
    return figure


def verdict_figure(summary: SweepSummary) -> Figure:
    """Samples by verdict, as bars with their counts."""
    shares = verdict_shares(summary.verdicts)
    figure, axes = new_axes(6.4, 0.9 + 0.36 * len(shares))
    rows = range(len(shares))
    axes.barh(rows, [item.count for item in shares], color=[item.style.colour.light for item in shares], height=0.72)
    for row, item in zip(rows, shares, strict=True):
        share = "left out of n" if item.share is None else f"{item.share:.1%}"
        axes.annotate(
            f"{item.count:,} ({share})", (item.count, row), (5, 0), textcoords="offset points",
            va="center", fontsize=8.5, color=INK,
        )  # fmt: skip
    axes.set_yticks(rows, [item.style.label for item in shares])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.28 * max(item.count for item in shares))
    axes.grid(visible=False)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    return figure


def _highest(summary: SweepSummary) -> float:
    measured = (value for point in summary.curve for value in (point.coverage, point.high) if value is not None)
    return max([*measured, *(point.high90 for point in summary.forecast)])
