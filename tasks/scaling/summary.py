"""What a sweep found, as one plain object: the numbers behind every table, figure and sentence of its report.

`summarise` is pure. The object survives JSON unchanged, so that it can be stored and a report drawn again later.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from pydantic import TypeAdapter

from tasks.scaling.arrays import Floats, finite_or_none
from tasks.scaling.backtest import LawComparison, compare_laws
from tasks.scaling.cost import Usage
from tasks.scaling.estimators import Counts, coverage, log_spaced_ks, pass_hat_k, round_ks
from tasks.scaling.first_success import NO_COVERAGE, Solving
from tasks.scaling.forecast import Forecast, Forecaster
from tasks.scaling.interval_over_problems import interval_over_problems
from tasks.scaling.laws import NoFit, PowerLaw, fit_counts, ks_beyond
from tasks.scaling.notes import notes_on_counts, notes_on_intervals
from tasks.scaling.resampling import RESAMPLES
from tasks.scaling.sequential_stopping import Rounds
from tasks.scaling.settled_votes import Voting

# How far past the data the forecast is drawn; the backtest covers the same range.
_FORECAST_FACTOR = 100
_TARGETS = (0.5, 0.75, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Point:
    """Coverage at one k, with the ends of its interval; None if there is no interval. `pass_hat_k` is pass^k, the mean
    probability that all of k samples are correct; None if an adaptive budget stopped problems early."""

    k: int
    coverage: float
    low: float | None = None
    high: float | None = None
    pass_hat_k: float | None = None


@dataclass(frozen=True, slots=True)
class ProblemCount:
    """One problem: `n` graded samples, `c` of them correct."""

    problem_id: str
    n: int
    c: int


@dataclass(frozen=True, slots=True)
class SamplesNeeded:
    """The k at which coverage is expected to reach `coverage`; None where none below 10^15 is expected to."""

    coverage: float
    k: int | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What more samples are expected to buy: coverage added by `more` further samples of every problem, how many of
    the unsolved problems are expected to be solved by `tenfold` samples, and the k for round coverages not yet
    reached."""

    more: int
    gain: float
    tenfold: int
    expected_solves: float
    needed: tuple[SamplesNeeded, ...]


@dataclass(frozen=True, slots=True)
class LikelySolves:
    """Unsolved problems with the same record, `n` samples and none correct, and the probability that each is solved by
    the outlook's `tenfold` k."""

    problem_ids: tuple[str, ...]
    n: int
    chance: float


@dataclass(frozen=True, slots=True)
class StoppingRecord:
    """When an adaptive budget stopped each problem, as in `sequential_stopping.Rounds`."""

    ends: tuple[int, ...]
    limits: tuple[int, ...]
    graded: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class SweepSummary:
    """The result of a sweep over `problems`.

    `table` is coverage at round k up to the smallest n, `curve` the same at log-spaced k; their intervals are
    over problems, at probability `level`. `forecast` continues from the last measured point, with
    intervals over samples; it and `outlook` are absent if every problem is solved by every sample.
    `likely_solves` are the unsolved problems, most likely to be solved first. `laws` compares laws at held-out k.
    `notes` say in whole sentences what could not be computed and what was left out. `stopping` is None unless the
    budget was adaptive; `solving` replaces coverage if sampling stopped at first successes, and `voting` if it stopped
    at settled votes. `first_round` is the number of samples that every problem was to get whatever they are, None in
    reports of earlier versions.
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
    likely_solves: tuple[LikelySolves, ...] = ()
    laws: LawComparison | None = None
    usage: Usage | None = None
    stopping: StoppingRecord | None = None
    solving: Solving | None = None
    voting: Voting | None = None
    first_round: int | None = None

    @property
    def gives_coverage(self) -> bool:
        """Whether coverage against k can be estimated: not if sampling stopped at first successes or settled votes."""
        return self.solving is None and self.voting is None

    @property
    def counts(self) -> Counts:
        """What was counted, as it was given; raises ValueError where a document that was read is inconsistent."""
        of = Counts.of(
            [p.problem_id for p in self.problems], [p.n for p in self.problems], [p.c for p in self.problems]
        )
        if self.stopping is None:
            return of
        ends, limits, graded = (
            np.array(each, dtype=np.int64) for each in (self.stopping.ends, self.stopping.limits, self.stopping.graded)
        )
        if not len(ends) == len(limits) > 0 or graded.shape != (len(of), len(ends)):
            raise ValueError("the rounds are incomplete")
        return replace(of, rounds=Rounds(ends, limits, graded))

    @property
    def planned(self) -> int:
        """How many samples every problem was to get whatever they are, correct or not: k under a uniform budget, and
        the first round of one that stops problems by their outcomes."""
        if self.first_round is not None:
            return self.first_round
        if self.voting is not None:
            return self.voting.first
        if self.stopping is not None:
            return self.stopping.ends[0]
        if self.solving is not None:
            return self.solving.max_samples
        # A sample that an infrastructure failure lost was to be drawn, too.
        drawn = sum(self.verdicts.values())
        return max([-(-drawn // max(1, len(self.problems))), *(problem.n for problem in self.problems)])

    @property
    def solved(self) -> int:
        """How many problems have at least one correct sample."""
        return sum(problem.c > 0 for problem in self.problems)

    @property
    def samples(self) -> int:
        """How many samples were graded."""
        return sum(problem.n for problem in self.problems)

    @property
    def measured(self) -> tuple[Point, ...]:
        """Every k with measured coverage, once: the curve and the table together, in order of k."""
        points = {point.k: point for point in (*self.curve, *self.table)}
        return tuple(points[k] for k in sorted(points))

    @property
    def headline(self) -> str:
        """The result in a sentence or two."""
        stopped = self.solving or self.voting
        if stopped is not None:
            return stopped.headline
        if not self.table:
            return "No problem has a graded sample yet."
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
    def from_json(cls, text: str | bytes) -> "SweepSummary":
        """The summary that `to_json` wrote; raises pydantic's ValidationError where it is something else."""
        return TypeAdapter(cls).validate_json(text)


