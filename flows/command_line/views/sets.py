"""The output of `monkeys ls` and `monkeys show`: sample sets and the verdicts on them."""

import yaml
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from flows.command_line.terminal import literal, new_table, print_json, stdout
from tasks.records import Verdict
from tasks.report.documents import set_document
from tasks.store.annotations import ScoreFooter
from tasks.store.inspect.catalog import (
    StoredAnnotations,
    StoredSamples,
    StoredVerdicts,
    catalog,
    find,
    scored_samples,
)
from tasks.store.inspect.opening import open_store


def list_sets(url: str, *, as_json: bool) -> None:
    """`monkeys ls`."""
    with open_store(url) as store:
        sets = catalog(store)
    if as_json:
        print_json([set_document(each) for each in sets])
        return
    if not sets:
        stdout().print(literal(f"no sample sets in {url}"), soft_wrap=True)
        return
    shown = new_table("set", "problems × samples", "tokens", "size", "last drawn (UTC)", "verdicts", right=(2, 3))
    for each in sets:
        size = decimal(each.objects.bytes)
        if each.from_newer_version:
            cells = ("", "", size, "", f"schema {each.ingredients['schema']}: needs a newer version of monkeys")
        else:
            cells = (_extent(each), _count(each.tokens), size, _minute(each.written), _verdicts(each))
        shown.add_row(literal(each.name), *map(literal, cells))
    stdout().print(shown)


def show_set(url: str, name: str, *, as_json: bool) -> None:
    """`monkeys show`."""
    with open_store(url) as store:
        found = find(store, name)
        pages = [store.url(key) for key in store.keys(f"reports/{found.name}") if key.endswith("/report.html")]
    if as_json:
        print_json(set_document(found) | {"ingredients": found.ingredients, "reports": pages})
        return
    console = stdout()
    console.print(Text(found.name, style="bold"), soft_wrap=True)
    facts = [
        ("stored", f"{_extent(found)} = {found.samples:,} samples, {decimal(found.objects.bytes)}"),
        ("tokens", _count(found.tokens)),
        ("engine", ", ".join(found.engines)),
        ("reproducible", f"{found.reproducible:,} samples (same seed, problem and index: same text)"),
        ("last drawn", f"{_minute(found.written)} UTC"),
    ]
    if found.objects.damaged:
        facts.append(("damaged", f"{len(found.objects.damaged)} blocks; `monkeys check` names them"))
    facts += [("report", page) for page in pages]
    ingredients = yaml.safe_dump(dict(found.ingredients), allow_unicode=True).rstrip() or "set.json is unreadable"
    facts.append(("depends on", ingredients))
    grid = Table.grid(padding=(0, 2))
    for fact, value in facts:
        grid.add_row(fact, literal(value))
    console.print(grid)
    if found.verdicts:
        console.print(_verdict_table(found))
    else:
        console.print("not graded yet")
    if found.scores:
        shown = new_table("scores", "scorer", "scored", "pending", "last scored (UTC)", right=(2, 3))
        for each in found.scores:
            counts = [f"{count:,}" for count in (scored_samples(each), each.pending)]
            shown.add_row(*map(literal, (each.name, _scorer(each), *counts, _minute(each.written))))
        console.print(shown)


def _scorer(scores: StoredAnnotations[ScoreFooter]) -> str:
    """Its settings in a few words; a model that is known by its content is left out."""
    settings = scores.ingredients.get("settings")
    shown = settings if isinstance(settings, dict) else {}
    short = [
        f"{name} {value}" for name, value in shown.items() if isinstance(value, str | int) and len(str(value)) < 40
    ]
    return ", ".join(short)


def _verdict_table(samples: StoredSamples) -> Table:
    given = [verdict for verdict in Verdict if any(verdict in each.counts for each in samples.verdicts)]
    shown = new_table("verdicts", *given, "pending", "last graded (UTC)", "limits", right=range(1, len(given) + 2))
    for each in samples.verdicts:
        counts = [f"{each.counts.get(verdict, 0):,}" for verdict in given]
        limits = ", ".join(f"{name} {value}" for name, value in each.limits.items())
        cells = (each.name, *counts, f"{each.pending:,}", _minute(each.written), limits)
        shown.add_row(*map(literal, cells))
    return shown


def _extent(samples: StoredSamples) -> str:
    counts = samples.by_problem.values()
    fewest, most = min(counts, default=0), max(counts, default=0)
    return f"{len(counts):,} × {most:,}" if fewest == most else f"{len(counts):,} × {fewest:,} to {most:,}"


def _count(number: int | None) -> str:
    return "not recorded" if number is None else f"{number:,}"


def _minute(written: str | None) -> str:
    """A timestamp without its seconds."""
    return "never" if written is None else written[:16].replace("T", " ")


def _verdicts(samples: StoredSamples) -> str:
    return "\n".join(_share_correct(each) for each in samples.verdicts) or "none"


def _share_correct(verdicts: StoredVerdicts) -> str:
    if verdicts.from_newer_version:
        return f"{verdicts.name}: needs a newer version of monkeys"
    n = sum(count for verdict, count in verdicts.counts.items() if verdict != Verdict.INFRASTRUCTURE)
    correct = f"{verdicts.counts.get(Verdict.CORRECT, 0) / n:.1%} correct" if n else "nothing graded"
    return f"{verdicts.grader}: {correct}" + (f", {verdicts.pending:,} pending" if verdicts.pending else "")
