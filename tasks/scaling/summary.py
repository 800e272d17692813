"""What a sweep found, as one plain object: the numbers behind every table, figure and sentence of its report.

`summarise` is pure. The object survives JSON unchanged, so that it can be stored and a report drawn again later.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tasks.scaling.arrays import Floats
from tasks.scaling.estimators import Band, Counts, bootstrap_coverage, coverage, log_spaced_ks, nice_ks
from tasks.scaling.forecast import Forecast, Forecaster
from tasks.scaling.laws import Interval, NoFit, PowerLaw, fit_counts, ks_beyond

# How far past the data the forecast is drawn: as far as the backtest goes.
_FORECAST_FACTOR = 100
_TARGETS = (0.5, 0.75, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Point:
    """Coverage at one k, with the ends of its interval; None where there is no interval."""

    k: int
    coverage: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class ProblemCount:
    """One problem: `n` samples judged, `c` of them correct."""

    problem_id: str
    n: int
    c: int


@dataclass(frozen=True, slots=True)
class Needed:
    """The k at which coverage is expected to reach `coverage`; None where none below 10^15 is expected to."""

    coverage: float
    k: int | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What more samples are expected to buy: coverage added by `more` further samples of every problem, how many of
    the unsolved problems have fallen at `tenfold` samples, and the k for round coverages not yet reached."""

    more: int
    gain: float
    tenfold: int
    falling: float
    needed: tuple[Needed, ...]


