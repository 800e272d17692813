"""`monkeys pick`: which of k samples to deliver, and how often it is right. Needs no Prefect server."""

from pathlib import Path
from typing import Annotated

import typer

from flows.command_line.options import Json, OptionalStoreUrl, VerdictSet

app = typer.Typer()


@app.command(
    epilog="Examples: "
    "[bold]monkeys pick answers.jsonl --scores rewards.parquet --score-column reward -o pick.svg[/]  ·  "
    "[bold]monkeys pick answers.csv --by majority --k 10 --k 100[/]  ·  "
    "[bold]monkeys pick arithmetic[/]"
)
def pick(
    answers: Annotated[
        list[str],
        typer.Argument(
            metavar="ANSWERS ...",
            help="Tables of samples with problem, answer and correct; inspect_ai logs; or a stored set, by default "
            "in ./runs.",
        ),
    ],
    *,
    store: OptionalStoreUrl = None,
    verdicts: VerdictSet = None,
    verdict: Annotated[
        str | None,
        typer.Option(
            "--verdict",
            metavar="SCORER",
            help="The scorer of inspect_ai logs whose value says what is correct; the others give scores.",
        ),
    ] = None,
    scores: Annotated[
        list[Path] | None,
        typer.Option("--scores", metavar="FILE", help="Scores of the samples by problem and sample; repeatable."),
    ] = None,
    score: Annotated[
        list[str] | None,
        typer.Option(
            "--score-column", metavar="COLUMN", help="A column that is a score, `score` by default; repeatable."
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="SELECTOR",
            help="A way of picking, such as majority or '{name: best_of, score: reward}'; repeatable. By default all "
            "for which the samples have what they need.",
        ),
    ] = None,
    k: Annotated[
        list[int] | None,
        typer.Option("--k", help="Show accuracy at this k, beyond the samples as a forecast; repeatable."),
    ] = None,
    grader: Annotated[
        str | None,
        typer.Option(
            "--grader",
            metavar="GRADER",
            help="The grader that says which answers are the same, such as math_tolerant; by default the stored set's, "
            "or for tables, equal text.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FIGURE", help="Write the curves as .svg, .pdf or .png."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what k samples deliver: coverage, and the accuracy of votes, best-of-k and other ways of picking one."""
    from flows.command_line.views.pick import show_pick

    show_pick(
        answers,
        store=store,
        verdicts=verdicts,
        verdict=verdict,
        score_files=scores or (),
        score_names=score or (),
        selectors=by or (),
        ks=k,
        grader=grader,
        output=output,
        as_json=as_json,
    )
