"""How numbers are put into words, the same on the page, in Markdown and on the terminal."""

import unicodedata
from collections.abc import Callable

from tasks.scaling.laws import Interval, NoFit
from tasks.scaling.summary import SweepSummary, percent


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
    """What the law says at ten times the samples drawn; None where there is no forecast."""
    if not summary.forecast:
        return None
    wanted = 10 * summary.forecast[0].k
    point = min(summary.forecast, key=lambda candidate: abs(candidate.k - wanted))
    around = ""
    if point.low is not None and point.high is not None:
        around = f" ({summary.level:.0%} interval {percent(point.low)} to {percent(point.high)})"
    return f"If the law holds, k = {point.k:,} would solve {percent(point.coverage)}{around}."


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
