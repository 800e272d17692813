"""`monkeys grade` and `monkeys doctor`: programs in sandboxes, and provers. Needs no store or Prefect."""

from pathlib import Path
from typing import Annotated

import typer

from flows.command_line.options import Json, JsonSummary

app = typer.Typer()


@app.command("judge", hidden=True)  # words: ok (the command's former name)
@app.command(
    "grade",
    epilog="Examples: [bold]monkeys grade problems.jsonl samples.jsonl -o verdicts.jsonl[/]  ·  "
    "[bold]monkeys grade problems.jsonl samples.jsonl -o verdicts.jsonl --sandbox docker --time-multiplier 2[/]  ·  "
    "[bold]monkeys grade theorems proofs.jsonl -o verdicts.jsonl --set grader.prover.time_limit_s=10[/]  ·  "
    "[bold]monkeys grade statements.jsonl proofs.jsonl -o verdicts.jsonl --prover lean[/]",
)
def grade(
    problems: Annotated[
        str,
        typer.Argument(
            metavar="PROBLEMS",
            help='A file with one {"id", "tests": [{"input", "output"}]} per line, the name of a dataset, or with'
            " --grader or --prover a file of your own problems.",
        ),
    ],
    samples: Annotated[
        Path,
        typer.Argument(
            metavar="SAMPLES.jsonl",
            help='One {"problem_id", "index", "text"} per line (Parquet and CSV too); the index may be left out.',
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="VERDICTS.jsonl", help="One line per sample, in the same order.")
    ],
    grader: Annotated[
        str | None, typer.Option("--grader", help="Grade the samples of a dataset with this grader, not its usual one.")
    ] = None,
    prover: Annotated[
        str | None, typer.Option("--prover", help="Grade proofs with this prover, such as rocq or lean.")
    ] = None,
    sandbox: Annotated[
        str | None, typer.Option("--sandbox", help="Where programs run: bubblewrap (the default) or docker.")
    ] = None,
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
        typer.Option(
            "--set",
            metavar="a=b",
            help="Set any field of the sandbox, such as memory_limit_mb=256, or with the name of the role one of the"
            " dataset or the grader, such as grader.prover.workers=8.",
        ),
    ] = None,
    as_json: JsonSummary = False,
) -> None:
    """Grade the samples of a file, and write one verdict per sample. Run again to resume.

    Programs run on the tests of their problems, in a sandbox. Samples of a dataset are graded as a sweep does it.
    """
    from flows.command_line.views.grade import GradeFiles, GradeOptions, run_grade

    options = GradeOptions(
        overrides=tuple(set_ or ()),
        grader=grader,
        prover=prover,
        sandbox=sandbox,
        workers=workers,
        python=python,
        time_multiplier=time_multiplier,
        all_tests=all_tests,
        extract_code=extract_code,
    )
    if not run_grade(GradeFiles(problems, samples, output), options, as_json=as_json):
        raise typer.Exit(1)


@app.command(epilog="Example: [bold]monkeys doctor[/] (exit code 0 if a sandbox works here)")
def doctor(as_json: Json = False) -> None:
    """Check which sandboxes and provers work on this machine, and what to install or configure for the rest."""
    from flows.command_line.views.doctor import show_doctor

    if not show_doctor(as_json=as_json):
        raise typer.Exit(1)
