"""`monkeys cost`: what results cost, and which use of a budget solves most. Needs no Prefect server."""

from typing import Annotated

import typer

from flows import DEFAULT_STORE
from flows.command_line.options import Json, StoreUrl, VerdictSet

app = typer.Typer()


@app.command(
    epilog="Examples: [bold]monkeys cost programs-small programs-large --reach 0.8[/]  ·  "
    "[bold]monkeys cost A B --in dollars --prices prices.yaml --budget 10 -o costs[/]  ·  "
    "[bold]monkeys cost a.csv b.csv --in seconds[/]"
)
def cost(
    sets: Annotated[
        list[str],
        typer.Argument(
            metavar="SET ...",
            help="Stored sets, or tables of counts or answers with columns such as prompt_tokens, tokens or dollars.",
        ),
    ],
    *,
    measure: Annotated[
        str | None,
        typer.Option(
            "--in",
            metavar="UNIT",
            help="dollars, flops, tokens or seconds; by default dollars where every set has a price, else tokens.",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="SELECTOR",
            help="Compare what a way of picking delivers, such as majority, rather than coverage; not of counts.",
        ),
    ] = None,
    reach: Annotated[
        float | None, typer.Option("--reach", metavar="SHARE", help="Find the cheapest way to solve this share.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="COST", help="Find the best use of this cost for all problems.")
    ] = None,
    prices: Annotated[
        str | None,
        typer.Option("--prices", metavar="FILE", help="A YAML file of prices, used before the bundled ones."),
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Option(
            "--prompts",
            metavar="RULE",
            help="A prompt counts for each sample, once per problem, or is cached by a problem's first sample;"
            " each by default, once in FLOPs.",
        ),
    ] = None,
    batch: Annotated[bool, typer.Option("--batch", help="Count dollars at the price of batches.")] = False,
    config: Annotated[
        list[str] | None,
        typer.Option("--config", metavar="SET=FILE", help="The config.json of a set's model, for FLOPs; repeatable."),
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--parameters",
            metavar="SET=NUMBER",
            help="The parameters of a set's model that a token passes through; repeatable.",
        ),
    ] = None,
    verdicts: VerdictSet = None,
    store: StoreUrl = DEFAULT_STORE,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FOLDER", help="Write a figure and tables here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare results by cost: coverage per dollar, FLOP, token or second, the frontier, and mixtures of two sets."""
    from flows.command_line.views.cost import show_costs

    fields = {
        "sets": tuple(sets),
        "by": by,
        "measure": measure,
        "reach": reach,
        "budget": budget,
        "prices": prices,
        "prompts": prompts,
        "batch": batch,
        "verdicts": verdicts,
        "store": store,
        "output": output,
    }
    show_costs(fields, config or (), parameters or (), as_json=as_json)
