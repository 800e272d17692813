"""`monkeys predictions`: one chosen patch for each issue, for SWE-bench's harness and leaderboard."""

from pathlib import Path
from typing import Annotated

import typer

from flows import DEFAULT_STORE
from flows.command_line.options import Json, SetFields, SetName, StoreUrl, VerdictSet

app = typer.Typer()


@app.command(
    epilog="Examples: [bold]monkeys predictions swe-bench my.yaml --by majority -o preds.json[/]  ·  "
    "[bold]monkeys predictions swe-bench my.yaml --by '{name: best_of, score: logprob_mean}' --k 10 "
    "-o all_preds.jsonl[/]"
)
def predictions(
    name: SetName,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE.yaml]", help="The sweep file of the set, for its dataset.", show_default=False),
    ] = None,
    *,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="SELECTOR",
            help="The way of picking, such as majority or '{name: best_of, score: logprob_mean}'; of samples that tie,"
            " the first is taken.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="FILE.json: an object by issue; FILE.jsonl: one line per issue."
        ),
    ],
    k: Annotated[int | None, typer.Option("--k", min=1, help="Pick from the first K samples; by default from all.")] = (
        None
    ),
    allow_oracle: Annotated[
        bool,
        typer.Option(
            "--allow-oracle", help="Accept --by oracle, which picks by the verdicts: coverage, not a result to submit."
        ),
    ] = False,
    model_name: Annotated[
        str | None,
        typer.Option(
            "--model-name",
            metavar="NAME",
            help="model_name_or_path in the predictions; by default the set's name, the selector and k.",
        ),
    ] = None,
    set_: SetFields = None,
    verdicts: VerdictSet = None,
    store: StoreUrl = DEFAULT_STORE,
    as_json: Json = False,
) -> None:
    """Write one chosen patch for each issue of SWE-bench, in the format of its harness and leaderboard."""
    from flows.command_line.views.predictions import write_chosen

    write_chosen(
        name,
        file,
        set_ or (),
        by=by,
        k=k,
        output=output,
        allow_oracle=allow_oracle,
        model_name=model_name,
        verdicts=verdicts,
        store=store,
        as_json=as_json,
    )
