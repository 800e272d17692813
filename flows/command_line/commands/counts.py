"""`monkeys curve` and `monkeys forecast`: the statistics alone, for counts from any tool. Needs no store or Prefect."""

from pathlib import Path
from typing import Annotated

import typer

from flows.command_line.options import Json

app = typer.Typer()

CountsFile = Annotated[
    Path, typer.Argument(metavar="COUNTS.csv", help="A table with the columns problem, samples and correct.")
]


@app.command(epilog="Example: [bold]monkeys curve counts.csv --json[/]")
def curve(counts: CountsFile, as_json: Json = False) -> None:
    """Estimate coverage at each k without bias, with intervals, and fit a power law to it."""
    from flows.command_line.views.counts import show_curve

    show_curve(counts, as_json=as_json)


@app.command(epilog="Example: [bold]monkeys forecast counts.csv --k 10000[/]")
def forecast(
    counts: CountsFile,
    k: Annotated[int, typer.Option("--k", help="Forecast coverage at this many samples per problem.")],
    as_json: Json = False,
) -> None:
    """Forecast coverage of these problems at a larger k, with 50% and 90% intervals over samples."""
    from flows.command_line.views.counts import show_forecast

    show_forecast(counts, k, as_json=as_json)
