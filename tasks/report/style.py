"""The style of figures: axes without frames, light grids, byte-for-byte reproducible files.

Figures are separate `matplotlib.figure.Figure` objects: no pyplot, no display, and no global state except the font
settings that matplotlib reads only from its configuration, and only while a file is saved. Importing this module takes
a second or two, so import it only when there is something to draw.
"""

import io
from collections.abc import Sequence
from threading import Lock

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogFormatter, MaxNLocator

from tasks.report.model import FigureFile
from tasks.report.palette import GREY
from tasks.report.phrases import visible

INK, RULE = "#22262B", "#E3E6EA"
# A longer name would leave no room for the axes.
_MAX_NAME = 60
_saving = Lock()


def k_axis(axes: Axes) -> None:
    """Make the x axis that of k, samples per problem, on a log scale."""
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda k, _: f"{k:,.0f}"))
    # With less than a decade on the axis, its minor ticks would get labels such as 2 × 10⁰.
    axes.xaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False, minor_thresholds=(1.1, 0.4)))
    axes.set_xlabel("samples per problem, k")


def band(axes: Axes, points: Sequence[tuple[float, float | None, float | None]], colour: str, alpha: float) -> None:
    """Draw a band through points (k or cost, low, high), leaving out those without an interval."""
    banded = [(x, low, high) for x, low, high in points if low is not None]
    if banded:
        xs, low, high = zip(*banded, strict=True)
        axes.fill_between(xs, low, high, color=colour, alpha=alpha, lw=0)


def new_axes(width: float, height: float, columns: int = 1) -> tuple[Figure, Axes]:
    """A figure of this size in inches with this many panels, and the axes of the first panel."""
    figure = Figure(figsize=(width, height), layout="constrained")
    for axes in np.atleast_1d(figure.subplots(1, columns)):
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GREY)
        axes.tick_params(colors=INK, labelsize=9, length=3, color=GREY)
        axes.tick_params(which="minor", length=2, color=GREY)
        axes.xaxis.label.set_color(INK)
        axes.yaxis.label.set_color(INK)
        axes.grid(visible=True, color=RULE, lw=0.7)
        axes.set_axisbelow(True)
    return figure, figure.axes[0]


def count_problems(axes: Axes, labels: Sequence[str], what: str) -> None:
    """The axes of bars that count problems: what each bar stands for, in the order of the labels."""
    axes.set_xticks(range(len(labels)), labels, rotation=40, ha="right", fontsize=8)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(what)
    axes.set_ylabel("problems")


def name_text(name: str, most: int = _MAX_NAME) -> str:
    """A name that users chose, as text that matplotlib draws as it is: dollars begin no formula, an underscore at its
    start does not hide it from the legend, hidden characters are shown as code points, and one of more than `most`
    characters is cut."""
    text = visible(name)
    text = (text if len(text) <= most else f"{text[: most - 1]}…").replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def files(name: str, figure: Figure) -> FigureFile:
    """A figure as SVG and PDF."""
    return FigureFile(name, save(figure, "svg", name), save(figure, "pdf", name))


def save(figure: Figure, format_: str, name: str) -> bytes:
    """A figure as `svg`, `pdf` or `png`; `name` makes the ids in an SVG."""
    stream = io.BytesIO()
    without_dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    # Type 42 embeds the PDF's font, as publishers require; the salt makes files reproducible.
    with _saving, rc_context({"svg.fonttype": "path", "svg.hashsalt": name, "pdf.fonttype": 42}):
        figure.savefig(stream, format=format_, dpi=200, metadata=without_dates.get(format_))
    return stream.getvalue()
