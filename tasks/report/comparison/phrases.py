"""A comparison in words, the same on the page, in Markdown and in the terminal."""

from tasks.report.phrases import number
from tasks.scaling.comparison import Comparison, Crossing, Pair
from tasks.scaling.laws import PowerLaw
from tasks.scaling.paired_differences import Difference
from tasks.scaling.summary import SweepSummary

# A crossing in a smaller share of resamples may be chance.
_LIKELY = 0.5
# Curves that differ by more than this (root mean square) after the best shift have different shapes.
_MAX_RMSE = 0.06


def points(gap: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    sign = "+" if gap > 0 else "−" if gap < 0 else ""
    return f"{sign}{100 * abs(gap):.1f}"


def span(difference: Difference) -> str:
    """The interval around a difference, in points."""
    return f"{points(difference.low)} to {points(difference.high)}"


def chance(p: float) -> str:
    """A p-value to two decimals, or `< 0.01`."""
    return "< 0.01" if p < 0.01 else f"{p:.2f}"


def is_clear(difference: Difference) -> bool:
    """Whether the interval excludes 0."""
    return difference.low > 0 or difference.high < 0


def crossing_sentence(crossing: Crossing, pair: Pair, reference: str) -> str:
    """Where one set overtakes the other, and in how many resamples it does."""
    does = "overtakes" if crossing.upwards else "falls behind"
    if crossing.share is None:
        verb = "overtake" if crossing.upwards else "fall behind"
        return f"{pair.label} is expected to {verb} {reference} at about k = {_rounded(crossing.k)}."
    where = f"{pair.label} {does} {reference} at k = {crossing.k:,}"
    return with_chance(where, f"{crossing.low:,} to {crossing.high:,}", crossing.share)


def with_chance(crossing: str, interval: str, share: float) -> str:
    """A sentence about a crossing, with its interval, or else that it may be chance."""
    resamples = f"{share:.0%} of resamples have a crossing"
    if share < _LIKELY:
        return f"{crossing}, which may be chance: only {resamples}."
    return f"{crossing} (interval {interval}; {resamples})."


def family_sentence(pair: Pair, reference: str) -> str:
    """How many times the samples one set needs for the coverage of the other, and how well such a shift fits."""
    if pair.family is None:
        return f"The curves of {pair.label} and {reference} share no range of coverage, so no shift can be fitted."
    shift, around = pair.family.shift, pair.family.interval
    if shift.rmse > _MAX_RMSE:
        return (
            f"The curves of {pair.label} and {reference} are not shifts of each other in log k: after the best shift "
            f"they differ by {100 * shift.rmse:.1f} points (root mean square)."
        )
    factor, ends = _times(shift.factor), ""
    if around is not None:
        ends = f" [{_times(around.low)}, {_times(around.high)}]"
    return (
        f"{pair.label} needs {factor}{ends} times the samples of {reference} for the same coverage; after this shift "
        f"in log k, the curves differ by {100 * shift.rmse:.1f} points (root mean square over {shift.overlap:.0%} of "
        "the curve)."
    )


def findings(comparison: Comparison) -> list[str]:
    """The crossings and the shift of every pair, in sentences."""
    reference = comparison.sets[0].label
    sentences = []
    for pair in comparison.pairs:
        sentences += [crossing_sentence(each, pair, reference) for each in pair.crossings]
        sentences.append(family_sentence(pair, reference))
    return sentences


def law_cells(summary: SweepSummary) -> tuple[str, str]:
    """a and b of the fitted power law, or dashes."""
    law = summary.law
    return (number(law.a), number(law.b)) if isinstance(law, PowerLaw) else ("–", "–")


def _times(factor: float) -> str:
    return f"{factor:.2g}" if factor < 10 else f"{float(f'{factor:.2g}'):,.0f}"


def _rounded(k: int) -> str:
    return f"{int(float(f'{k:.1e}')):,}"
