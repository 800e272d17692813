"""`monkeys grade` and `monkeys doctor`: programs in sandboxes. Needs no store or Prefect."""

from pathlib import Path
from typing import Annotated

import typer

from flows.command_line.options import Json, JsonSummary

app = typer.Typer()


@app.command("judge", hidden=True)  # words: ok (the command's former name)
@app.command(
    "grade",
    epilog="Examples: [bold]monkeys grade problems.jsonl samples.jsonl -o verdicts.jsonl[/]  ·  "
    "[bold]monkeys grade problems.jsonl samples.jsonl -o verdicts.jsonl --sandbox docker --time-multiplier 2[/]",
)
def grade(
    problems: Annotated[
        Path, typer.Argument(metavar="PROBLEMS.jsonl", help='One {"id", "tests": [{"input", "output"}]} per line.')
    ],
    samples: Annotated[
        Path,
        typer.Argument(
            metavar="SAMPLES.jsonl",
            help='One {"problem_id", "index", "text"} per line; text is the program.',
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="VERDICTS.jsonl", help="One line per sample, in the same order.")
    ],
    sandbox: Annotated[
        str, typer.Option("--sandbox", help="Where the programs run: bubblewrap or docker.")
    ] = "bubblewrap",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Run N programs at a time; one per core by default.")
    ] = None,
    python: Annotated[
        Path | None, typer.Option("--python", help="The Python that runs the programs, with the packages it has.")
    ] = None,
    time_multiplier: Annotated[
        float | None,
        typer.Option("--time-multiplier", help="Multiply every time limit, including those of the problems."),
    ] = None,
    all_tests: Annotated[
        bool, typer.Option("--all-tests", help="Run all tests of a program, even after one has failed.")
    ] = False,
    extract_code: Annotated[
        bool,
        typer.Option("--extract-code", help="Take the program out of the text: strip thinking and Markdown fences."),
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="a=b", help="Set any field of the sandbox, such as memory_limit_mb=256."),
    ] = None,
    as_json: JsonSummary = False,
) -> None:
    """Run programs on their problems' tests in a sandbox, and write one verdict per sample. Run again to resume."""
    from flows.command_line.views.grade import run_grade

    complete = run_grade(
        {"problems": problems, "samples": samples, "output": output},
        set_ or (),
        as_json=as_json,
        all_tests=all_tests,
        extract_code=extract_code,
        sandbox=sandbox,
        workers=workers,
        python=python,
        time_multiplier=time_multiplier,
    )
    if not complete:
        raise typer.Exit(1)


@app.command(epilog="Example: [bold]monkeys doctor[/] (exit code 0 if a sandbox works here)")
def doctor(as_json: Json = False) -> None:
    """Check which sandboxes and provers work on this machine, and what to install or configure for the rest."""
    from flows.command_line.views.doctor import show_doctor

    if not show_doctor(as_json=as_json):
        raise typer.Exit(1)
