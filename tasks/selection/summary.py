"""Coverage and what each way of picking delivers, as one plain object: the numbers of `monkeys pick`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tasks.errors import UserError
from tasks.scaling import interval_over_samples as scaling_samples
from tasks.scaling.arrays import Floats, Ints, finite_or_none
from tasks.scaling.estimators import Band, Counts, coverage, log_spaced_ks, round_ks
from tasks.scaling.forecast import Forecaster
from tasks.scaling.interval_over_problems import interval_of_mean, interval_over_problems
from tasks.selection import Outcomes, Selector
from tasks.selection.curves import Plateau, pick_curve, plateau
from tasks.selection.forecast import PickForecast, forecast
from tasks.selection.interval_over_samples import interval_over_samples
from tasks.selection.limits import Interval, Likeness, likeness, modal_ceiling
from tasks.selection.simulation import ERROR

# By default tables have no more k than fit on a line.
_MAX_COLUMNS = 5
MAX_FORECAST = 10
"""How many times the samples a forecast reaches: further ones were not backtested."""
_FORECAST_POINTS = 6


@dataclass(frozen=True, slots=True)
class PickPoint:
    """Accuracy (or coverage) at one k: `low` and `high` are the interval over problems, `low_samples` and
    `high_samples` that over samples; None where there is none. `error` is the standard error of Monte Carlo, 0 where
    `value` is exact."""

    k: int
    value: float
    error: float
    low: float | None
    high: float | None
    low_samples: float | None
    high_samples: float | None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A point of a curve in a figure, with the interval over problems."""

    k: int
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class PickedCurve:
    """Coverage, or one way of picking: `table` at the k of tables, `curve` at log-spaced k. `plateau` is None for
    coverage. `scores` are the names of the scores that it picks by. `forecast` is at the k asked for beyond the samples
    and, for figures, at log-spaced ones before; empty where none was asked for, or there is no forecast of this way."""

    label: str
    table: tuple[PickPoint, ...]
    curve: tuple[CurvePoint, ...]
    plateau: Plateau | None
    scores: tuple[str, ...] = ()
    forecast: tuple[PickForecast, ...] = ()


@dataclass(frozen=True, slots=True)
class PickSummary:
    """Coverage and each way of picking, for the same samples. `ceiling` is the modal ceiling, None where samples have
    no answers; `likeness` says how alike the samples of a problem are; `notes` are whole sentences."""

    problems: int
    samples: int
    without_answer: int
    coverage: PickedCurve
    picked: tuple[PickedCurve, ...]
    ceiling: Interval | None
    likeness: Likeness | None
    level: float
    notes: tuple[str, ...]
    beyond: tuple[int, ...] = ()
    """The k asked for beyond the samples."""

    @property
    def gap(self) -> tuple[PickedCurve, float] | None:
        """At the largest k, the way of picking that delivers most, and by how much coverage exceeds it."""
        if not self.picked:
            return None
        best = max(self.picked, key=lambda each: each.table[-1].value)
        return best, self.coverage.table[-1].value - best.table[-1].value


def summarise(
    problems: Sequence[Outcomes],
    selectors: Sequence[Selector],
    ks: Sequence[int] | None = None,
    *,
    level: float = 0.95,
    seed: int = 0,
    points: int = 40,
    error: float = ERROR,
) -> PickSummary:
    """Coverage and the accuracy of each way of picking.

    Args:
        problems: the samples of each problem.
        selectors: the ways of picking.
        ks: the k of tables; None takes round ones up to the smallest n, and that. Those above the smallest n are
            forecast.
        level: probability of the intervals.
        seed: seed of Monte Carlo and of resampling.
        points: how many log-spaced k the curves have, in addition to round ones and those of tables.
        error: the largest standard error of a mean that Monte Carlo may have.

    Raises:
        UserError: there are no problems, a selector lacks what it needs, or a k is below 1 or beyond `MAX_FORECAST`
            times the smallest n.
    """
    if not problems:
        raise UserError("there are no problems to pick answers for")
    counts = Counts.of(
        [each.problem_id for each in problems],
        np.array([each.n for each in problems]),
        np.array([int(each.correct.sum()) for each in problems]),
    )
    wanted, beyond = _checked_ks(ks, counts)
    # Round k are those of tables of costs, which show what a right answer costs at each.
    drawn = np.union1d(log_spaced_ks(counts.reach, points), np.union1d(wanted, round_ks(counts.reach)))
    ahead = _ahead(beyond, counts.reach)
    answered = all(each.answers is not None for each in problems)
    picked = tuple(
        replace(
            _picked(each, problems, wanted, drawn, level=level, seed=seed, error=error),
            forecast=forecast(each, problems, ahead, seed) if len(ahead) else (),
        )
        for each in selectors
    )
    return PickSummary(
        problems=len(problems),
        samples=int(counts.n.sum()),
        without_answer=sum(int((each.voters < 0).sum()) for each in problems) if answered else 0,
        coverage=replace(_coverage(counts, wanted, drawn, level, seed), forecast=_coverage_ahead(counts, ahead)),
        picked=picked,
        ceiling=modal_ceiling(problems, level, seed) if answered else None,
        likeness=likeness(counts, level, seed=seed),
        level=level,
        notes=(*_notes(problems, selectors, counts), *_notes_ahead(picked, beyond)),
        beyond=tuple(beyond.tolist()),
    )


