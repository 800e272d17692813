"""The page of a set: its coverage, its verdicts, and its problems by difficulty."""

from typing import Any

from tasks.report.palette import verdict_shares
from tasks.report.sweep.page import coverage_plot, plot_of_curve
from tasks.scaling.estimators import Counts, coverage, log_spaced_ks, round_ks
from tasks.scaling.summary import SweepSummary
from tasks.store.notes import note_keys
from tasks.viewer.library import Found, Library
from tasks.viewer.listing import flattened
from tasks.viewer.rendering import page
from tasks.viewer.tallies import Tally, total

GROUPS = {
    "all": "all",
    "never": "never solved",
    "once": "solved by one sample",
    "sometimes": "solved by some samples",
    "always": "solved by every sample",
}
_ROWS = 500


def render(library: Library, found: Found, group: str = "all") -> str:
    """The page as HTML; `group` is one of `GROUPS`."""
    tallies, counts = library.tallies(found)
    summary = library.summary(found)
    plot, of_report = _plot(summary, counts)
    shown = [each for each in tallies if _in_group(each, group)]
    shown.sort(key=lambda each: (-(each.rate if each.rate is not None else -1), each.position))
    samples = found.samples
    return page(
        "set.html.j2",
        title=samples.label,
        plots={"coverage": plot} if plot else {},
        samples=samples,
        verdicts=found.verdicts,
        state=found.state,
        notes=len(note_keys(library.store, samples.name)),
        ingredients=flattened(samples.ingredients),
        rule=flattened(found.verdicts.ingredients) if found.verdicts else [],
        shares=verdict_shares(total(tallies)),
        table=_table(counts),
        summary=summary if of_report else None,
        uneven=not of_report and int(counts.n.sum()) < sum(each.n for each in tallies),
        tallies=shown[:_ROWS],
        hidden=max(0, len(shown) - _ROWS),
        group=group,
        groups={name: (label, sum(_in_group(each, name) for each in tallies)) for name, label in GROUPS.items()},
        solved=sum(each.c > 0 for each in tallies),
        problems=len(samples.by_problem),
    )


def _in_group(tally: Tally, group: str) -> bool:
    match group:
        case "never":
            return tally.n > 0 and tally.c == 0
        case "once":
            return tally.c == 1
        case "sometimes":
            return 0 < tally.c < tally.n
        case "always":
            return 0 < tally.c == tally.n
        case _:
            return True


def _plot(summary: SweepSummary | None, counts: Counts) -> tuple[dict[str, Any] | None, bool]:
    """The data of the curve, and whether they are the latest report's: they are while nothing was graded since."""
    if summary is not None and summary.gives_coverage and summary.samples >= int(counts.n.sum()) and summary.measured:
        return coverage_plot(summary), True
    if not counts.reach:
        return None, False
    return plot_of_curve(coverage(counts, log_spaced_ks(counts.reach)), round_ks(counts.reach)), False


def _table(counts: Counts) -> list[tuple[int, float]]:
    if not counts.reach:
        return []
    curve = coverage(counts, round_ks(counts.reach))
    return [(int(k), float(c)) for k, c in zip(curve.ks, curve.coverage, strict=True)]
