"""Standard output for people and for scripts: tables, text from outside made harmless, JSON; and a store to read."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.errors import UserError
from tasks.files.remote import storage_faults
from tasks.report.phrases import visible
from tasks.store.fsspec_store import FsspecStore

# Piped tables are for programs and for paging: no line is folded.
_PIPED_WIDTH = 2_000


@contextmanager
def reading(url: str) -> Iterator[FsspecStore]:
    """An existing store; what keeps it from being read ends as one line.

    Raises:
        UserError: there is no such store, or an object cannot be fetched.
    """
    store = FsspecStore(url)
    store.check_readable()
    try:
        yield store
    except BrokenPipeError:  # the reader of our output has seen enough
        raise
    except storage_faults() as error:
        raise UserError(f"store: {url} cannot be read ({' '.join(str(error).split())})") from error


def screen() -> Console:
    """Standard output; piped, it has neither colour nor folded lines."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPED_WIDTH)


def new_table(*columns: str, right: Any = ()) -> Table:
    """A table with these columns, some of them of numbers."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if position in right else "left", overflow="fold")
    return table


def plain(text: str) -> Text:
    """Text from outside: no markup, nothing hidden."""
    return Text(visible(text))


def print_json(document: Any) -> None:
    """One document on standard output."""
    Console().file.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