def table_ks(n: int) -> Ints:
    """The k of tables by default: round ones up to n, and n; only powers of ten where there are many."""
    every = round_ks(n)
    decades = np.unique([*(10**power for power in range(len(str(n)))), n])
    return every if len(every) <= _MAX_COLUMNS else decades.astype(np.int64)


def _checked_ks(ks: Sequence[int] | None, counts: Counts) -> tuple[Ints, Ints]:
    """The k that the samples reach, and those to forecast."""
    wanted = np.unique(np.array(() if ks is None else ks, dtype=np.int64))
    outside = [k for k in wanted.tolist() if not 1 <= k <= MAX_FORECAST * counts.reach]
    if outside:
        fewest = counts.problem_ids[int(counts.n.argmin())]
        raise UserError(
            f"k = {outside[-1]:,} is out of reach: k must be between 1 and {MAX_FORECAST * counts.reach:,}, "
            f"{MAX_FORECAST} times the number of samples of problem {fewest!r}"
        )
    within = wanted[wanted <= counts.reach]
    return within if len(within) else table_ks(counts.reach), wanted[wanted > counts.reach]


def _ahead(beyond: Ints, n: int) -> Ints:
    """The k to forecast: those asked for, and a few before the largest, for figures."""
    if not len(beyond):
        return beyond
    spaced = np.rint(np.geomspace(n + 1, beyond[-1], _FORECAST_POINTS)).astype(np.int64)
    ahead: Ints = np.union1d(spaced, beyond)
    return ahead


def _coverage_ahead(counts: Counts, ks: Ints) -> tuple[PickForecast, ...]:
    if not len(ks):
        return ()
    return tuple(
        PickForecast(each.k, each.coverage, each.low90, each.high90) for each in Forecaster(counts).at(ks.tolist())
    )


def _notes_ahead(picked: Sequence[PickedCurve], beyond: Ints) -> list[str]:
    without = [each.label for each in picked if not each.forecast] if len(beyond) else []
    return [f"No forecast beyond the samples: {', '.join(without)}."] if without else []


def _coverage(counts: Counts, ks: Ints, drawn: Ints, level: float, seed: int) -> PickedCurve:
    values = coverage(counts, drawn).coverage
    band = interval_over_problems(counts, drawn, level, seed=seed)
    at = np.searchsorted(drawn, ks)
    over_samples = scaling_samples.interval_over_samples(counts, ks, level, seed)
    return PickedCurve(
        "coverage",
        _table(ks, values[at], np.zeros(len(ks)), band.at(at), over_samples),
        _curve(drawn, values, band),
        None,
    )


def _picked(
    selector: Selector, problems: Sequence[Outcomes], ks: Ints, drawn: Ints, *, level: float, seed: int, error: float
) -> PickedCurve:
    whole = pick_curve(selector, problems, drawn, error=error, seed=seed)
    band = interval_of_mean(whole.each, level, seed=seed)
    at = np.searchsorted(drawn, ks)
    of_table = whole.at(at)
    over_samples = interval_over_samples(selector, problems, of_table, level, seed)
    return PickedCurve(
        selector.label,
        _table(ks, of_table.accuracy, of_table.error, band.at(at), over_samples),
        _curve(drawn, whole.accuracy, band),
        plateau(whole, level=level, seed=seed),
        tuple(need.score for need in selector.needs if need.score),
    )


def _table(ks: Ints, values: Floats, errors: Floats, problems: Band, samples: Band) -> tuple[PickPoint, ...]:
    columns = (problems.low, problems.high, samples.low, samples.high)
    rows = zip(ks.tolist(), values.tolist(), errors.tolist(), *map(finite_or_none, columns), strict=True)
    return tuple(PickPoint(*row) for row in rows)


def _curve(ks: Ints, values: Floats, band: Band) -> tuple[CurvePoint, ...]:
    rows = zip(ks.tolist(), values.tolist(), finite_or_none(band.low), finite_or_none(band.high), strict=True)
    return tuple(CurvePoint(*row) for row in rows)


def _notes(problems: Sequence[Outcomes], selectors: Sequence[Selector], counts: Counts) -> list[str]:
    notes: list[str] = []
    silent = sum(int((each.voters < 0).sum()) for each in problems if each.answers is not None)
    if silent:
        notes.append(f"{silent:,} of {int(counts.n.sum()):,} samples have no answer: they have no vote.")
    if counts.n.min() < counts.n.max():
        notes.append(
            f"Problems have {int(counts.n.min()):,} to {int(counts.n.max()):,} samples: curves end at the smallest n."
        )
    used = dict.fromkeys(need.score for each in selectors for need in each.needs if need.kind == "score")
    for score in used:
        columns = [each.scores[score] for each in problems]
        constant = sum(bool((column == column[0]).all()) for column in columns if len(column) > 1)
        if all((column == columns[0][0]).all() for column in columns):
            notes.append(f"{score} is {columns[0][0]:g} for all samples: best of k by it picks at random.")
        elif constant:
            notes.append(
                f"{score} is the same for all samples of {constant:,} of {len(problems):,} problems, where best of k by"
                " it picks at random."
            )
    weighted = {need.score for each in selectors if _weighs_by_score(each) for need in each.needs if need.score}
    for score in sorted(weighted):
        negative = sum(int((each.scores[score] < 0).sum()) for each in problems)
        if negative:
            notes.append(
                f"{negative:,} scores {score} are negative: in a vote weighted by them they count against their "
                "answers; weight: exp weighs by their exponentials."
            )
    return notes


def _weighs_by_score(selector: Selector) -> bool:
    return getattr(selector, "weight", None) == "score"
