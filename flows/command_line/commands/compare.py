"""`monkeys compare`: results side by side, from a store or from plain tables, with no Prefect."""

from typing import Annotated

import typer

from flows import DEFAULT_STORE

app = typer.Typer()


@app.command(
    epilog="Examples: [bold]monkeys compare programs-tiny programs-large[/]  ·  "
    "[bold]monkeys compare a.csv b.csv --output comparison[/]"
)
def compare(
    sets: Annotated[
        list[str], typer.Argument(metavar="SET SET ...", help="Stored sets, or CSV files; the first is the reference.")
    ],
    verdicts: Annotated[str | None, typer.Option(help="Verdict set of stored sets; else the latest.")] = None,
    store: Annotated[str, typer.Option(help="Folder or fsspec URL of the results.")] = DEFAULT_STORE,
    output: Annotated[str | None, typer.Option("--output", "-o", help="Folder for the page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
) -> None:
    """Who solves more, at which k, and how sure that is: curves, paired differences, crossings, families."""
    from flows.command_line.views.compare import show_comparison  # keeps `monkeys --help` fast

    show_comparison(sets, verdicts=verdicts, store=store, output=output, as_json=as_json)
