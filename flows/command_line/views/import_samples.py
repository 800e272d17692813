"""What a person, or a script, sees of `monkeys import`: what was read, what is known of it, and what to do with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.command_line.terminal import plain, print_json, screen
from tasks.errors import UserError
from tasks.importers.convert import Imports, convert
from tasks.importers.formats import importer


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
    """Import files and show what came of it.

    Raises:
        UserError: a file or an option cannot be used; nothing was written.
    """
    if output is None and counts is None:
        raise UserError("import: name --output SAMPLES.jsonl, --counts COUNTS.csv, or both")
    chosen = importer(format_, paths)
    with Console(stderr=True).status(f"reading {chosen.reads}"):
        imports = convert(chosen, paths, output=output, counts=counts, verdict=verdict, ids=ids)
    if as_json:
        print_json(_summary(imports, output, counts))
    else:
        _show(imports, output, counts)


def _summary(imports: Imports, output: Path | None, counts: Path | None) -> dict[str, Any]:
    return {
        "format": imports.format,
        "problems": len(imports.problems),
        "samples": imports.samples,
        "judged": imports.judged,
        "correct": imports.correct,
        "left_out": imports.left_out,
        "provenance": imports.provenance,
        "output": None if output is None else str(output),
        "counts": None if counts is None else str(counts),
    }


def _show(imports: Imports, output: Path | None, counts: Path | None) -> None:
    console = screen()
    each = [tally.samples for tally in imports.problems.values()]
    least, most = min(each), max(each)
    spread = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    facts = Table.grid(padding=(0, 2))
    facts.add_row("samples", f"{imports.samples:,} = {len(each):,} problems × {spread}")
    if imports.judged:
        facts.add_row("verdicts", f"{imports.correct:,} correct of {imports.judged:,}")
    else:
        facts.add_row("verdicts", "none in these files")
    known = dict(imports.provenance)
    sampling = known.pop("sampling", {})
    for name, value in (known | {"sampling": _listed(sampling)}).items():
        if value:
            facts.add_row(name.replace("_", " "), plain(str(value)))
    console.print(f"[bold]{imports.format}[/]")
    console.print(facts)
    if imports.left_out:
        console.print(f"[yellow]{imports.left_out:,} failed in the tool itself: no samples, left out[/]")
    if imports.closed_up:
        console.print(
            f"[yellow]indices had gaps in {imports.closed_up:,} of {len(each):,} problems:"
            " their samples are numbered anew, in order[/]"
        )
    if output is not None:
        console.print(
            plain(f"samples: {output}   engine: {{name: recorded, path: {output}}}, k: {least}"), soft_wrap=True
        )
    if counts is not None:
        console.print(plain(f"counts: {counts}   monkeys curve {counts}"), soft_wrap=True)


def _listed(sampling: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in sampling.items())
