"""The report of a sweep as one HTML page that needs nothing else: no network, no file beside it.

Sample texts and names are untrusted. The template escapes every one, control and direction-changing characters are
made visible, and a content security policy lets only the page's own script run, by its hash.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from math import log
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from tasks.report import tables, wording
from tasks.report.data import Example, FigureFile, ReportData
from tasks.report.palette import verdict_shares
from tasks.report.passrates import by_difficulty, rate_bins
from tasks.report.wording import visible
from tasks.scaling.forecast import Forecast
from tasks.scaling.laws import PowerLaw
from tasks.scaling.summary import Point, ProblemCount, SweepSummary, percent

# Enough to judge a sample by, and 100 of them stay far below a megabyte.
_SHOWN_CHARACTERS = 4000


def render(report: ReportData, figures: Sequence[FigureFile] = ()) -> str:
    """The page as HTML text.

    Args:
        report: what to show.
        figures: figures offered for download under their plots (`tasks.report.figures.draw`).
    """
    summary = report.summary
    script = _part("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    show = wording.table_percent(summary)
    return _template().render(
        report=report,
        summary=summary,
        style=Markup(_part("report.css")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704
        script_hash=digest,
        plot=_plot_data(summary),
        show=show,
        interval=lambda low, high: wording.interval(low, high, show),
        outlook=wording.outlook_rows(summary.outlook, summary.table[-1].k) if summary.outlook else [],
        percent=percent,
        parameter=wording.parameter,
        number=wording.number,
        law=summary.law if isinstance(summary.law, PowerLaw) else None,
        law_sentence=wording.law_sentence(summary),
        forecast_sentence=wording.forecast_sentence(summary),
        forecast_rows=wording.round_points(summary.forecast[1:]),
        shares=verdict_shares(summary.verdicts),
        bins=rate_bins(summary.problems),
        ordered=by_difficulty(summary.problems),
        unjudged=[problem for problem in summary.problems if not problem.n],
        shade=_shade(summary.problems),
        examples=[_shown(example) for example in report.examples],
        downloads=_downloads(summary, figures),
    )


def _shown(example: Example) -> dict[str, Any]:
    hidden = max(0, len(example.text) - _SHOWN_CHARACTERS)
    return {
        "problem_id": example.problem_id,
        "index": example.index,
        "verdict": example.verdict,
        "detail": example.detail[:500],
        "text": example.text[:_SHOWN_CHARACTERS],
        "hidden": hidden,
    }


def _plot_data(summary: SweepSummary) -> dict[str, Any]:
    """What the script draws: measured points as [k, coverage, low, high], forecasts as [k, coverage, low90, high90,
    low50, high50], rounded to what a pixel can show."""
    law = []
    if isinstance(summary.law, PowerLaw):
        ks = [point.k for point in summary.measured]
        law = [[k, round(c, 6)] for k, c in zip(ks, summary.law.predict(ks).tolist(), strict=True)]
    return {
        "measured": [_numbers(point) for point in summary.measured],
        "forecast": [_ends(point) for point in summary.forecast],
        "law": law,
        "marks": [point.k for point in summary.table],
        "level": summary.level,
    }


def _numbers(point: Point) -> list[float | None]:
    values = (point.coverage, point.low, point.high)
    return [point.k, *(None if value is None else round(value, 6) for value in values)]


def _ends(point: Forecast) -> list[float]:
    values = (point.coverage, point.low90, point.high90, point.low50, point.high50)
    return [point.k, *(round(value, 6) for value in values)]


def _shade(problems: Sequence[ProblemCount]) -> Any:
    """How deep a problem's cell is coloured, 0.12 to 1, even in the logarithm of its pass rate."""
    largest = max((problem.n for problem in problems), default=1)

    def shade(problem: ProblemCount) -> float:
        return round(1 + 0.88 * log(problem.c / problem.n) / log(max(largest, 2)), 3)

    return shade


def _downloads(summary: SweepSummary, figures: Sequence[FigureFile]) -> dict[str, list[dict[str, str]]]:
    """Links for each plot, by its name: the numbers as CSV, and its figure where one was drawn."""
    links = {
        "coverage": [_link("CSV", "coverage.csv", "text/csv", tables.coverage_csv(summary))],
        "pass_rates": [_link("CSV", "problems.csv", "text/csv", tables.problems_csv(summary))],
        "verdicts": [_link("CSV", "verdicts.csv", "text/csv", tables.verdicts_csv(summary))],
    }
    for figure in figures:
        links[figure.name] += [
            _link("SVG", f"{figure.name}.svg", "image/svg+xml", figure.svg),
            _link("PDF", f"{figure.name}.pdf", "application/pdf", figure.pdf),
        ]
    return links


def _link(label: str, name: str, kind: str, content: bytes | str) -> dict[str, str]:
    if isinstance(content, str):
        content = content.encode("utf-8", errors="backslashreplace")
    return {"label": label, "name": name, "href": f"data:{kind};base64,{base64.b64encode(content).decode()}"}


def _part(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _finalize(value: object) -> object:
    """What an expression of the template puts on the page: text from outside goes through `visible`."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, finalize=_finalize, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_part("report.html.j2"))
