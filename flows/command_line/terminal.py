"""Standard output: a console, tables, untrusted text made harmless, and JSON."""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.report.phrases import visible

# Wide enough that no line of a piped table is folded.
_PIPED_WIDTH = 2_000
SET_COLOURS = ("blue", "dark_orange3", "green4", "magenta", "cyan", "yellow4", "grey50", "purple")
"""The sets of a comparison, in order: near those of its figures."""


def stdout() -> Console:
    """A console on standard output; when piped, it has neither colour nor folded lines."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPED_WIDTH)


def new_table(*columns: str, right: Collection[int] = ()) -> Table:
    """A table with these columns; those at the positions in `right` are right-aligned."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if position in right else "left", overflow="fold")
    return table


def literal(text: str) -> Text:
    """Untrusted text, shown literally: markup has no effect, and control characters are shown as code points."""
    return Text(visible(text))


def print_notes(console: Console, notes: Iterable[str]) -> None:
    """What a reader of the results above has to know."""
    for note in notes:
        console.print(literal(note), style="yellow", soft_wrap=True)


def print_written(console: Console, urls: Sequence[str], *, otherwise: str) -> None:
    """Where files were written, or, if none was, what to do to get some."""
    for url in urls:
        console.print(literal(f"written: {url}"), soft_wrap=True)
    if not urls:
        console.print(otherwise, soft_wrap=True)


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as `1 block` or `2 blocks`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def print_json(document: Any) -> None:
    """Print one JSON document to standard output."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    try:
        text.encode()
    except UnicodeEncodeError:  # in a file's name that is not UTF-8
        text = json.dumps(document, indent=2)
    Console().file.write(text + "\n")
