"""What a person, or a script, sees of a store: tables, or JSON. Nothing here decides anything about what is stored."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.filesize import decimal
from rich.progress import track
from rich.table import Table
from rich.text import Text

from flows.command_line.terminal import new_table, plain, print_json, reading, screen
from tasks.errors import UserError
from tasks.records import Verdict
from tasks.report.phrases import visible
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts, catalog, find
from tasks.store.inspect.export import export
from tasks.store.inspect.garbage import delete as remove
from tasks.store.inspect.garbage import garbage
from tasks.store.inspect.integrity import check
from tasks.store.inspect.query import Row, blocks_with_verdicts, select


def list_sets(url: str, *, as_json: bool) -> None:
    """`monkeys ls`."""
    with reading(url) as store:
        sets = catalog(store)
    if as_json:
        print_json([_about_set(each) for each in sets])
        return
    if not sets:
        screen().print(f"no sample sets in {url}", soft_wrap=True)
        return
    table = new_table("set", "problems × samples", "tokens", "size", "drawn (UTC)", "verdicts", right=(2, 3))
    for each in sets:
        if each.is_newer:
            held = ("", "", decimal(each.objects.bytes), "", f"schema {each.ingredients['schema']}: needs an upgrade")
        else:
            held = (_extent(each), _count(each.tokens), decimal(each.objects.bytes), _time(each.written), _judged(each))
        table.add_row(plain(each.name), *map(plain, held))
    screen().print(table)


def show_set(url: str, name: str, *, as_json: bool) -> None:
    """`monkeys show`."""
    with reading(url) as store:
        found = find(store, name)
        pages = [store.url(key) for key in store.keys(f"reports/{found.name}") if key.endswith("/report.html")]
    if as_json:
        print_json(_about_set(found) | {"ingredients": found.ingredients, "reports": pages})
        return
    console = screen()
    console.print(Text(found.name, style="bold"), soft_wrap=True)
    facts = Table.grid(padding=(0, 2))
    for fact, value in (
        ("stored", f"{_extent(found)} = {found.samples:,} samples, {decimal(found.objects.bytes)}"),
        ("tokens", _count(found.tokens)),
        ("engine", ", ".join(found.engines)),
        ("promise", f"{found.promised:,} samples depend on seed, problem and index alone"),
        ("last drawn", f"{_time(found.written)} UTC"),
        *(
            (("damaged", f"{len(found.objects.damaged)} blocks; `monkeys check` names them"),)
            * bool(found.objects.damaged)
        ),
        *(("report", page) for page in pages),
        (
            "depends on",
            yaml.safe_dump(dict(found.ingredients), allow_unicode=True).rstrip() or "set.json is unreadable",
        ),
    ):
        facts.add_row(fact, plain(value))
    console.print(facts)
    if not found.verdicts:
        console.print("not judged yet")
        return
    given = [verdict for verdict in Verdict if any(verdict in each.counts for each in found.verdicts)]
    table = new_table("verdicts", *given, "owed", "judged (UTC)", "limits", right=range(1, len(given) + 2))
    for verdicts in found.verdicts:
        counts = [f"{verdicts.counts.get(verdict, 0):,}" for verdict in given]
        limits = ", ".join(f"{name} {value}" for name, value in verdicts.limits.items())
        cells = (verdicts.name, *counts, f"{verdicts.owed:,}", _time(verdicts.written), limits)
        table.add_row(*map(plain, cells))
    console.print(table)


def print_samples(
    url: str,
    name: str,
    *,
    verdicts: str | None,
    problem: str | None,
    verdict: str | None,
    index: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """`monkeys samples`."""
    wanted = None if verdict is None else _verdict(verdict)
    console = screen()
    shown = 0
    with reading(url) as store:
        found = find(store, name)
        judged = found.graded_by(verdicts)
        if wanted is not None and judged is None:
            raise UserError(f"--verdict {verdict}: {found.name} is not judged yet; run its sweep, or `monkeys regrade`")
        rows = select(store, found, judged, problem=problem, verdict=wanted, index=index)
        for row in islice(rows, limit):
            shown += 1
            if as_json:
                console.file.write(json.dumps(_about_row(row), ensure_ascii=False) + "\n")
            else:
                console.print(_heading(row), soft_wrap=True)
                console.print(Text(visible(row.sample.text)), soft_wrap=True)
                console.print()
    if not as_json:
        console.print("no sample fits" if not shown else f"{shown} shown; --limit shows more" if shown == limit else "")


def export_set(url: str, name: str, output: Path, *, verdicts: str | None) -> None:
    """`monkeys export`."""
    with reading(url) as store:
        found = find(store, name)
        judged = found.graded_by(verdicts)
        blocks = track(
            blocks_with_verdicts(store, found, judged),
            "exporting",
            total=len(found.objects.footers),
            console=Console(stderr=True),
            transient=True,
            disable=not Console(stderr=True).is_terminal,
        )
        written = export(blocks, output)
    by = "no verdicts" if judged is None else f"the verdicts of {judged.name}"
    screen().print(plain(f"{written:,} samples with {by} in {output}"), soft_wrap=True)


def check_set(url: str, name: str, *, as_json: bool) -> bool:
    """`monkeys check`; returns whether nothing is wrong."""
    console = screen()
    with reading(url) as store:
        found = find(store, name)
        findings = []
        for finding in check(store, found):
            findings.append(finding)
            if not as_json:
                console.print(plain(f"{finding.where}: {finding.what}"), soft_wrap=True)
    if as_json:
        print_json({"set": found.name, "sound": not findings, "findings": [each._asdict() for each in findings]})
    elif findings:
        console.print(f"{len(findings)} things are wrong with {found.name}", soft_wrap=True)
    else:
        owed = "".join(f"; {each.owed:,} await {each.grader}" for each in found.verdicts if each.owed)
        of = f"{found.samples:,} samples in {len(found.objects.footers)} blocks, {len(found.verdicts)} verdict sets"
        console.print(plain(f"{found.name} is sound: {of}{owed}"), soft_wrap=True)
    return not findings


def collect_garbage(url: str, *, delete: bool, as_json: bool) -> None:
    """`monkeys gc`."""
    with reading(url) as store:
        found = garbage(store)
        if delete:
            remove(store, found)
    if as_json:
        print_json([each._asdict() | {"deleted": delete} for each in found])
        return
    console = screen()
    if not found:
        console.print("nothing to collect")
        return
    table = new_table("object", "size", "why", right=(1,))
    for each in found:
        table.add_row(plain(each.key), decimal(each.bytes), each.why)
    console.print(table)
    size = f"{len(found)} objects, {decimal(sum(each.bytes for each in found))}"
    console.print(f"deleted {size}" if delete else f"{size}; nothing was deleted, `--delete` does it")


def _extent(samples: StoredSamples) -> str:
    counts = samples.by_problem.values()
    least, most = min(counts, default=0), max(counts, default=0)
    return f"{len(counts):,} × {most:,}" if least == most else f"{len(counts):,} × {least:,} to {most:,}"


def _count(number: int | None) -> str:
    return "not recorded" if number is None else f"{number:,}"


def _time(written: str | None) -> str:
    """To the minute, as people read it."""
    return "never" if written is None else written[:16].replace("T", " ")


def _judged(samples: StoredSamples) -> str:
    return "\n".join(_share(each) for each in samples.verdicts) or "none"


def _share(verdicts: StoredVerdicts) -> str:
    if verdicts.is_newer:
        return f"{verdicts.name}: needs an upgrade"
    n = sum(count for verdict, count in verdicts.counts.items() if verdict != Verdict.INFRASTRUCTURE)
    correct = f"{verdicts.counts.get(Verdict.CORRECT, 0) / n:.1%} correct" if n else "nothing judged"
    return f"{verdicts.grader}: {correct}" + (f", {verdicts.owed:,} owed" if verdicts.owed else "")


def _about_set(samples: StoredSamples) -> dict[str, Any]:
    return {
        "name": samples.name,
        "label": samples.label,
        "newer_schema": samples.is_newer,
        "problems": len(samples.by_problem),
        "samples": samples.samples,
        "promised": samples.promised,
        "tokens": samples.tokens,
        "bytes": samples.objects.bytes,
        "last_drawn": samples.written,
        "damaged_blocks": len(samples.objects.damaged),
        "verdicts": [
            {
                "name": each.name,
                "grader": each.ingredients.get("grader"),
                "version": each.ingredients.get("version"),
                "limits": each.limits,
                "counts": each.counts,
                "owed": each.owed,
                "last_judged": each.written,
            }
            for each in samples.verdicts
        ],
    }


def _about_row(row: Row) -> Mapping[str, Any]:
    judged = {} if row.graded is None else asdict(row.graded)
    return asdict(row.sample) | judged


def _heading(row: Row) -> Text:
    sample, graded = row
    parts = [f"{sample.problem_id} · sample {sample.index}"]
    if graded is None:
        parts.append("not judged")
    else:
        parts.append(f"{graded.verdict}: {graded.detail}" if graded.detail else graded.verdict.value)
    if sample.tokens is not None:
        parts.append(f"{sample.tokens} tokens")
    if sample.finish_reason is not None:
        parts.append(sample.finish_reason)
    return Text(visible(" · ".join(" ".join(part.split()) for part in parts)), style="bold")


def _verdict(name: str) -> Verdict:
    try:
        return Verdict(name)
    except ValueError as error:
        raise UserError(f"--verdict {name}: is unknown; one of {', '.join(Verdict)}") from error