@dataclass(frozen=True, slots=True)
class SweepSummary:
    """The result of a sweep over `problems`.

    `table` is coverage at round k up to the smallest n, `curve` the same at log-spaced k; their intervals are
    bootstraps over problems at probability `level`. `forecast` goes on from the last measured point (without width
    there), its intervals being about these very problems; it and `outlook` are absent where nothing is left to solve.
    `notes` say in whole sentences what could not be computed and what was left out.
    """

    problems: tuple[ProblemCount, ...]
    verdicts: Mapping[str, int]
    table: tuple[Point, ...]
    curve: tuple[Point, ...]
    law: PowerLaw | NoFit
    forecast: tuple[Forecast, ...]
    outlook: Outlook | None
    level: float
    notes: tuple[str, ...]

    @property
    def solved(self) -> int:
        """How many problems have at least one correct sample."""
        return sum(problem.c > 0 for problem in self.problems)

    @property
    def samples(self) -> int:
        """How many samples were judged."""
        return sum(problem.n for problem in self.problems)

    @property
    def measured(self) -> tuple[Point, ...]:
        """Every k with measured coverage, once: the curve and the table together, in order of k."""
        points = {point.k: point for point in (*self.curve, *self.table)}
        return tuple(points[k] for k in sorted(points))

    @property
    def headline(self) -> str:
        """The result in a sentence or two."""
        if not self.table:
            return "No problem has a judged sample yet."
        first, last, count = self.table[0], self.table[-1], len([p for p in self.problems if p.n])
        of = f"{count:,} problems" if count > 1 else "the one problem"
        if last.coverage == 0:
            samples = f"{last.k:,} samples" if last.k > 1 else "one sample"
            return (
                f"None of {of} is solved in {samples}." if count > 1 else f"The one problem is not solved in {samples}."
            )
        if first.coverage == 1:
            return f"Every sample of {of} is correct."
        if last.k == 1:
            return f"One sample solves {percent(first.coverage)} of {of}."
        return (
            f"k = {last.k:,} samples solve {percent(last.coverage)} of {of}; "
            f"one sample solves {percent(first.coverage)}."
        )

    def to_json(self) -> str:
        """The summary as JSON text; `from_json` gives it back."""
        document = asdict(self)
        document["verdicts"] = dict(self.verdicts)
        return json.dumps(document, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "SweepSummary":
        """The summary that `to_json` wrote."""
        document: dict[str, Any] = json.loads(text)
        kinds = {"problems": ProblemCount, "table": Point, "curve": Point, "forecast": Forecast}
        for name, kind in kinds.items():
            document[name] = tuple(kind(**item) for item in document[name])
        document["notes"] = tuple(document["notes"])
        document["law"] = _law_from(document["law"])
        if document["outlook"] is not None:
            needed = tuple(Needed(**item) for item in document["outlook"].pop("needed"))
            document["outlook"] = Outlook(**document["outlook"], needed=needed)
        return cls(**document)


def summarise(
    counts: Counts,
    verdict_counts: Mapping[str, int],
    max_k: int | None = None,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> SweepSummary:
    """Coverage, law and forecast of what was counted.

    Args:
        counts: judged and correct samples by problem. Problems with none judged take no part in coverage.
        verdict_counts: how many samples got each verdict, those lost to infrastructure among them.
        max_k: largest k to report; None goes as far as every problem has samples.
        resamples: bootstrap draws of the problems.
        level: probability of the intervals.
        seed: seed of the bootstrap.
    """
    judged = counts.judged()
    last = judged.reach if max_k is None else min(max_k, judged.reach)
    law = fit_counts(judged, last, resamples, level, seed).law
    forecast: tuple[Forecast, ...] = ()
    outlook = None
    if last and coverage(judged, last).coverage[0] < 1:
        forecaster = Forecaster(judged)
        first, *beyond = forecaster.at(ks_beyond(last, last * _FORECAST_FACTOR).tolist())
        value = first.coverage
        start = replace(first, low50=value, high50=value, low90=value, high90=value)
        forecast = (start, *beyond)
        outlook = _outlook(forecaster)

    def points(ks: ArrayLike) -> tuple[Point, ...]:
        band = bootstrap_coverage(judged, ks, resamples, level, seed)
        return _points(ks, coverage(judged, ks).coverage, band)

    return SweepSummary(
        problems=tuple(
            ProblemCount(problem, n, c)
            for problem, n, c in zip(counts.problem_ids, counts.n.tolist(), counts.c.tolist(), strict=True)
        ),
        verdicts=dict(verdict_counts),
        table=points(nice_ks(last)),
        curve=points(log_spaced_ks(last)),
        law=law,
        forecast=forecast,
        outlook=outlook,
        level=level,
        notes=tuple(_notes(counts, judged, max_k, verdict_counts.get("infrastructure", 0))),
    )


def percent(share: float) -> str:
    """A share as a percentage for reading: whole where that says enough, finer near 0 and 1, never rounded to them."""
    if not np.isfinite(share):
        return "–"
    if share in (0.0, 1.0) or 0.1 <= share <= 0.9:
        return f"{share:.0%}"
    for digits in (1, 2, 3):
        text = f"{share:.{digits}%}"
        if text not in (f"{0:.{digits}%}", f"{1:.{digits}%}"):
            return text
    return "< 0.001%" if share < 0.5 else "> 99.999%"


def _outlook(forecaster: Forecaster) -> Outlook:
    tenfold = 10 * forecaster.n
    falling = float(forecaster.expected([tenfold])[0] - forecaster.start) * len(forecaster.counts)
    return Outlook(
        more=1000,
        gain=forecaster.gain(1000),
        tenfold=tenfold,
        falling=falling,
        needed=tuple(Needed(target, forecaster.needed_k(target)) for target in _TARGETS if target > forecaster.start),
    )


def _points(ks: ArrayLike, values: Floats, band: Band) -> tuple[Point, ...]:
    rows = zip(np.asarray(ks).tolist(), values.tolist(), _finite(band.low), _finite(band.high), strict=True)
    return tuple(Point(*row) for row in rows)


def _finite(values: Floats) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _notes(counts: Counts, judged: Counts, max_k: int | None, infrastructure: int) -> Sequence[str]:
    notes = []
    if unjudged := len(counts) - len(judged):
        verbs = ("has", "takes") if unjudged == 1 else ("have", "take")
        notes.append(
            f"{unjudged} of {len(counts)} problems {verbs[0]} no judged sample and {verbs[1]} no part in coverage."
        )
    wanted = int(judged.n.max()) if len(judged) else 0
    if max_k is not None:
        wanted = min(wanted, max_k)
    if wanted > judged.reach:
        short = [problem for problem, n in zip(judged.problem_ids, judged.n, strict=True) if n < wanted]
        named = ", ".join(short[:3]) + (" and others" if len(short) > 3 else "")
        notes.append(
            f"Coverage stops at k = {judged.reach:,}: beyond it some problem has too few judged samples "
            f"for an unbiased estimate ({named})."
        )
    if infrastructure:
        samples = "sample was" if infrastructure == 1 else "samples were"
        notes.append(
            f"{infrastructure:,} {samples} left out of n: the sandbox failed, which says nothing of the sample."
        )
    if len(judged) == 1:
        notes.append("One problem gives no interval: intervals say how coverage varies with the choice of problems.")
    elif len(judged) and not judged.c.any():
        notes.append("No problem was solved, so the bootstrap interval is empty: it cannot see what was never drawn.")
    return notes


def _law_from(document: dict[str, Any]) -> PowerLaw | NoFit:
    if "reason" in document:
        return NoFit(**document)
    for name in ("a_interval", "b_interval"):
        if document[name] is not None:
            document[name] = Interval(*document[name])
    return PowerLaw(**document)
