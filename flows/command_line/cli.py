"""The entry point of `monkeys`. Heavy imports are deferred until a command needs them, so that help is fast."""

import signal
import sys
from typing import Annotated

import typer

from flows.command_line.commands.audit import app as audit_commands
from flows.command_line.commands.compare import app as compare_commands
from flows.command_line.commands.cost import app as cost_commands
from flows.command_line.commands.counts import app as counts_commands
from flows.command_line.commands.grade import app as grade_commands
from flows.command_line.commands.import_samples import app as import_commands
from flows.command_line.commands.pick import app as pick_commands
from flows.command_line.commands.plan import app as plan_commands
from flows.command_line.commands.plugins import app as plugins_commands
from flows.command_line.commands.predictions import app as predictions_commands
from flows.command_line.commands.store import app as store_commands
from flows.command_line.commands.sweep import app as sweep_commands
from flows.command_line.commands.view import app as view_commands
from flows.command_line.interruption import Interruption

SUMMARY = "Repeated sampling of language models: draw many samples, grade them, and see what more samples buy."

app = typer.Typer(
    name="monkeys",
    help=SUMMARY,
    epilog="Example: [bold]monkeys sweep examples/programs.yaml --k 200[/]",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

USAGE_ERROR = 2
INTERRUPTED = 130
TERMINATED = 143


@app.callback(invoke_without_command=True, help=SUMMARY)
def monkeys(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Options of `monkeys` itself."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("monkeys"))
        raise typer.Exit


for commands in (
    sweep_commands,
    plan_commands,
    store_commands,
    view_commands,
    counts_commands,
    pick_commands,
    compare_commands,
    cost_commands,
    grade_commands,
    import_commands,
    predictions_commands,
    plugins_commands,
):
    app.add_typer(commands)
app.add_typer(audit_commands, name="audit")


def _terminate(*_: object) -> None:
    # A second one must not interrupt what the first one started: `Interruption` ends the process.
    signal.signal(signal.SIGTERM, lambda *_: None)
    sys.exit(TERMINATED)


def main() -> None:
    """Run the command line. Errors that the user can fix end in one line and exit code 2; SIGTERM ends a command as
    Ctrl-C does."""
    interruption = Interruption()
    # While a flow runs, Prefect's handler replaces this one, and passes the signal on once the flow has ended.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except SystemExit as ended:
        from flows.command_line.running import leave

        if ended.code in {INTERRUPTED, TERMINATED}:
            interruption.tell()
        leave(ended.code)
        raise
    except Exception as error:
        from flows.command_line.running import leave, one_line

        line = one_line(error)
        if line is None:
            raise
        print(f"monkeys: {line}", file=sys.stderr)
        leave(USAGE_ERROR)
        sys.exit(USAGE_ERROR)
