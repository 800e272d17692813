"""How a benchmark ends: a table of its figures, and an exit status that says whether all targets were met."""

from collections.abc import Iterable
from math import isnan
from typing import NamedTuple

from rich.text import Text

from flows.command_line.terminal import literal, new_table, stdout


class Target(NamedTuple):
    """What a figure should be, as text, and whether it is; `met` is None if the figure could not be measured here."""

    text: str
    met: bool | None


def at_least(value: float, bound: float, unit: str = "") -> Target:
    """Met by a value of `bound` or more."""
    return _target("≥", bound, unit, met=value >= bound)


def at_most(value: float, bound: float, unit: str = "") -> Target:
    """Met by a value of `bound` or less."""
    return _target("≤", bound, unit, met=value <= bound)


def below(value: float, bound: float, unit: str = "") -> Target:
    """Met by a value less than `bound`."""
    return _target("<", bound, unit, met=value < bound)


def _target(sign: str, bound: float, unit: str, *, met: bool) -> Target:
    return Target(f"{sign} {bound:,g} {unit}".rstrip(), met)


class Result(NamedTuple):
    """A measured figure.

    Numbers are in `unit`; text is shown as it is. `rival` is the same figure for another tool, and `ratio` compares the
    two, in the direction that the script describes. Without a `target`, the figure is only reported.
    """

    figure: str
    measured: float | str
    unit: str = ""
    rival: float | str | None = None
    ratio: float | None = None
    target: Target | None = None

    def cells(self) -> tuple[str, str, str, str, str]:
        """The figure, what was measured, the rival, the ratio and the target, as text."""
        return (
            self.figure,
            _shown(self.measured, self.unit),
            "" if self.rival is None else _shown(self.rival, self.unit),
            "" if self.ratio is None or isnan(self.ratio) else f"{self.ratio:,.2f}",
            "" if self.target is None else self.target.text,
        )


def _shown(value: float | str, unit: str) -> str:
    """Three significant digits, or all digits before the decimal point if these are more; empty for NaN."""
    if isinstance(value, str):
        return value
    if isnan(value):
        return ""
    return f"{value:,.0f} {unit}".rstrip() if abs(value) >= 100 else f"{value:.3g} {unit}".rstrip()


def report(results: Iterable[Result]) -> int:
    """Print the table. Returns the exit status of the script: 1 if a target was missed, or else 0."""
    table, status = new_table("figure", "measured", "rival", "ratio", "target", "", right=(1, 2, 3, 4)), 0
    for result in results:
        table.add_row(*map(literal, result.cells()), _outcome(result.target))
        status |= result.target is not None and result.target.met is False
    stdout().print(table)
    return int(status)


def _outcome(target: Target | None) -> Text:
    if target is None:
        return Text()
    if target.met is None:
        return Text("not measured", style="yellow")
    return Text("met", style="green") if target.met else Text("MISSED", style="red")
