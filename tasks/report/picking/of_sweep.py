"""What ways of picking deliver of the samples of a sweep."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from tasks.errors import UserError
from tasks.report.picking.model import Picking
from tasks.report.picking.outcomes import in_classes
from tasks.scaling.summary import SweepSummary
from tasks.selection import Outcomes, Selector
from tasks.selection.available import available
from tasks.selection.forecast_of_votes import MIN_SAMPLES
from tasks.selection.summary import MAX_FORECAST, summarise
from tasks.store.inspect.answers import StoredAnswers, read_answers
from tasks.store.inspect.catalog import find
from tasks.sweep.sweep import Sweep

POINTS = 20
"""How many log-spaced k the curves of a report have, in addition to those of its table."""

ERROR = 0.004
"""The largest standard error of a mean that Monte Carlo may have in a report, which must not take long: `monkeys pick`
computes with half of it."""

_MAX_PROBLEMS = 500
"""With more problems, a report has no forecasts: they take about a millisecond for each problem and way of picking."""


def picking_of(sweep: Sweep, summary: SweepSummary, below: Mapping[str, int]) -> Picking | str | None:
    """What ways of picking deliver, by the answers and scores of the samples that count.

    Args:
        sweep: what has been drawn, graded and scored.
        summary: its summary.
        below: for each of its problems, the index below which samples count.

    Returns:
        Why there is nothing to show, in one sentence, if the samples have what a way of picking needs and it cannot be
        computed; None if they do not, none is graded, or sampling stopped at settled votes, which the report shows.
    """
    if summary.solving is not None:
        return (
            "What ways of picking deliver cannot be estimated under a budget that stops a problem at its first correct "
            "sample, since how many samples it has depends on their verdicts; a uniform budget gives it."
        )
    if not summary.samples or summary.voting is not None:
        return None
    try:
        stored = _read(sweep, summary, below)
    except UserError as error:
        return f"What ways of picking deliver could not be computed: {error}"
    read = in_classes(stored.problems, sweep.grading.grader)
    selectors = sorted(available(read.problems), key=lambda each: _by_drawing(each, stored.score_sets))
    if not selectors:
        return None
    found = summarise(read.problems, selectors, _to_forecast(read.problems), points=POINTS, error=ERROR)
    return Picking(
        summary=replace(found, notes=(*stored.notes, *read.notes, *found.notes)),
        secondary=frozenset(each.label for each in selectors if _by_drawing(each, stored.score_sets)),
        lacking=_lacking(sweep, read.problems),
    )


def _to_forecast(problems: Sequence[Outcomes]) -> list[int]:
    """The k beyond the samples to forecast: none where there are too many problems for it to be fast, or too few
    samples for any way of picking."""
    n = min(each.n for each in problems)
    return [MAX_FORECAST * n] if len(problems) <= _MAX_PROBLEMS and n >= MIN_SAMPLES else []


def _read(sweep: Sweep, summary: SweepSummary, below: Mapping[str, int]) -> StoredAnswers:
    store = sweep.samples.store
    samples = find(store, sweep.samples.identity.name)
    verdicts = next(each for each in samples.verdicts if each.name == sweep.grading.verdicts.identity.name)
    names = {each.scores.identity.name for each in sweep.scorings}
    scores = [each for each in samples.scores if each.name in names]
    return read_answers(store, samples, verdicts, scores, summary=summary, below=below)


def _by_drawing(selector: Selector, score_sets: Collection[str]) -> bool:
    """Whether it picks by scores none of which a scorer gave."""
    scores = {need.score for need in selector.needs if need.score}
    return bool(scores) and scores.isdisjoint(score_sets)


def _lacking(sweep: Sweep, problems: Sequence[Outcomes]) -> str | None:
    """Which of votes and scores there are none of, and why."""
    lacking = []
    if any(each.answers is None for each in problems):
        lacking.append(f"votes (the grader {sweep.grading.grader.name} keeps no answers, or no sample has one)")
    if not sweep.scorings:
        lacking.append("best of k by a scorer and votes weighted by it (the sweep has no `scorers`)")
    return f"Not shown: {', and '.join(lacking)}." if lacking else None
