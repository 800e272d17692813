"""The result of a sweep as Markdown, for the Prefect UI, a pull request or a log."""

from tasks.report.palette import verdict_shares
from tasks.report.phrases import (
    backtest_rows,
    backtest_sentence,
    interval,
    law_sentence,
    table_percent,
    usage_rows,
    visible,
)
from tasks.report.picking.model import Picking
from tasks.report.picking.phrases import gap_sentence
from tasks.report.picking.tables import table_rows
from tasks.report.sweep.vote_rows import vote_rows
from tasks.scaling.summary import SweepSummary


def markdown(summary: SweepSummary, title: str, picking: Picking | None = None) -> str:
    """The headline, coverage table, laws, costs and verdicts of a sweep, and what ways of picking deliver."""
    show = table_percent(summary)
    lines = [f"# {escape(title)}", "", f"**{summary.headline}**", ""]
    if summary.table:
        lines += [f"| k | coverage | {summary.level:.0%} interval |", "|--:|--:|:-:|"]
        lines += [
            f"| {point.k:,} | {show(point.coverage)} | {interval(point.low, point.high, show)} |"
            for point in summary.table
        ]
        lines += ["", law_sentence(summary), ""]
    if picking is not None:
        rows = table_rows(picking.summary)
        lines += [f"| {' | '.join(rows[0])} |", "|:--|" + "--:|" * (len(rows[0]) - 1)]
        lines += [f"| {' | '.join(map(escape, row.values()))} |" for row in rows]
        lines += ["", escape(gap_sentence(picking.summary) or ""), ""]
    if summary.laws is not None:
        lines += ["| law | median | r.m.s. |", "|:--|--:|--:|"]
        lines += [f"| {escape(law)} | {median} | {rms} |" for law, median, rms in backtest_rows(summary.laws)]
        lines += ["", backtest_sentence(summary.laws), ""]
    if summary.solving is not None:
        lines += ["| samples | problems newly solved |", "|--:|--:|"]
        lines += [f"| {step.k:,} | {step.problems:,} |" for step in summary.solving.steps()]
        lines.append("")
    if summary.voting is not None:
        lines += ["| samples | problems | right answers |", "|--:|--:|--:|"]
        lines += [f"| {row.label} | {row.problems:,} | {row.right:,g} |" for row in vote_rows(summary.voting)]
        lines.append("")
    if usage := usage_rows(summary):
        lines += ["| cost | |", "|:--|--:|"]
        lines += [f"| {label} | {value} |" for label, value in usage]
        lines.append("")
    if shares := verdict_shares(summary.verdicts):
        lines += ["| verdict | samples | share |", "|:--|--:|--:|"]
        lines += [
            f"| {escape(item.style.label)} | {item.count:,} | "
            f"{'left out of n' if item.share is None else f'{item.share:.1%}'} |"
            for item in shares
        ]
        lines.append("")
    lines += [f"- {escape(note)}" for note in summary.notes]
    return "\n".join(lines).rstrip() + "\n"


def escape(text: str) -> str:
    """Text escaped so that Markdown and HTML show it literally, on one line."""
    flat = visible(" ".join(text.split()))
    for mark in "\\`*_[]<>|#":
        flat = flat.replace(mark, f"&#{ord(mark)};")
    return flat
