"""`monkeys audit graders` and `monkeys audit tests`: checks against samples that are known to be right or wrong."""

from pathlib import Path
from typing import Annotated

import typer

from flows.command_line.options import Json, OptionalSweepFile, SetFields

app = typer.Typer(
    help="Check graders, or the tests of problems, against samples that are known to be right or wrong.",
    no_args_is_help=True,
)

Labelled = Annotated[
    str | None,
    typer.Option("--labelled", metavar="FILE.jsonl", help='Labelled samples: {"problem_id", "text", "correct"}.'),
]


@app.command(
    epilog="Examples: [bold]monkeys audit graders my.yaml --labelled labelled.jsonl[/]  ·  "
    "[bold]monkeys audit graders --set dataset=math500 --set dataset.path=math500.jsonl[/]"
)
def graders(
    file: OptionalSweepFile = None,
    *,
    labelled: Labelled = None,
    examples: Annotated[int, typer.Option("--examples", min=0, help="Show N disagreements of each kind.")] = 3,
    set_: SetFields = None,
    as_json: Json = False,
) -> None:
    """Run every grader of a dataset on gold answers, known solutions and labelled samples, and report agreement,
    false positives and false negatives. Exit code 1 if a grader rejects a gold answer."""
    from flows.command_line.views.audit import show_graders

    if not show_graders(file, set_ or (), labelled=labelled, examples=examples, as_json=as_json):
        raise typer.Exit(1)


@app.command(
    epilog="Examples: [bold]monkeys audit tests my.yaml --repeats 5 -o exclude.jsonl[/]  ·  then "
    "[bold]monkeys sweep my.yaml --set exclude=exclude.jsonl[/]"
)
def tests(
    file: OptionalSweepFile = None,
    *,
    labelled: Labelled = None,
    repeats: Annotated[int | None, typer.Option("--repeats", "-r", min=1, help="Grade each program N times.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.jsonl", help="Write the problems to exclude here.")
    ] = None,
    set_: SetFields = None,
    as_json: Json = False,
) -> None:
    """Grade known solutions repeatedly, and find the problems whose tests reject correct programs, accept wrong ones,
    or are flaky. Exit code 1 if a program could not be graded."""
    from flows.command_line.views.audit import show_tests

    if not show_tests(file, set_ or (), labelled=labelled, repeats=repeats, output=output, as_json=as_json):
        raise typer.Exit(1)
