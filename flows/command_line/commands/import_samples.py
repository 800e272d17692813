"""`monkeys import`: other tools' samples and verdicts, with no store and no Prefect."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command(
    name="import",
    epilog="Examples: [bold]monkeys import samples.jsonl -o mine.jsonl[/]  ·  "
    "[bold]monkeys import MATH_Pythia-12B.json --counts counts.csv[/] (then monkeys curve counts.csv)  ·  "
    "[bold]monkeys import log.eval --format inspect_ai -o mine.jsonl --ids 'gsm8k/{row:04d}'[/]",
)
def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH ...", help="Files or folders of one model and one run.")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="SAMPLES.jsonl", help="The samples, for engine `recorded`.")
    ] = None,
    counts: Annotated[
        Path | None,
        typer.Option("--counts", metavar="COUNTS.csv", help="The verdicts in the files, for curve, forecast, compare."),
    ] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format", help="llmonk, monkey_business, human_eval, evalplus, inspect_ai, lm_eval, plain; auto tells."
        ),
    ] = "auto",
    verdict: Annotated[
        str | None, typer.Option("--verdict", help="Which verdict counts: base, a scorer or a filter, by the format.")
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option(
            "--ids",
            metavar="FORM",
            help="The problems' ids, such as 'gsm8k/{row:04d}': {id} is the tool's, {row} the same counted from 0.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Bring samples that another tool drew, with what it knows of how, and the verdicts that it gave."""
    from flows.command_line.views.import_samples import run_import  # keeps `monkeys --help` fast

    run_import(paths, output=output, counts=counts, format_=format_, verdict=verdict, ids=ids, as_json=as_json)
