"""Texts of samples as HTML. Hidden characters are made visible first; colours, formulas and alignment are an extra that
a text may be too long for, or that takes too long."""

from collections.abc import Sequence
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


def shown_texts(texts: Sequence[str], *, whole: bool = False) -> list[ShownText]:
    """The texts of a page, with their code in colours and their formulas set until that takes too long for all of them
    together. They are cut where they are very long together, unless the whole is asked for."""
    found: list[ShownText] = []
    to_show, to_colour, cpu_s = _MAX_SHOWN, _MAX_MARKED_UP, 0.0
    for text in texts:
        kept = text if whole else text[:to_show]
        to_show -= len(kept)
        plain = visible(kept)
        html = Markup.escape(plain)
        if plain and len(plain) <= to_colour and cpu_s < _CPU_S:
            to_colour -= len(plain)
            answer = _pool("marked_up").call(plain)
            if isinstance(answer.value, str):
                html = Markup(answer.value)  # noqa: S704 - escaped where it was made
            cpu_s += _CPU_S if answer.failure else answer.cpu_s
        found.append(ShownText(html, len(text) - len(kept)))
    return found


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
