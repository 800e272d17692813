"""Texts of samples as HTML. Hidden characters are made visible first; colours and alignment are an extra that a text
may be too long for, or that takes too long."""

from functools import cache
from itertools import zip_longest
from typing import NamedTuple

from markupsafe import Markup

from tasks.answers.isolated.pool import IsolatedPool
from tasks.report.phrases import visible

_CPU_S, _MEMORY_MB = 2.0, 512
_MAX_MARKED_UP = 100_000
_MAX_SHOWN = 200_000
_MAX_ALIGNED = 200_000


class ShownText(NamedTuple):
    """A text to show; `hidden` characters at its end are left out."""

    html: Markup
    hidden: int


class AlignedTexts(NamedTuple):
    """Two texts as rows: how the lines relate, and the line of each."""

    rows: list[tuple[str, str | None, str | None]]
    note: str


def shown_text(text: str, *, whole: bool = False) -> ShownText:
    """A text with its code in colours, cut where it is very long unless the whole is asked for."""
    kept = text if whole else text[:_MAX_SHOWN]
    plain = visible(kept)
    hidden = len(text) - len(kept)
    if len(plain) <= _MAX_MARKED_UP:
        answer = _pool("marked_up").call(plain)
        if isinstance(answer.value, str):
            return ShownText(Markup(answer.value), hidden)  # noqa: S704 - escaped where it was made
    return ShownText(Markup.escape(plain), hidden)


def aligned_texts(left: str, right: str) -> AlignedTexts:
    """Two texts line by line, equal lines in one row where both are short enough to be aligned."""
    mine, theirs = visible(left[:_MAX_ALIGNED]), visible(right[:_MAX_ALIGNED])
    note = "Only the beginnings are shown." if max(len(left), len(right)) > _MAX_ALIGNED else ""
    answer = _pool("aligned_lines").call(mine, theirs)
    if isinstance(answer.value, list):
        return AlignedTexts([(kind, a, b) for kind, a, b in answer.value], note)
    rows = [("equal" if a == b else "replace", a, b) for a, b in zip_longest(mine.splitlines(), theirs.splitlines())]
    return AlignedTexts(rows, f"{note} The texts took too long to align: lines are paired by number.".strip())


@cache
def _pool(function: str) -> IsolatedPool:
    return IsolatedPool(f"tasks.viewer.marked_up:{function}", cpu_s=_CPU_S, memory_mb=_MEMORY_MB, processes=1)
