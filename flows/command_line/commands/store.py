"""`monkeys ls`, `show`, `samples`, `export`, `check`, `gc` and `regrade`: what is stored, and judging it again."""

from pathlib import Path
from typing import Annotated

import typer

from flows import DEFAULT_STORE

app = typer.Typer()

Name = Annotated[
    str, typer.Argument(metavar="SET", help="A sample set, by any unique start of its name or of its hash.")
]
StoreUrl = Annotated[str, typer.Option("--store", help="Folder or fsspec URL of the results.")]
Judged = Annotated[
    str | None, typer.Option("--verdicts", metavar="NAME", help="Which verdict set; the latest unless named.")
]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of tables.")]


@app.command(
    epilog="Examples: [bold]monkeys ls[/]  ·  [bold]monkeys ls --store s3://bucket/runs --json | jq .[].name[/]"
)
def ls(store: StoreUrl = DEFAULT_STORE, as_json: Json = False) -> None:
    """List the sample sets of a store with the verdicts on them."""
    from flows.command_line.views.store import list_sets  # keeps `monkeys --help` fast

    list_sets(store, as_json=as_json)


@app.command(epilog="Example: [bold]monkeys show arithmetic[/]")
def show(name: Name, store: StoreUrl = DEFAULT_STORE, as_json: Json = False) -> None:
    """Show one set: what it depends on, how much is stored, and every verdict set on it."""
    from flows.command_line.views.store import show_set

    show_set(store, name, as_json=as_json)


@app.command(
    epilog="Examples: [bold]monkeys samples arithmetic --problem arithmetic/003 --verdict wrong[/]  ·  "
    "[bold]monkeys samples arithmetic --problem arithmetic/003 --index 17[/]"
)
def samples(
    name: Name,
    *,
    problem: Annotated[str | None, typer.Option("--problem", metavar="ID", help="Only of this problem.")] = None,
    verdict: Annotated[str | None, typer.Option("--verdict", help="Only with this verdict, such as wrong.")] = None,
    index: Annotated[int | None, typer.Option("--index", min=0, help="Only the sample at this index.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Stop after so many.")] = 10,
    verdicts: Judged = None,
    store: StoreUrl = DEFAULT_STORE,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line for each sample.")] = False,
) -> None:
    """Print samples with their verdicts. Fetches only what it prints, never the whole set."""
    from flows.command_line.views.store import print_samples

    print_samples(
        store,
        name,
        verdicts=verdicts,
        problem=problem,
        verdict=verdict,
        index=index,
        limit=limit,
        as_json=as_json,
    )


@app.command(epilog="Example: [bold]monkeys export arithmetic -o samples.parquet[/]")
def export(
    name: Name,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="FILE.parquet or FILE.jsonl.")],
    verdicts: Judged = None,
    store: StoreUrl = DEFAULT_STORE,
) -> None:
    """Write a set, each sample with its verdict, as one Parquet or JSONL file."""
    from flows.command_line.views.store import export_set

    export_set(store, name, output, verdicts=verdicts)


@app.command(epilog="Example: [bold]monkeys check arithmetic[/] (exit code 1 if anything is wrong)")
def check(name: Name, store: StoreUrl = DEFAULT_STORE, as_json: Json = False) -> None:
    """Read a whole set and the verdicts on it: damage, checksums, holes, duplicates, verdicts on other samples."""
    from flows.command_line.views.store import check_set

    if not check_set(store, name, as_json=as_json):
        raise typer.Exit(1)


@app.command(epilog="Examples: [bold]monkeys gc[/] (only lists)  ·  [bold]monkeys gc --delete[/]")
def gc(
    store: StoreUrl = DEFAULT_STORE,
    delete: Annotated[bool, typer.Option("--delete", help="Delete what is listed.")] = False,
    as_json: Json = False,
) -> None:
    """List what a store can do without: leftovers of killed runs, damaged objects, verdicts on samples now gone."""
    from flows.command_line.views.store import collect_garbage

    collect_garbage(store, delete=delete, as_json=as_json)


@app.command(
    epilog="Examples: [bold]monkeys regrade arithmetic --grader final_answer[/]  ·  "
    "[bold]monkeys regrade programs --set sandbox.time_limit_s=10[/]  ·  "
    "[bold]monkeys regrade humaneval my.yaml[/]"
)
def regrade(
    name: Name,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE.yaml]", help="A sweep file: its task, grader and sandbox.", show_default=False),
    ] = None,
    *,
    grader: Annotated[str | None, typer.Option("--grader", metavar="NAME", help="Judge by this grader.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="a.b=c", help="Set any field; repeatable.")] = None,
    against: Annotated[
        str | None, typer.Option("--against", metavar="NAME", help="The verdict set to compare with; else the latest.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="List so many changed samples.")] = 20,
    store: Annotated[str | None, typer.Option("--store", help="Folder or fsspec URL of the results.")] = None,
    as_json: Json = False,
) -> None:
    """Verify stored samples again with another grader or other limits, and show what changes. Draws nothing."""
    from flows.command_line.views.regrade import run_regrade

    run_regrade(name, file, set_ or (), grader=grader, against=against, store=store, max_changes=limit, as_json=as_json)
