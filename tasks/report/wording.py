"""How numbers are put into words, the same on the page, in Markdown and on the terminal."""

import unicodedata
from collections.abc import Callable, Sequence

from tasks.scaling.forecast import Forecast
from tasks.scaling.laws import Interval, NoFit
from tasks.scaling.summary import Outlook, SweepSummary, percent


def table_percent(summary: SweepSummary) -> Callable[[float], str]:
    """A percentage format with one number of decimals for the whole table, enough for its smallest coverage."""
    smallest = min((point.coverage for point in summary.table if point.coverage > 0), default=1.0)
    digits = 1 if smallest >= 0.01 else 2 if smallest >= 0.001 else 3
    return lambda share: f"{share:.{digits}%}"


def interval(low: float | None, high: float | None, show: Callable[[float], str]) -> str:
    """`low – high`, or a dash where there is no interval."""
    return "–" if low is None or high is None else f"{show(low)} – {show(high)}"


def number(value: float) -> str:
    """Three figures after the point, with a true minus sign."""
    return f"{value:.3f}".replace("-", "−")


def parameter(value: float, around: Interval | None) -> str:
    """A parameter with its interval, where there is one."""
    return number(value) if around is None else f"{number(value)} [{number(around.low)}, {number(around.high)}]"


def law_sentence(summary: SweepSummary) -> str:
    """The fitted law, or why there is none."""
    law = summary.law
    if isinstance(law, NoFit):
        return f"No law was fitted: {law.reason}."
    return (
        f"Fitted law: log c = a·k^b with a = {parameter(law.a, law.a_interval)} and "
        f"b = {parameter(law.b, law.b_interval)}."
    )


def forecast_sentence(summary: SweepSummary) -> str | None:
    """What is expected of about ten times the samples drawn, at a round k; None where there is no forecast."""
    if not summary.forecast:
        return None
    wanted = 10 * summary.forecast[0].k
    point = min(round_points(summary.forecast[1:]), key=lambda candidate: abs(candidate.k - wanted))
    return (
        f"k = {point.k:,} is expected to solve {percent(point.coverage)} of these problems "
        f"(90% interval {percent(point.low90)} to {percent(point.high90)})."
    )


def round_points(points: Sequence[Forecast]) -> list[Forecast]:
    """The points whose k is 1, 2 or 5 times a power of ten."""
    return [point for point in points if str(point.k).rstrip("0") in ("1", "2", "5")]


def outlook_rows(outlook: Outlook, drawn: int) -> list[tuple[str, str]]:
    """Label and value for each line of an outlook; `drawn` is the k that it starts from."""
    rows = [
        (f"coverage gained by {outlook.more:,} more samples", f"+{100 * outlook.gain:.1f} points"),
        (f"unsolved problems to fall by k = {outlook.tenfold:,}", f"{outlook.falling:.1f}"),
    ]
    for needed in outlook.needed:
        far = needed.k is None or needed.k > 1000 * drawn
        rows.append((f"k for {needed.coverage:.0%} coverage", "out of sight" if far else f"about {_rounded(needed.k)}"))
    return rows


def _rounded(k: int | None) -> str:
    """Two figures are all that a forecast of k deserves."""
    return f"{int(float(f'{k:.1e}')):,}" if k else "–"


def visible(text: str) -> str:
    """Text in which nothing hides: control, direction-changing and unpaired characters are spelt as code points."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")
        else f"‹U+{ord(character):04X}›"
        for character in text.replace("\r\n", "\n")
    )
