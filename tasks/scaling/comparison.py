"""Several results compared on the problems they share: which solves more at which k, and how certain that is.

The first set is the reference of every other. Resamples are of problems, and the same ones for all sets: what makes a
problem hard or easy for both cancels in a difference, which leaves it far narrower than the two intervals around it.
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
from tasks.scaling.summary import SweepSummary, summarise

MAX_SETS = 8
# Shifts are refitted to fewer resamples than differences, since each needs a separate search.
_SHIFTS = 100
# A forecast crossing is searched for up to this factor beyond the samples, the range in which reports draw forecasts.
_FORECAST_FACTOR = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """Coverage of a set at k less that of the reference, with its paired bootstrap interval and two-sided p-value."""

    k: int
    difference: float
    low: float
    high: float
    p: float


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


def compare(
    sets: Sequence[tuple[str, Counts]], *, resamples: int = 1000, level: float = 0.95, seed: int = 0
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
    if not 2 <= len(sets) <= MAX_SETS:
        raise UserError(f"compare: {len(sets)} given; give two sets or more, and {MAX_SETS} at most")
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise UserError(f"compare: {twice!r} is given twice; set labels must be unique")
    graded = {label: counts.graded() for label, counts in sets}
    for label, counts in graded.items():
        if not len(counts):
            raise UserError(f"compare: {label} has no graded sample")
    shared = [
        problem
        for problem in next(iter(graded.values())).problem_ids
        if all(problem in set(counts.problem_ids) for counts in graded.values())
    ]
    notes = _notes(graded, shared)
    paired = len(shared) > 1
    if paired:
        graded = {label: _cut(counts, shared) for label, counts in graded.items()}
    summaries = tuple(
        ComparedSet(label, summarise(counts, {}, laws=False, resamples=resamples, level=level, seed=seed))
        for label, counts in graded.items()
    )
    pairs: tuple[Pair, ...] = ()
    if paired:
        generator = np.random.default_rng(seed)
        draws = generator.multinomial(len(shared), np.full(len(shared), 1 / len(shared)), size=resamples)
        reference, *others = labels
        pairs = tuple(_pair(graded[reference], graded[each], each, draws / len(shared), level) for each in others)
    return Comparison(summaries, pairs, paired, level, notes)


def _cut(counts: Counts, problems: Sequence[str]) -> Counts:
    position = {problem: i for i, problem in enumerate(counts.problem_ids)}
    return counts.of_problems(np.array([position[problem] for problem in problems], dtype=np.int64))


def _notes(graded: dict[str, Counts], shared: Sequence[str]) -> tuple[str, ...]:
    sizes = {label: len(counts) for label, counts in graded.items()}
    if len(shared) < 2:
        few = "no problem" if not shared else "only one problem"
        return (f"The sets share {few}: each curve covers different problems, so differences are not computed.",)
    more = [f"{label} has {size:,}" for label, size in sizes.items() if size > len(shared)]
    return (f"Compared on the {len(shared):,} problems that all sets share; {' and '.join(more)}.",) if more else ()


def _pair(reference: Counts, other: Counts, label: str, draws: Floats, level: float) -> Pair:
    last = min(reference.reach, other.reach)
    ks = np.union1d(log_spaced_ks(last, 80), round_ks(last))
    gaps = other.pass_at_k(ks) - reference.pass_at_k(ks)
    crossings = _crossings(ks, gaps.mean(axis=0), draws @ gaps, level) or _forecast_crossings(reference, other)
    differences = paired_differences(reference, other, draws, level)
    return Pair(label, differences, crossings, _family(reference, other, draws, level))


def paired_differences(reference: Counts, other: Counts, draws: Floats, level: float) -> tuple[Difference, ...]:
    """Coverage of `other` minus that of `reference` on the same problems, at round k up to the smaller n of the two.

    Args:
        reference: counts of the reference.
        other: counts of the same problems, in the same order.
        draws: the weight of each problem in each resample, shape (resamples, problems), rows summing to 1.
        level: probability of the intervals.
    """
    ks = round_ks(min(reference.reach, other.reach))
    gaps = other.pass_at_k(ks) - reference.pass_at_k(ks)
    resampled = draws @ gaps
    tail = (1 - level) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail], axis=0)
    # Never 0: N resamples cannot resolve a probability below 1/N.
    below, above = ((side.sum(axis=0) + 1) / (len(draws) + 1) for side in (resampled <= 0, resampled >= 0))
    p = np.minimum(1.0, 2 * np.minimum(below, above))
    columns = (column.tolist() for column in (ks, gaps.mean(axis=0), low, high, p))
    return tuple(Difference(*row) for row in zip(*columns, strict=True))


def _crossings(ks: Ints, estimate: Floats, curves: Floats, level: float) -> tuple[Crossing, ...]:
    found = []
    for log_k, upwards in _sign_changes(np.log(ks), estimate):
        nearest = []
        for curve in curves:
            places = [place for place, up in _sign_changes(np.log(ks), curve) if up is upwards]
            if places:
                nearest.append(min(places, key=lambda place: abs(place - log_k)))
        share = len(nearest) / len(curves)
        tail = (1 - level) / 2
        ends = np.exp(np.quantile(nearest, [tail, 1 - tail])) if nearest else np.exp([log_k, log_k])
        low, high = (round(float(end)) for end in ends)
        found.append(Crossing(round(float(np.exp(log_k))), upwards, low, high, share))
    return tuple(found)


def _sign_changes(x: Floats, y: Floats) -> list[tuple[float, bool]]:
    """Where y changes its sign, on straight lines between its points, and whether upwards; zeros belong to neither."""
    keep = np.flatnonzero(np.abs(y) > 1e-12)
    signs = np.sign(y[keep])
    found = []
    for i in np.flatnonzero(signs[1:] != signs[:-1]):
        a, b = keep[i], keep[i + 1]
        found.append((float(x[a] + (x[b] - x[a]) * y[a] / (y[a] - y[b])), bool(y[b] > 0)))
    return found


def _forecast_crossings(reference: Counts, other: Counts) -> tuple[Crossing, ...]:
    """The first crossing past the samples, where the forecasts of the two have one."""
    last = max(reference.reach, other.reach)
    if not last:
        return ()
    ks = log_spaced_ks(last * _FORECAST_FACTOR, 60)
    ks = ks[ks >= min(reference.reach, other.reach)]
    gap = Forecaster(other).expected(ks) - Forecaster(reference).expected(ks)
    changes = _sign_changes(np.log(ks), gap)
    return tuple(Crossing(round(float(np.exp(place))), upwards) for place, upwards in changes[:1])


def _family(reference: Counts, other: Counts, draws: Floats, level: float) -> Family | None:
    grids = [log_spaced_ks(counts.reach, 60) for counts in (reference, other)]
    each = [counts.pass_at_k(ks) for counts, ks in zip((reference, other), grids, strict=True)]
    shift = shift_in_log_k(*(coverage(counts, ks) for counts, ks in zip((reference, other), grids, strict=True)))
    if shift is None:
        return None
    factors = []
    for draw in draws[:_SHIFTS]:
        again = shift_in_log_k(*(Curve(ks, draw @ values, int(ks[-1])) for ks, values in zip(grids, each, strict=True)))
        if again is not None:
            factors.append(again.factor)
    if len(factors) < len(draws[:_SHIFTS]) * (1 + level) / 2:
        return Family(shift, None)
    tail = (1 - level) / 2
    low, high = np.quantile(factors, [tail, 1 - tail])
    return Family(shift, Interval(float(low), float(high)))
