"""The colours and the order of verdicts, shared by figures and pages.

The colours are Okabe and Ito's, which people with any common form of colour blindness can tell apart. Every mark also
has a label, so that nothing depends on colour alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

BLUE, SKY, GREEN, YELLOW = "#0072B2", "#56B4E9", "#009E73", "#F0E442"
ORANGE, VERMILLION, PURPLE, GREY, DARK = "#E69F00", "#D55E00", "#CC79A7", "#9AA0A6", "#4A4F55"

MEASURED, LAW, FORECAST = BLUE, DARK, VERMILLION
"""The curve, the fitted law and the forecast in figures; on the page they are `--data`, `--quiet` and `--forecast` in
`templates/report.css`, with variants for light and dark."""

SERIES = (BLUE, "#C24F00", "#00815E", "#A8497D", "#2C8FC7", "#8A6D00", DARK, "#6A51A3")
"""The lines of a comparison, in order; each also has a label at its end."""


@dataclass(frozen=True, slots=True)
class VerdictStyle:
    """How a verdict is shown: its identifier, its label and its colour."""

    verdict: str
    label: str
    colour: str


VERDICTS = (
    VerdictStyle("correct", "correct", BLUE),
    VerdictStyle("wrong", "wrong answer", ORANGE),
    VerdictStyle("no_answer", "no answer", GREY),
    VerdictStyle("error", "error", PURPLE),
    VerdictStyle("time_limit", "time limit", SKY),
    VerdictStyle("memory_limit", "memory limit", GREEN),
    VerdictStyle("output_limit", "output limit", YELLOW),
    VerdictStyle("infrastructure", "infrastructure failure", DARK),
)


@dataclass(frozen=True, slots=True)
class VerdictShare:
    """The number of samples with a verdict, and their share of all graded samples; None for those left out of n."""

    style: VerdictStyle
    count: int
    share: float | None


def verdict_shares(counts: Mapping[str, int]) -> tuple[VerdictShare, ...]:
    """The verdicts that occurred, in the order of `VERDICTS`, followed by any that are not in it."""
    known = {style.verdict: style for style in VERDICTS}
    styles = [*VERDICTS, *(VerdictStyle(name, name, GREY) for name in sorted(counts) if name not in known)]
    graded = sum(count for verdict, count in counts.items() if verdict != "infrastructure")
    return tuple(
        VerdictShare(style, count, None if style.verdict == "infrastructure" else count / graded)
        for style in styles
        if (count := counts.get(style.verdict, 0))
    )