def summarise(
    counts: Counts,
    verdict_counts: Mapping[str, int],
    max_k: int | None = None,
    *,
    usage: Usage | None = None,
    laws: bool = True,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = 0,
) -> SweepSummary:
    """Coverage, law and forecast of what was counted.

    Args:
        counts: graded and correct samples by problem. Problems without a graded sample are left out of coverage.
        verdict_counts: how many samples got each verdict, those lost to infrastructure among them.
        max_k: largest k to report; None goes up to the smallest n.
        usage: tokens of the samples, handed on.
        laws: whether to compare laws at held-out k, which takes a second.
        resamples: random weightings of the problems.
        level: probability of the intervals.
        seed: seed of the weightings.
    """
    graded = counts.graded()
    last = graded.reach if max_k is None else min(max_k, graded.reach)
    law = fit_counts(graded, last, resamples, level, seed)
    forecast: tuple[Forecast, ...] = ()
    outlook = None
    likely_solves: tuple[LikelySolves, ...] = ()
    measured = float(coverage(graded, last).coverage[0]) if last else 1.0
    if measured < 1:
        forecaster = Forecaster(graded)
        forecast = forecaster.at(ks_beyond(last, last * _FORECAST_FACTOR).tolist())
        outlook = _outlook(forecaster)
        likely_solves = _likely_solves(forecaster, outlook.tenfold)

    def points(ks: ArrayLike) -> tuple[Point, ...]:
        band = interval_over_problems(graded, ks, level, resamples, seed)
        columns = map(finite_or_none, (coverage(graded, ks).coverage, band.low, band.high, _every_correct(graded, ks)))
        return tuple(Point(*row) for row in zip(np.asarray(ks).tolist(), *columns, strict=True))

    return SweepSummary(
        problems=_problem_counts(counts),
        verdicts=dict(verdict_counts),
        table=points(round_ks(last)),
        curve=points(log_spaced_ks(last)),
        law=law,
        forecast=forecast,
        outlook=outlook,
        level=level,
        notes=tuple(_notes(counts, graded, max_k, verdict_counts.get("infrastructure", 0))),
        likely_solves=likely_solves,
        laws=compare_laws(graded) if laws else None,
        usage=usage,
        stopping=_stopping_record(counts),
    )


