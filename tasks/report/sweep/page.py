"""The report of a sweep as one HTML page (`tasks.report.html`)."""

from collections.abc import Sequence
from math import log
from typing import Any

from tasks.report import phrases
from tasks.report.cost.phrases import amount
from tasks.report.html import figure_links, link, page
from tasks.report.model import Example, FigureFile, ReportData
from tasks.report.palette import verdict_shares
from tasks.report.phrases import visible
from tasks.report.picking import page as picking
from tasks.report.sweep import tables
from tasks.report.sweep.pass_rates import by_difficulty, rate_bins
from tasks.report.sweep.vote_rows import vote_pairs, vote_rows
from tasks.report.verifiers import page as verifiers
from tasks.scaling.arrays import Ints
from tasks.scaling.estimators import Curve
from tasks.scaling.forecast import Forecast
from tasks.scaling.laws import PowerLaw
from tasks.scaling.summary import LikelySolves, Point, ProblemCount, SweepSummary, percent

# Enough to understand a sample, while 100 of them stay well below a megabyte.
_SHOWN_CHARACTERS = 4000
_LIKELY_ROWS, _LIKELY_NAMES = 10, 12


def render(report: ReportData, figures: Sequence[FigureFile] = ()) -> str:
    """The page as HTML text.

    Args:
        report: what to show.
        figures: figures offered for download under their plots (`tasks.report.sweep.figures.draw`).
    """
    summary = report.summary
    figure_of_picking = next((each for each in figures if each.name == "picking"), None)
    show = phrases.table_percent(summary)
    table = summary.table
    return page(
        "report.html.j2",
        title=report.title,
        plots={"coverage": coverage_plot(summary), "picking": picking.plot(report.picking)},
        report=report,
        summary=summary,
        picking=picking.section(report.picking, figure_of_picking),
        verifiers=verifiers.section(report.verifiers, figures),
        solving=summary.solving,
        vote_rows=[] if summary.voting is None else vote_rows(summary.voting),
        vote_pairs=[] if summary.voting is None else vote_pairs(summary.voting),
        show=show,
        interval=lambda low, high: phrases.interval(low, high, show),
        has_pass_hat_k=len(table) > 1 and table[0].pass_hat_k is not None,
        outlook=phrases.outlook_rows(summary.outlook, table[-1].k) if summary.outlook else [],
        held_out=phrases.backtest_rows(summary.laws) if summary.laws else [],
        held_out_sentence=phrases.backtest_sentence(summary.laws) if summary.laws else "",
        likely_solves=[_likely_row(row) for row in summary.likely_solves[:_LIKELY_ROWS]],
        usage=phrases.usage_rows(summary),
        amount=amount,
        priced=summary.usage is not None and summary.usage.price is not None,
        percent=percent,
        parameter=phrases.parameter,
        number=phrases.number,
        law=summary.law if isinstance(summary.law, PowerLaw) else None,
        law_sentence=phrases.law_sentence(summary),
        forecast_sentence=phrases.forecast_sentence(summary),
        forecast_rows=phrases.round_points(summary.forecast[1:]),
        shares=verdict_shares(summary.verdicts),
        bins=rate_bins(summary.problems),
        ordered=by_difficulty(summary.problems),
        ungraded=[problem for problem in summary.problems if not problem.n],
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
        "view": example.view,
        "text": example.text[:_SHOWN_CHARACTERS],
        "hidden": hidden,
    }


def _likely_row(row: LikelySolves) -> dict[str, Any]:
    named = ", ".join(row.problem_ids[:_LIKELY_NAMES])
    return {"names": named, "more": max(0, len(row.problem_ids) - _LIKELY_NAMES), "n": row.n, "chance": row.chance}


def coverage_plot(summary: SweepSummary) -> dict[str, Any]:
    """The data of the plot of coverage for the script (`templates/plot.js`)."""
    return _plot(series("", summary), [point.k for point in summary.table], summary.level)


def plot_of_curve(curve: Curve, marks: Ints) -> dict[str, Any]:
    """As `coverage_plot`, of coverage alone: without intervals, a law or a forecast."""
    measured = [[k, round(c, 6), None, None] for k, c in zip(curve.ks.tolist(), curve.coverage.tolist(), strict=True)]
    return _plot({"name": "", "measured": measured, "forecast": [], "law": [], "every": []}, marks.tolist(), 0)


def _plot(of: dict[str, Any], marks: list[int], level: float) -> dict[str, Any]:
    return {"title": "coverage", "signed": False, "series": [of], "marks": marks, "crossings": [], "level": level}


def series(name: str, summary: SweepSummary) -> dict[str, Any]:
    """The data of one curve for the script: measured points as [k, coverage, low, high], forecasts as [k, coverage,
    low90, high90, low50, high50], lines as [k, value]; rounded to what a pixel can show."""
    law = []
    if isinstance(summary.law, PowerLaw):
        ks = [point.k for point in summary.measured]
        law = [[k, round(c, 6)] for k, c in zip(ks, summary.law.predict(ks).tolist(), strict=True)]
    return {
        "name": visible(name),
        "measured": [_numbers(point) for point in summary.measured],
        "forecast": [_ends(point) for point in summary.forecast],
        "law": law,
        "every": [[point.k, round(point.pass_hat_k, 6)] for point in summary.measured if point.pass_hat_k is not None],
    }


def _numbers(point: Point) -> list[float | None]:
    values = (point.coverage, point.low, point.high)
    return [point.k, *(None if value is None else round(value, 6) for value in values)]


def _ends(point: Forecast) -> list[float]:
    values = (point.coverage, point.low90, point.high90, point.low50, point.high50)
    return [point.k, *(round(value, 6) for value in values)]


def _shade(problems: Sequence[ProblemCount]) -> Any:
    """The shade of a problem's cell, from 0.12 to 1, linear in the logarithm of its pass rate."""
    largest = max((problem.n for problem in problems), default=1)

    def shade(problem: ProblemCount) -> float:
        return round(1 + 0.88 * log(problem.c / problem.n) / log(max(largest, 2)), 3)

    return shade


def _downloads(summary: SweepSummary, figures: Sequence[FigureFile]) -> dict[str, list[dict[str, str]]]:
    """Links for each plot, by name: its numbers as CSV, and its figure if one was drawn."""
    links = {
        "coverage": [link("coverage.csv", tables.coverage_csv(summary))],
        "solved": [link("solved.csv", tables.solved_csv(summary))],
        "votes": [link("votes.csv", tables.votes_csv(summary))],
        "heat_map": [link("problems.csv", tables.problems_csv(summary))],
        "pass_rates": [link("problems.csv", tables.problems_csv(summary))],
        "verdicts": [link("verdicts.csv", tables.verdicts_csv(summary))],
    }
    for figure in figures:
        if figure.name in links:
            links[figure.name] += figure_links(figure)
    return links
