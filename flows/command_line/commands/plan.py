"""`monkeys plan`: what a sweep would cost, before anything is spent."""

import typer

from flows.command_line.options import Json, OptionalStoreUrl, SamplesPerProblem, SetFields, SweepFile

app = typer.Typer()


@app.command(
    epilog="Examples: [bold]monkeys plan my.yaml --k 10000[/]  ·  "
    "[bold]monkeys plan my.yaml --set price.completion=0.6[/]  ·  "
    "[bold]monkeys plan my.yaml --json | jq .remaining.tokens.high[/]"
)
def plan(
    file: SweepFile,
    *,
    k: SamplesPerProblem = None,
    store: OptionalStoreUrl = None,
    set_: SetFields = None,
    as_json: Json = False,
) -> None:
    """Estimate the samples, tokens, time and money that a sweep still needs, from what is stored. Spends nothing."""
    from flows.command_line.views.plan import show_plan

    show_plan(file, set_ or (), k=k, store=store, as_json=as_json)
