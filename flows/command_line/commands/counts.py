"""`monkeys curve` and `monkeys forecast`: the numbers alone, for anybody's counts, with no store and no Prefect."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()

CountsFile = Annotated[
    Path, typer.Argument(metavar="COUNTS.csv", help="A table with columns problem, samples, correct.")
]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of tables.")]


@app.command(epilog="Example: [bold]monkeys curve counts.csv --json[/]")
def curve(counts: CountsFile, as_json: Json = False) -> None:
    """Unbiased coverage against k with intervals, and the power law through it, from counts of correct samples."""
    from flows.command_line.views.counts import show_curve  # keeps `monkeys --help` fast

    show_curve(counts, as_json=as_json)


@app.command(epilog="Example: [bold]monkeys forecast counts.csv --k 10000[/]")
def forecast(
    counts: CountsFile,
    k: Annotated[int, typer.Option("--k", help="Forecast coverage at this many samples for each problem.")],
    as_json: Json = False,
) -> None:
    """What coverage a larger k would give, with a 50 % and a 90 % interval, from counts of correct samples."""
    from flows.command_line.views.counts import show_forecast

    show_forecast(counts, k, as_json=as_json)
