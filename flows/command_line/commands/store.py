"""`monkeys ls`, `show`, `samples`, `export`, `check`, `gc` and `regrade`: what is stored, and grading it again."""

from pathlib import Path
from typing import Annotated

import typer

from flows import DEFAULT_STORE
from flows.command_line.options import (
    Json,
    OptionalStoreUrl,
    OptionalSweepFile,
    ScoreSet,
    SetFields,
    SetName,
    StoreUrl,
    VerdictSet,
)

app = typer.Typer()


@app.command(
    epilog="Examples: [bold]monkeys ls[/]  ·  [bold]monkeys ls --store s3://bucket/runs --json | jq .[].name[/]"
)
def ls(store: StoreUrl = DEFAULT_STORE, as_json: Json = False) -> None:
    """List the sample sets in a store, with their verdicts."""
    from flows.command_line.views.sets import list_sets

    list_sets(store, as_json=as_json)


@app.command(epilog="Example: [bold]monkeys show arithmetic[/]")
def show(name: SetName, store: StoreUrl = DEFAULT_STORE, as_json: Json = False) -> None:
    """Show one set: what it depends on, how much is stored, and its verdict and score sets."""
    from flows.command_line.views.sets import show_set

    show_set(store, name, as_json=as_json)


@app.command(
    epilog="Examples: [bold]monkeys samples arithmetic --problem arithmetic/003 --verdict wrong[/]  ·  "
    "[bold]monkeys samples arithmetic --problem arithmetic/003 --index 17[/]"
)
def samples(
    name: SetName,
    *,
    problem: Annotated[
        str | None, typer.Option("--problem", metavar="ID", help="Only samples of this problem.")
    ] = None,
    verdict: Annotated[
        str | None, typer.Option("--verdict", help="Only samples with this verdict, such as wrong.")
    ] = None,
    index: Annotated[int | None, typer.Option("--index", min=0, help="Only samples with this index.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Print at most N samples.")] = 10,
    verdicts: VerdictSet = None,
    scores: ScoreSet = None,
    store: StoreUrl = DEFAULT_STORE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line per sample.")] = False,
) -> None:
    """Print samples with their verdicts and scores. Fetches only what it prints, not the whole set."""
    from flows.command_line.views.samples import print_samples

    print_samples(
        store,
        name,
        verdicts=verdicts,
        scores=scores,
        problem=problem,
        verdict=verdict,
        index=index,
        limit=limit,
        as_json=as_json,
    )


@app.command(epilog="Example: [bold]monkeys export arithmetic -o samples.parquet[/]")
def export(
    name: SetName,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="FILE.parquet or FILE.jsonl.")],
    verdicts: VerdictSet = None,
    scores: ScoreSet = None,
    store: StoreUrl = DEFAULT_STORE,
) -> None:
    """Write a set to one Parquet or JSONL file, each sample with its verdict and score."""
    from flows.command_line.views.samples import export_set

    export_set(store, name, output, verdicts=verdicts, scores=scores)


@app.command(epilog="Example: [bold]monkeys check arithmetic[/] (exit code 1 if anything is wrong)")
def check(name: SetName, store: StoreUrl = DEFAULT_STORE, as_json: Json = False) -> None:
    """Verify the integrity of a set: damage, checksums, gaps, duplicates, and verdicts that belong to other samples."""
    from flows.command_line.views.upkeep import check_set

    if not check_set(store, name, as_json=as_json):
        raise typer.Exit(1)


@app.command(epilog="Examples: [bold]monkeys gc[/] (only lists)  ·  [bold]monkeys gc --delete[/]")
def gc(
    store: StoreUrl = DEFAULT_STORE,
    delete: Annotated[bool, typer.Option("--delete", help="Delete what is listed.")] = False,
    as_json: Json = False,
) -> None:
    """List garbage: leftovers of killed runs, damaged objects, and verdicts on samples that no longer exist."""
    from flows.command_line.views.upkeep import collect_garbage

    collect_garbage(store, delete=delete, as_json=as_json)


@app.command(
    epilog="Examples: [bold]monkeys regrade arithmetic --grader final_answer[/]  ·  "
    "[bold]monkeys regrade programs --set sandbox.time_limit_s=10[/]  ·  "
    "[bold]monkeys regrade humaneval my.yaml[/]"
)
def regrade(
    name: SetName,
    file: OptionalSweepFile = None,
    *,
    grader: Annotated[str | None, typer.Option("--grader", metavar="NAME", help="Grade with this grader.")] = None,
    set_: SetFields = None,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="NAME", help="The verdict set to compare with; the latest by default."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="List at most N changed samples.")] = 20,
    store: OptionalStoreUrl = None,
    as_json: Json = False,
) -> None:
    """Grade stored samples again with another grader or other limits, and show what changes. Draws no samples."""
    from flows.command_line.views.regrade import run_regrade

    run_regrade(name, file, set_ or (), grader=grader, against=against, store=store, max_changes=limit, as_json=as_json)
