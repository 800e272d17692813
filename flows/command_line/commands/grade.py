"""`monkeys judge` and `monkeys doctor`: programs in sandboxes, with no store and no Prefect."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command(
    epilog="Examples: [bold]monkeys judge problems.jsonl samples.jsonl -o verdicts.jsonl[/]  ·  "
    "[bold]monkeys judge problems.jsonl samples.jsonl -o verdicts.jsonl --sandbox docker --time-multiplier 2[/]"
)
def judge(
    problems: Annotated[
        Path, typer.Argument(metavar="PROBLEMS.jsonl", help='Lines {"id", "tests": [{"input", "output"}]}.')
    ],
    samples: Annotated[
        Path,
        typer.Argument(metavar="SAMPLES.jsonl", help='Lines {"problem_id", "index", "text"}: text is the program.'),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="VERDICTS.jsonl", help="One line for each sample, in their order.")
    ],
    sandbox: Annotated[
        str, typer.Option("--sandbox", help="Where the programs run: bubblewrap or docker.")
    ] = "bubblewrap",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Executions at once; else one for each core.")
    ] = None,
    python: Annotated[
        Path | None, typer.Option("--python", help="Python that runs the programs, with the packages that it has.")
    ] = None,
    time_multiplier: Annotated[
        float | None, typer.Option("--time-multiplier", help="Factor on every time limit, the problems' own included.")
    ] = None,
    all_tests: Annotated[
        bool, typer.Option("--all-tests", help="Run all tests of a program, also after one that it failed.")
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="a=b", help="Set any field of the sandbox, such as memory_limit_mb=256."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Run programs on their problems' tests in a sandbox, and write a verdict on each. Run again to resume."""
    from flows.command_line.views.grade import run_grade  # keeps `monkeys --help` fast

    complete = run_grade(
        {"problems": problems, "samples": samples, "output": output},
        set_ or (),
        as_json=as_json,
        all_tests=all_tests,
        sandbox=sandbox,
        workers=workers,
        python=python,
        time_multiplier=time_multiplier,
    )
    if not complete:
        raise typer.Exit(1)


@app.command(epilog="Example: [bold]monkeys doctor[/] (exit code 0 if a sandbox works here)")
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Say which sandboxes work on this machine, how far they isolate, and what to install or set for the rest."""
    from flows.command_line.views.doctor import show_doctor

    if not show_doctor(as_json=as_json):
        raise typer.Exit(1)
