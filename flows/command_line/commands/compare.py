"""`monkeys compare`: several results together, from a store or from CSV tables. Needs no Prefect server."""

from typing import Annotated

import typer

from flows import DEFAULT_STORE
from flows.command_line.options import Json, StoreUrl, VerdictSet

app = typer.Typer()


@app.command(
    epilog="Examples: [bold]monkeys compare programs-tiny programs-large[/]  ·  "
    "[bold]monkeys compare a.csv b.csv --output comparison[/]"
)
def compare(
    sets: Annotated[
        list[str],
        typer.Argument(metavar="SET SET ...", help="Stored sets or CSV files of counts; the first is the reference."),
    ],
    verdicts: VerdictSet = None,
    store: StoreUrl = DEFAULT_STORE,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FOLDER", help="Write a page with figures here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare coverage curves: paired differences with intervals, crossings, and shifts between curves."""
    from flows.command_line.views.compare import show_comparison

    show_comparison(sets, verdicts=verdicts, store=store, output=output, as_json=as_json)
