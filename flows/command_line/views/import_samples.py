"""The output of `monkeys import`: what was read, its provenance, and how to use it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.command_line.terminal import literal, print_json, stdout
from tasks.errors import UserError
from tasks.importers.convert import Imports, convert
from tasks.importers.formats import importer
from tasks.report.documents import import_document


def run_import(
    paths: Sequence[Path],
    *,
    output: Path | None,
    counts: Path | None,
    format_: str,
    verdict: str | None,
    ids: str | None,
    as_json: bool,
) -> None:
    """Import files and show the result.

    Raises:
        UserError: a file or an option cannot be used; nothing was written.
    """
    if output is None and counts is None:
        raise UserError("import: give --output SAMPLES.jsonl, --counts COUNTS.csv, or both")
    chosen = importer(format_, paths)
    with Console(stderr=True).status(f"reading {chosen.description}"):
        imports = convert(chosen, paths, output=output, counts=counts, verdict=verdict, ids=ids)
    if as_json:
        paths_written = {
            "output": None if output is None else str(output),
            "counts": None if counts is None else str(counts),
        }
        print_json(import_document(imports) | paths_written)
    else:
        _show(imports, output, counts)


def _show(imports: Imports, output: Path | None, counts: Path | None) -> None:
    console = stdout()
    each = [tally.samples for tally in imports.problems.values()]
    fewest, most = min(each), max(each)
    spread = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    facts = Table.grid(padding=(0, 2))
    facts.add_row("samples", f"{imports.samples:,} = {len(each):,} problems × {spread}")
    if imports.graded:
        facts.add_row("verdicts", f"{imports.correct:,} correct of {imports.graded:,}")
    elif imports.choices:
        facts.add_row("verdicts", literal(f"several; choose one with --verdict: {', '.join(imports.choices)}"))
    else:
        facts.add_row("verdicts", "not in these files")
    known = dict(imports.provenance)
    sampling = known.pop("sampling", {})
    for name, value in (known | {"sampling": _listed(sampling)}).items():
        if value:
            facts.add_row(name.replace("_", " "), literal(str(value)))
    console.print(f"[bold]{imports.format}[/]")
    console.print(facts)
    if imports.left_out:
        console.print(f"[yellow]{imports.left_out:,} samples skipped: the tool failed to draw them[/]")
    if imports.renumbered:
        console.print(
            f"[yellow]indices had gaps in {imports.renumbered:,} of {len(each):,} problems:"
            " their samples were renumbered, in order[/]"
        )
    if output is not None:
        console.print(
            literal(f"samples: {output}   engine: {{name: recorded, path: {output}}}, k: {fewest}"), soft_wrap=True
        )
    if counts is not None:
        console.print(literal(f"counts: {counts}   monkeys curve {counts}"), soft_wrap=True)


def _listed(sampling: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in sampling.items())
