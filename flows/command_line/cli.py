"""`monkeys`, the command line. Heavy imports wait until a command needs them: help is there at once."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.command_line.commands.audit import app as audit_commands
from flows.command_line.commands.compare import app as compare_commands
from flows.command_line.commands.counts import app as counts_commands
from flows.command_line.commands.grade import app as judge_commands
from flows.command_line.commands.import_samples import app as import_commands
from flows.command_line.commands.plan import app as plan_commands
from flows.command_line.commands.store import app as store_commands

app = typer.Typer(
    name="monkeys",
    help="Repeated sampling of language models: draw many samples, verify them, and say what more samples buy.",
    epilog="Example: monkeys sweep examples/programs.yaml --k 200",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

USAGE_ERROR = 2
INTERRUPTED = 130
TERMINATED = 143


@app.callback(invoke_without_command=True)
def monkeys(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Repeated sampling of language models: draw many samples, verify them, and say what more samples buy."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("monkeys"))
        raise typer.Exit


@app.command(
    epilog="Examples: "
    "[bold]monkeys sweep examples/programs.yaml[/]  ·  "
    "[bold]monkeys sweep examples/programs.yaml --k 1000[/] (draws only what is missing)  ·  "
    "[bold]monkeys sweep my.yaml --store s3://bucket/runs --set sampling.temperature=0.8[/]  ·  "
    "[bold]monkeys sweep my.yaml --workers 4[/] (on the workers of a Prefect server)"
)
def sweep(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The sweep file; examples/ has some.")],
    *,
    k: Annotated[int | None, typer.Option("--k", help="Samples for each problem; more than stored extends.")] = None,
    store: Annotated[str | None, typer.Option(help="Folder or fsspec URL of the results.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="a.b=c", help="Set any field; repeatable.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Spread it over so many runs of a deployment.")
    ] = None,
    deployment: Annotated[
        str, typer.Option("--deployment", metavar="FLOW/NAME", help="The deployment that --workers runs.")
    ] = "sweep/sweep",
) -> None:
    """Draw and verify samples, then show coverage against k. Run again to resume, or with a larger k to extend."""
    from flows.command_line.views.sweep import run_sweep  # keeps `monkeys --help` fast

    run_sweep(file, set_ or (), workers=workers, deployment=deployment, k=k, store=store)


@app.command(
    epilog="Example: [bold]monkeys study small.yaml large.yaml --k 1000[/] (the same command resumes and extends)"
)
def study(
    files: Annotated[list[Path], typer.Argument(metavar="A.yaml B.yaml ...", help="Sweep files, one for each model.")],
    *,
    k: Annotated[int | None, typer.Option("--k", help="Samples for each problem, in every sweep.")] = None,
    store: Annotated[str | None, typer.Option(help="Folder or fsspec URL of the results, for every sweep.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="a.b=c", help="Set any field; repeatable.")] = None,
) -> None:
    """Sweep several models one after another, then compare them: a page each, and one for all."""
    from flows.command_line.views.study import run_study  # keeps `monkeys --help` fast

    run_study(files, set_ or (), k=k, store=store)


app.add_typer(plan_commands)
app.add_typer(store_commands)
app.add_typer(counts_commands)
app.add_typer(compare_commands)
app.add_typer(judge_commands)
app.add_typer(import_commands)
app.add_typer(audit_commands, name="audit")


def main() -> None:
    """Entry point: faults that a person can mend end in one line and exit code 2; SIGTERM ends a command as Ctrl-C
    does."""
    # Prefect has a handler of its own while a flow runs, and passes the signal on when that has ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        app()
    except SystemExit as ended:
        if ended.code in {INTERRUPTED, TERMINATED}:
            from tasks.errors import RESUME

            print(f"\nmonkeys: interrupted. {RESUME}", file=sys.stderr)
        raise
    except Exception as error:
        from flows.command_line.running import one_line

        line = one_line(error)
        if line is None:
            raise
        print(f"monkeys: {line}", file=sys.stderr)
        sys.exit(USAGE_ERROR)
