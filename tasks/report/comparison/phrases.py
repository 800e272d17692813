"""How a comparison is put into words, the same on the page, in Markdown and on the terminal."""

from tasks.report.phrases import number
from tasks.scaling.comparison import Comparison, Crossing, Difference, Pair
from tasks.scaling.laws import PowerLaw
from tasks.scaling.summary import SweepSummary

# Below this share of resamples a crossing is what one point on the curve did, and not a finding.
_LIKELY = 0.5
# Curves that still differ by more after the best shift have another shape.
_NO_FAMILY = 0.06


def points(gap: float) -> str:
    """A difference of shares in points, with its sign."""
    sign = "+" if gap > 0 else "−" if gap < 0 else ""
    return f"{sign}{100 * abs(gap):.1f}"


def span(difference: Difference) -> str:
    """The interval around a difference, in points."""
    return f"{points(difference.low)} to {points(difference.high)}"


def chance(p: float) -> str:
    """A p-value, to two figures where it is small."""
    return "< 0.01" if p < 0.01 else f"{p:.2f}"


def is_clear(difference: Difference) -> bool:
    """Whether the interval leaves out 0."""
    return difference.low > 0 or difference.high < 0


def crossing_sentence(crossing: Crossing, pair: Pair, reference: str) -> str:
    """Where one set passes the other, and how sure that is."""
    does = "overtakes" if crossing.upwards else "falls behind"
    if crossing.share is None:
        return f"{pair.label} is expected to be the one that {does} {reference}, at about k = {_rounded(crossing.k)}."
    sure = f"{crossing.share:.0%} of resamples have one"
    if crossing.share < _LIKELY:
        return f"{pair.label} {does} {reference} at k = {crossing.k:,}, which may be chance: only {sure}."
    ends = f"interval {crossing.low:,} to {crossing.high:,}"
    return f"{pair.label} {does} {reference} at k = {crossing.k:,} ({ends}; {sure})."


def family_sentence(pair: Pair, reference: str) -> str:
    """By how many times the samples one curve is the other, and how well that holds."""
    if pair.family is None:
        return f"{pair.label} and {reference} share no range of coverage, so neither is a shift of the other."
    shift, around = pair.family.shift, pair.family.interval
    if shift.rmse > _NO_FAMILY:
        return (
            f"{pair.label} and {reference} are not shifts of each other in log k: at best they still differ by "
            f"{100 * shift.rmse:.1f} points (root mean square)."
        )
    factor, ends = _times(shift.factor), ""
    if around is not None:
        ends = f" [{_times(around.low)}, {_times(around.high)}]"
    return (
        f"{pair.label} needs {factor}{ends} times the samples of {reference} for the same coverage; shifted so in "
        f"log k, the curves differ by {100 * shift.rmse:.1f} points (root mean square over {shift.overlap:.0%} of the "
        "curve)."
    )


def findings(comparison: Comparison) -> list[str]:
    """Crossings and families of every pair, in sentences."""
    reference = comparison.sets[0].label
    said = []
    for pair in comparison.pairs:
        said += [crossing_sentence(each, pair, reference) for each in pair.crossings]
        said.append(family_sentence(pair, reference))
    return said


def law_cells(summary: SweepSummary) -> tuple[str, str]:
    """a and b of the law, or dashes."""
    law = summary.law
    return (number(law.a), number(law.b)) if isinstance(law, PowerLaw) else ("–", "–")


def _times(factor: float) -> str:
    return f"{factor:.2g}" if factor < 10 else f"{float(f'{factor:.2g}'):,.0f}"


def _rounded(k: int) -> str:
    return f"{int(float(f'{k:.1e}')):,}"
