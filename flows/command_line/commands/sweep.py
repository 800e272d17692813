"""`monkeys sweep` and `monkeys study`: the commands that draw samples."""

from pathlib import Path
from typing import Annotated

import typer

from flows.command_line.options import OptionalStoreUrl, SamplesPerProblem, SetFields, SweepFile

app = typer.Typer()


@app.command(
    epilog="Examples: "
    "[bold]monkeys sweep examples/programs.yaml[/]  ·  "
    "[bold]monkeys sweep examples/programs.yaml --k 1000[/] (draws only what is missing)  ·  "
    "[bold]monkeys sweep my.yaml --store s3://bucket/runs --set sampling.temperature=0.8[/]  ·  "
    "[bold]monkeys sweep my.yaml --workers 4[/] (on the workers of a Prefect server)"
)
def sweep(
    file: SweepFile,
    *,
    k: SamplesPerProblem = None,
    store: OptionalStoreUrl = None,
    set_: SetFields = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Split the sweep across N runs of a Prefect deployment.")
    ] = None,
    deployment: Annotated[
        str, typer.Option("--deployment", metavar="FLOW/NAME", help="The deployment that --workers runs.")
    ] = "sweep/sweep",
) -> None:
    """Draw and grade samples, then show coverage at each k. Run again to resume, or with a larger k to extend."""
    from flows.command_line.views.sweep import run_sweep

    run_sweep(file, set_ or (), workers=workers, deployment=deployment, k=k, store=store)


@app.command(epilog="Example: [bold]monkeys study small.yaml large.yaml --k 1000[/] (run again to resume or extend)")
def study(
    files: Annotated[list[Path], typer.Argument(metavar="A.yaml B.yaml ...", help="Sweep files, one per model.")],
    *,
    k: SamplesPerProblem = None,
    store: OptionalStoreUrl = None,
    set_: SetFields = None,
) -> None:
    """Sweep several models in turn, then compare them: one report per model, and one page for all."""
    from flows.command_line.views.study import run_study

    run_study(files, set_ or (), k=k, store=store)
