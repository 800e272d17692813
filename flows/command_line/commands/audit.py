"""`monkeys audit graders` and `monkeys audit tests`: judges held against samples whose truth is known."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Hold graders, or problems' tests, against samples whose truth is known.", no_args_is_help=True)

File = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE.yaml]", help="A sweep file: its task, problems, grader and sandbox.", show_default=False
    ),
]
Labelled = Annotated[
    str | None, typer.Option("--labelled", metavar="FILE.jsonl", help='Lines {"problem_id", "text", "correct"}.')
]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="a.b=c", help="Set any field; repeatable.")]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of tables.")]


@app.command(
    epilog="Examples: [bold]monkeys audit graders my.yaml --labelled labelled.jsonl[/]  ·  "
    "[bold]monkeys audit graders --set task=math500 --set task.path=math500.jsonl[/]"
)
def graders(
    file: File = None,
    *,
    labelled: Labelled = None,
    examples: Annotated[int, typer.Option("--examples", min=0, help="Show so many disagreements of each kind.")] = 3,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Run every grader of a task over gold answers, known solutions and labelled samples: agreement, false positives
    and false negatives. Exit code 1 if a gold answer is not equal to itself."""
    from flows.command_line.views.audit import show_graders  # keeps `monkeys --help` fast

    if not show_graders(file, set_ or (), labelled=labelled, examples=examples, as_json=as_json):
        raise typer.Exit(1)


@app.command(
    epilog="Examples: [bold]monkeys audit tests my.yaml --repeats 5 -o exclude.jsonl[/]  ·  then "
    "[bold]monkeys sweep my.yaml --set exclude=exclude.jsonl[/]"
)
def tests(
    file: File = None,
    *,
    labelled: Labelled = None,
    repeats: Annotated[int | None, typer.Option("--repeats", "-r", min=1, help="Judge each program so often.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.jsonl", help="Write the problems to leave out.")
    ] = None,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Judge known-correct (and known-wrong) solutions again and again: which problems' tests reject right programs,
    accept wrong ones, or change their verdict. Exit code 1 if something could not be judged."""
    from flows.command_line.views.audit import show_tests

    if not show_tests(file, set_ or (), labelled=labelled, repeats=repeats, output=output, as_json=as_json):
        raise typer.Exit(1)
