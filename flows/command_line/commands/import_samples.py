"""`monkeys import`: samples and verdicts of other tools. Needs no store or Prefect."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from flows.command_line.options import JsonSummary

app = typer.Typer()


class _ImportCommand(TyperCommand):
    """Its help also lists the formats of plug-ins, which are loaded only then."""

    def format_help(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # typer.Context is public
        from rich.markup import escape

        from tasks.importers.formats import FORMATS, formats

        added = ", ".join(escape(each.name) for each in formats()[len(FORMATS) :])
        for option in self.params:
            if added and isinstance(option, TyperOption) and option.name == "format_":
                option.help = f"{option.help} From plug-ins: {added}."
        super().format_help(ctx, formatter)


@app.command(
    cls=_ImportCommand,
    name="import",
    epilog="Examples: [bold]monkeys import samples.jsonl -o mine.jsonl[/]  ·  "
    "[bold]monkeys import MATH_Pythia-12B.json --counts counts.csv[/] (then monkeys curve counts.csv)  ·  "
    "[bold]monkeys import log.eval --format inspect_ai -o mine.jsonl --ids 'gsm8k/{row:04d}'[/]",
)
def import_(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH ...", help="Files or folders from one run of one model.")
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="SAMPLES.jsonl", help="Write the samples, for the engine `recorded`."),
    ] = None,
    counts: Annotated[
        Path | None,
        typer.Option(
            "--counts", metavar="COUNTS.csv", help="Write the tool's verdicts, for curve, forecast and compare."
        ),
    ] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="llmonk, monkey_business, human_eval, evalplus, inspect_ai, lm_eval, swe_bench or plain; auto detects"
            " it.",
        ),
    ] = "auto",
    verdict: Annotated[
        str | None,
        typer.Option(
            "--verdict",
            help="Which of the tool's verdicts counts: base, or the name of a scorer, filter or metric.",
        ),
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option(
            "--ids",
            metavar="TEMPLATE",
            help="Rewrite problem ids, such as 'gsm8k/{row:04d}': {id} is the tool's id, {row} the zero-based row.",
        ),
    ] = None,
    as_json: JsonSummary = False,
) -> None:
    """Import samples that another tool drew, with their provenance and the tool's verdicts."""
    from flows.command_line.views.import_samples import run_import

    run_import(paths, output=output, counts=counts, format_=format_, verdict=verdict, ids=ids, as_json=as_json)
