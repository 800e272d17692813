"""`monkeys plan`: what a sweep would take, before anything is spent."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command(
    epilog="Examples: [bold]monkeys plan my.yaml --k 10000[/]  ·  "
    "[bold]monkeys plan my.yaml --set price.completion=0.6[/]  ·  "
    "[bold]monkeys plan my.yaml --json | jq .owed.tokens.high[/]"
)
def plan(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The sweep file; examples/ has some.")],
    *,
    k: Annotated[int | None, typer.Option("--k", help="Samples for each problem.")] = None,
    store: Annotated[str | None, typer.Option(help="Folder or fsspec URL of the results.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="a.b=c", help="Set any field; repeatable.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
) -> None:
    """Say what a sweep would draw, and the tokens, time and money that takes, by what is stored. Spends nothing."""
    from flows.command_line.views.plan import show_plan  # keeps `monkeys --help` fast

    show_plan(file, set_ or (), k=k, store=store, as_json=as_json)
