"""`monkeys compare`: several results together, from a store or from CSV tables. Needs no Prefect server."""

from typing import Annotated

import typer

from flows import DEFAULT_STORE
from flows.command_line.options import Json, StoreUrl, VerdictSet
from tasks.errors import UserError

app = typer.Typer()


@app.command(
    epilog="Examples: [bold]monkeys compare programs-tiny programs-large[/]  ·  "
    "[bold]monkeys compare a.csv b.csv --output comparison[/]  ·  "
    "[bold]monkeys compare programs --truth stdio-exact --penalty 2[/]"
)
def compare(
    sets: Annotated[
        list[str],
        typer.Argument(
            metavar="SET SET ...",
            help="Stored sets or CSV files of counts; the first is the reference. With --truth, one stored set, or "
            "tables of samples with problem, answer and correct.",
        ),
    ],
    *,
    verdicts: VerdictSet = None,
    truth: Annotated[
        str | None,
        typer.Option(
            "--truth",
            metavar="VERDICTS",
            help="Compare verifiers of the same samples: the verdict set that is right (`correct` in a table).",
        ),
    ] = None,
    verifier: Annotated[
        list[str] | None,
        typer.Option(
            "--verifier",
            metavar="VERDICTS",
            help="With --truth: another verdict set, or a column of a table; repeatable. By default all other verdict "
            "sets and the public tests, or a table's `score`, `passed` and columns of 0 and 1.",
        ),
    ] = None,
    penalty: Annotated[
        float | None,
        typer.Option(
            "--penalty",
            min=0,
            metavar="COST",
            help="With --truth: what a wrong submission costs, where a right one is worth 1; 1 by default.",
        ),
    ] = None,
    always: Annotated[
        bool,
        typer.Option("--always", help="With --truth: submit any sample where the verifier accepts none, not nothing."),
    ] = False,
    combine: Annotated[
        bool,
        typer.Option("--combine", help="With --truth: fit weights that make one verifier of all verdicts and scores."),
    ] = False,
    store: StoreUrl = DEFAULT_STORE,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FOLDER", help="Write a page with figures here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare coverage curves: paired differences with intervals, crossings, and shifts between curves.

    With --truth, compare verifiers of the same samples: precision, recall, and what comes of submitting what they
    accept.
    """
    if truth is not None:
        from flows.command_line.views.verifiers import show_verifiers

        show_verifiers(
            sets,
            truth=truth,
            verifiers=verifier or (),
            penalty=1.0 if penalty is None else penalty,
            always=always,
            combine=combine,
            verdicts=verdicts,
            store=store,
            output=output,
            as_json=as_json,
        )
        return
    given = {"--verifier": verifier, "--penalty": penalty is not None, "--always": always, "--combine": combine}
    for option in (name for name, value in given.items() if value):
        raise UserError(f"{option}: needs --truth VERDICTS, the verdict set that is right")
    from flows.command_line.views.compare import show_comparison

    show_comparison(sets, verdicts=verdicts, store=store, output=output, as_json=as_json)
