"""The colours and the order of verdicts, shared by figures and pages.

The colours are Okabe and Ito's, which people with any common form of colour blindness can tell apart, some darkened so
that lines and text in them stand out from white. Every mark also has a label, so that nothing depends on colour alone.
Figures are always on white; the page has both a light and a dark theme.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Colour(NamedTuple):
    """A colour on white, and its counterpart on a dark background."""

    light: str
    dark: str


BLUE, SKY, GREEN, YELLOW = "#0072B2", "#56B4E9", "#009E73", "#F0E442"
ORANGE, PURPLE, GREY, DARK = "#E69F00", "#CC79A7", "#9AA0A6", "#4A4F55"

MEASURED = Colour(BLUE, "#5AB4F0")
LAW = Colour(DARK, "#A0A8B2")
FORECAST = Colour("#C24F00", "#FF9A4D")

SERIES = (
    Colour(BLUE, "#5AB4F0"),
    Colour("#C24F00", "#FF9A4D"),
    Colour("#00815E", "#3FCFA4"),
    Colour("#A8497D", "#EAA0C8"),
    Colour("#2C8FC7", "#9BD8FA"),
    Colour("#8A6D00", "#E6CF4A"),
    Colour(DARK, "#AAB2BB"),
    Colour("#6A51A3", "#B9A7EC"),
)
"""The lines of a comparison, in order; each also has a label at its end."""

PAGE = {
    "paper": Colour("#FFFFFF", "#14171B"),
    "raised": Colour("#F6F7F9", "#1C2026"),
    "ink": Colour("#1B1F24", "#E8EAED"),
    "quiet": Colour("#5B646E", "#A0A8B2"),
    "rule": Colour("#DFE3E8", "#323840"),
    "grid": Colour("#E9ECF0", "#272C33"),
    "empty": Colour("#F1F3F5", "#22272E"),
    "cross": Colour("#B3BAC2", "#59616B"),
    "focus": Colour(BLUE, "#8CCAFF"),
}
"""Everything but data: backgrounds, text, lines."""


@dataclass(frozen=True, slots=True)
class VerdictStyle:
    """How a verdict is shown: its identifier, its label and its colour."""

    verdict: str
    label: str
    colour: Colour


VERDICTS = (
    VerdictStyle("correct", "correct", Colour(BLUE, "#4AA8E8")),
    VerdictStyle("wrong", "wrong answer", Colour(ORANGE, "#F0B030")),
    VerdictStyle("no_answer", "no answer", Colour(GREY, "#868D95")),
    VerdictStyle("error", "error", Colour(PURPLE, "#DD93BB")),
    VerdictStyle("time_limit", "time limit", Colour(SKY, "#8FD0F5")),
    VerdictStyle("memory_limit", "memory limit", Colour(GREEN, "#2DBD93")),
    VerdictStyle("output_limit", "output limit", Colour(YELLOW, "#F3EA6A")),
    VerdictStyle("infrastructure", "infrastructure failure", Colour(DARK, "#6B737D")),
)
_UNKNOWN = Colour(GREY, "#868D95")


def named_colours() -> Iterator[tuple[str, Colour]]:
    """Every colour of the page with the name that the style sheet has for it."""
    yield from PAGE.items()
    yield "data", MEASURED
    yield "law", LAW
    yield "forecast", FORECAST
    for style in VERDICTS:
        yield f"v-{style.verdict}", style.colour
    for number, colour in enumerate(SERIES):
        yield f"s{number}", colour


@dataclass(frozen=True, slots=True)
class VerdictShare:
    """The number of samples with a verdict, and their share of all graded samples; None for those left out of n."""

    style: VerdictStyle
    count: int
    share: float | None


def verdict_shares(counts: Mapping[str, int]) -> tuple[VerdictShare, ...]:
    """The verdicts that occurred, in the order of `VERDICTS`, followed by any that are not in it."""
    known = {style.verdict: style for style in VERDICTS}
    styles = [*VERDICTS, *(VerdictStyle(name, name, _UNKNOWN) for name in sorted(counts) if name not in known)]
    graded = sum(count for verdict, count in counts.items() if verdict != "infrastructure")
    return tuple(
        VerdictShare(style, count, None if style.verdict == "infrastructure" else count / graded)
        for style in styles
        if (count := counts.get(style.verdict, 0))
    )
