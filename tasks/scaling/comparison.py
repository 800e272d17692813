"""Several results compared on the problems they share: which solves more at which k, and how certain that is.

The first set is the reference of every other. Where two curves cross, and by which factor in k one is shifted against
the other, gets bootstrap intervals over problems; the resamples are the same for both sets, as the pairing of
`tasks.scaling.paired_differences` requires.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.errors import UserError
from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.curve_shift import Shift, shift_in_log_k
from tasks.scaling.estimators import Counts, Curve, coverage, log_spaced_ks, round_ks
from tasks.scaling.forecast import Forecaster
from tasks.scaling.laws import Interval
from tasks.scaling.notes import notes_on_counts
from tasks.scaling.paired_differences import Difference, paired_differences
from tasks.scaling.resampling import RESAMPLES, bootstrap_means, percentile_tail
from tasks.scaling.sign_changes import sign_changes, sign_changes_with_intervals
from tasks.scaling.summary import SweepSummary, summarise

MAX_SETS = 8
# Shifts are refitted to fewer resamples than differences, since each needs a separate search.
_SHIFTS = 100
# A forecast crossing is searched for up to this factor beyond the samples, the range in which reports draw forecasts.
_FORECAST_FACTOR = 100


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where a set overtakes the reference (`upwards`), or falls behind it. `share` of the resamples cross that way too,
    and `low` to `high` is where the middle of those do; all three are None for a crossing of forecasts."""

    k: int
    upwards: bool
    low: int | None = None
    high: int | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """The two curves as one, shifted in log k; `interval` is of the factor, None where few resamples have a shift."""

    shift: Shift
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A set against the reference, at round k up to the smaller n of the two."""

    label: str
    differences: tuple[Difference, ...]
    crossings: tuple[Crossing, ...]
    family: Family | None


@dataclass(frozen=True, slots=True)
class ComparedSet:
    """One set: what it is called, and its summary on the problems compared."""

    label: str
    summary: SweepSummary


@dataclass(frozen=True, slots=True)
class Comparison:
    """Sets in the order given, and a pair for each but the first. `paired` says whether all are on the same problems,
    to which they were cut down; else there are no pairs. Intervals are at probability `level`."""

    sets: tuple[ComparedSet, ...]
    pairs: tuple[Pair, ...]
    paired: bool
    level: float
    notes: tuple[str, ...]

    @property
    def headline(self) -> str:
        """Who solves more at the largest common k, and whether the difference could be chance."""
        names = [each.label for each in self.sets]
        at = [{each.k: each for each in pair.differences} for pair in self.pairs]
        common = set(at[0]).intersection(*at[1:]) if at else set()
        if not common:
            return f"{' and '.join(names)} compared."
        k = max(common)
        last = {pair.label: of_pair[k] for pair, of_pair in zip(self.pairs, at, strict=True)}
        best = max(names[1:], key=lambda name: last[name].difference)
        found = last[best]
        if found.difference <= 0:
            best, found = names[0], max(last.values(), key=lambda each: each.difference)
        rival = names[0] if best != names[0] else max(names[1:], key=lambda name: last[name].difference)
        samples = f"{k:,} samples" if k > 1 else "one sample"
        if found.difference == 0:
            return f"With {samples}, {best} and {rival} solve the same share of problems."
        sure = "" if found.low > 0 or found.high < 0 else "; the difference could be due to chance"
        return f"With {samples}, {best} solves {100 * abs(found.difference):.1f} pp more than {rival}{sure}."


def require_number_of_sets(sets: int) -> None:
    """Raise UserError if this number of sets cannot be compared; called before they are read."""
    if not 2 <= sets <= MAX_SETS:
        raise UserError(f"compare: {sets} given; give two sets or more, and {MAX_SETS} at most")


def compare(
    sets: Sequence[tuple[str, Counts]], *, resamples: int = RESAMPLES, level: float = 0.95, seed: int = 0
) -> Comparison:
    """Compare sets, each under its label, by the problems that all of them share.

    Args:
        sets: labels, all different, and counts; at least two.
        resamples: bootstrap draws of the problems.
        level: probability of the intervals.
        seed: seed of the draws.

    Raises:
        UserError: fewer than two sets, or too many to tell apart, a label twice, or a set without a sample.
    """
    labels = [label for label, _ in sets]
    require_number_of_sets(len(sets))
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise UserError(f"compare: {twice!r} is given twice; set labels must be unique")
    graded = {label: counts.graded() for label, counts in sets}
    for label, counts in graded.items():
        if not len(counts):
            raise UserError(f"compare: {label} has no graded sample")
    shared, about_shared = shared_problems(list(graded.items()))
    paired = len(shared) > 1
    if paired:
        graded = {label: counts.of_ids(shared) for label, counts in graded.items()}
    else:
        few = "no problem" if not shared else "only one problem"
        about_shared = [f"The sets share {few}: each curve covers different problems, so differences are not computed."]
    notes = (*about_shared, *(f"{label}: {note}" for label, counts in sets for note in notes_on_counts(counts)))
    summaries = tuple(
        ComparedSet(label, summarise(counts, {}, laws=False, resamples=resamples, level=level, seed=seed))
        for label, counts in graded.items()
    )
    pairs: tuple[Pair, ...] = ()
    if paired:
        reference, *others = labels
        pairs = tuple(
            _pair(graded[reference], graded[each], each, resamples=resamples, level=level, seed=seed) for each in others
        )
    return Comparison(summaries, pairs, paired, level, notes)


def shared_problems(sets: Sequence[tuple[str, Counts]]) -> tuple[list[str], list[str]]:
    """The problems that all sets have, each set under its label, in the first one's order; and a note if some sets have
    more."""
    in_all = set.intersection(*(set(counts.problem_ids) for _, counts in sets))
    shared = [problem for problem in sets[0][1].problem_ids if problem in in_all]
    more = [f"{label} has {len(counts):,}" for label, counts in sets if len(counts) > len(shared)]
    note = f"Compared on the {len(shared):,} problems that all sets share; {' and '.join(more)}."
    return shared, [note] if more else []


def _pair(reference: Counts, other: Counts, label: str, *, resamples: int, level: float, seed: int) -> Pair:
    last = min(reference.reach, other.reach)
    ks = np.union1d(log_spaced_ks(last, 80), round_ks(last))
    grids = [log_spaced_ks(counts.reach, 60) for counts in (reference, other)]
    both = (reference, other)

    def of_problems(sets: tuple[Counts, ...]) -> Floats:
        gaps = sets[1].pass_at_k(ks) - sets[0].pass_at_k(ks)
        return np.hstack([gaps, *(counts.pass_at_k(grid) for counts, grid in zip(sets, grids, strict=True))])

    resampled = bootstrap_means(both, of_problems, resamples, seed)
    gap = coverage(other, ks).coverage - coverage(reference, ks).coverage
    tail = percentile_tail(level, len(reference))
    gaps, first, second = np.split(resampled, np.cumsum([len(ks), len(grids[0])]), axis=1)
    crossings = _crossings(ks, gap, gaps, tail) or _forecast_crossings(reference, other)
    again = [
        [Curve(grid, row, int(grid[-1])) for row in rows[:_SHIFTS]]
        for grid, rows in zip(grids, (first, second), strict=True)
    ]
    family = _family([coverage(counts, grid) for counts, grid in zip(both, grids, strict=True)], again, tail)
    return Pair(label, paired_differences(reference, other, level), crossings, family)


def _crossings(ks: Ints, estimate: Floats, curves: Floats, tail: float) -> tuple[Crossing, ...]:
    return tuple(
        Crossing(round(at.x), at.upwards, round(at.low), round(at.high), at.share)
        for at in sign_changes_with_intervals(ks, estimate, curves, tail)
    )


def _forecast_crossings(reference: Counts, other: Counts) -> tuple[Crossing, ...]:
    """The first crossing past the samples, where the forecasts of the two have one."""
    last = max(reference.reach, other.reach)
    if not last:
        return ()
    ks = log_spaced_ks(last * _FORECAST_FACTOR, 60)
    ks = ks[ks >= min(reference.reach, other.reach)]
    gap = Forecaster(other).expected(ks) - Forecaster(reference).expected(ks)
    changes = sign_changes(np.log(ks), gap)
    return tuple(Crossing(round(float(np.exp(place))), upwards) for place, upwards in changes[:1])


def _family(curves: Sequence[Curve], resampled: Sequence[Sequence[Curve]], tail: float) -> Family | None:
    """The shift between two curves, and its interval from resamples of both, which leaves out `tail` at either end."""
    shift = shift_in_log_k(*curves)
    if shift is None:
        return None
    shifts = [shift_in_log_k(*both) for both in zip(*resampled, strict=True)]
    factors = [each.factor for each in shifts if each is not None]
    if len(factors) < len(shifts) * (1 - tail):
        return Family(shift, None)
    low, high = np.quantile(factors, [tail, 1 - tail])
    return Family(shift, Interval(float(low), float(high)))