def summarise_solving(
    counts: Counts,
    verdict_counts: Mapping[str, int],
    first_correct: Mapping[str, int],
    max_k: int,
    usage: Usage | None = None,
) -> SweepSummary:
    """What came of sampling each problem until its first success: no coverage, no law, no forecast.

    Args:
        counts: graded and correct samples by problem.
        verdict_counts: how many samples got each verdict.
        first_correct: the index of the first correct sample, for each problem that has one.
        max_k: the sample limit per problem.
        usage: tokens of the samples, handed on.
    """
    infrastructure = _infrastructure_note(verdict_counts.get("infrastructure", 0))
    return SweepSummary(
        problems=_problem_counts(counts),
        verdicts=dict(verdict_counts),
        table=(),
        curve=(),
        law=NoFit("sampling stopped at first successes"),
        forecast=(),
        outlook=None,
        level=0.95,
        notes=(NO_COVERAGE, *infrastructure),
        usage=usage,
        stopping=_stopping_record(counts),
        solving=Solving(
            to_first_success={problem: index + 1 for problem, index in first_correct.items()},
            problems=len(counts),
            samples=int(counts.n.sum()),
            max_samples=max_k,
        ),
    )


def summarise_voting(
    counts: Counts, verdict_counts: Mapping[str, int], voting: Voting, usage: Usage | None = None
) -> SweepSummary:
    """What came of sampling each problem until its vote was settled: no coverage, no law, no forecast.

    Args:
        counts: graded and correct samples by problem.
        verdict_counts: how many samples got each verdict.
        voting: what the votes deliver.
        usage: tokens of the samples, handed on.
    """
    votes = sum(each.votes for each in voting.problems)
    without = voting.samples - votes
    silent = [f"{without:,} of {voting.samples:,} samples have no answer: they have no vote."] if without else []
    return SweepSummary(
        problems=_problem_counts(counts),
        verdicts=dict(verdict_counts),
        table=(),
        curve=(),
        law=NoFit("sampling stopped at settled votes"),
        forecast=(),
        outlook=None,
        level=0.95,
        notes=(voting.note, *silent, *_infrastructure_note(verdict_counts.get("infrastructure", 0))),
        usage=usage,
        voting=voting,
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


def _problem_counts(counts: Counts) -> tuple[ProblemCount, ...]:
    return tuple(map(ProblemCount, counts.problem_ids, counts.n.tolist(), counts.c.tolist()))


def _stopping_record(counts: Counts) -> StoppingRecord | None:
    rounds = counts.rounds
    if rounds is None:
        return None
    graded = tuple(tuple(row) for row in rounds.graded.tolist())
    return StoppingRecord(tuple(rounds.ends.tolist()), tuple(rounds.limits.tolist()), graded)


def _likely_solves(forecaster: Forecaster, tenfold: int) -> tuple[LikelySolves, ...]:
    tried = dict(zip(forecaster.counts.problem_ids, forecaster.counts.n.tolist(), strict=True))
    alike: dict[tuple[int, float], list[str]] = {}
    for problem, chance in forecaster.solve_probabilities(tenfold).items():
        alike.setdefault((tried[problem], chance), []).append(problem)
    return tuple(LikelySolves(tuple(problems), n, chance) for (n, chance), problems in alike.items())


def _outlook(forecaster: Forecaster) -> Outlook:
    tenfold = 10 * forecaster.n
    expected_solves = float(forecaster.expected([tenfold])[0] - forecaster.start) * len(forecaster.counts)
    return Outlook(
        more=1000,
        gain=forecaster.gain(1000),
        tenfold=tenfold,
        expected_solves=expected_solves,
        needed=tuple(
            SamplesNeeded(target, forecaster.needed_k(target)) for target in _TARGETS if target > forecaster.start
        ),
    )


def _every_correct(counts: Counts, ks: ArrayLike) -> Floats:
    """pass^k, the mean over problems; NaN where there is no unbiased estimate."""
    if counts.rounds is not None or not len(counts):
        return np.full(np.shape(ks), np.nan)
    return counts.mean_over_problems(lambda some: pass_hat_k(some.n, some.c, ks))


def _notes(counts: Counts, graded: Counts, max_k: int | None, infrastructure: int) -> Sequence[str]:
    notes = [*notes_on_counts(counts, max_k), *_infrastructure_note(infrastructure)]
    if counts.rounds is not None:
        stopped = counts.rounds.stopped(counts.n, counts.c)
        notes.append(
            f"The budget was adaptive: {int(stopped.sum()):,} of {len(counts):,} problems stopped before the last "
            "round. Coverage is still unbiased (Girshick, Mosteller and Savage 1946)."
        )
    return [*notes, *notes_on_intervals(graded)]


def _infrastructure_note(samples: int) -> list[str]:
    if not samples:
        return []
    were = "sample was" if samples == 1 else "samples were"
    return [f"{samples:,} {were} left out of n: the sandbox failed, which says nothing about the sample."]
