"""Counts to compare, from CSV files and from stored sets, and where a comparison is written.

A stored set is read from the summary of its latest report, which knows how its samples came about. A set of verdicts
without a report (a regrade, say) is counted anew, up to the n that all its problems have.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from tasks.counts_file import read_counts_file
from tasks.errors import InputError
from tasks.graders import Verdict
from tasks.report import comparison_figures, comparison_tables
from tasks.report.comparison_markdown import markdown
from tasks.report.comparison_page import render
from tasks.scaling.comparison import Comparison, compare
from tasks.scaling.estimators import Counts
from tasks.scaling.summary import SweepSummary
from tasks.store import Store
from tasks.store.catalog import StoredSamples, StoredVerdicts, find
from tasks.store.footers import settles
from tasks.store.keys import digest, slug
from tasks.store.tables import WHICH, count_verdicts, read_verdict_table

# Above every index.
_ALL = 2**31 - 1


class NamedCounts(NamedTuple):
    """One set to compare: what to call it, in short and in full, and what was counted."""

    label: str
    name: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class ComparisonFiles:
    """Where the page lies, the comparison as Markdown, and its figures by name, as SVG."""

    page: str
    markdown: str
    figures: Mapping[str, bytes]


def is_file(name: str) -> bool:
    """Whether a set is named as a file of counts, and not as one in the store."""
    return name.lower().endswith(".csv") or Path(name).is_file()


def compared(names: Sequence[str], verdicts: str | None, open_store: Callable[[], Store]) -> Comparison:
    """Read the sets and compare them; the store is opened only if a set lies in one.

    Raises:
        InputError: a set cannot be read, was sampled in solve mode, or has no verdicts; or there are too few or many.
    """
    store = None if all(map(is_file, names)) else open_store()
    sets = [
        _from_file(Path(name)) if store is None or is_file(name) else _stored(store, name, verdicts) for name in names
    ]
    short = Counter(each.label for each in sets)
    return compare([(each.label if short[each.label] == 1 else each.name, each.counts) for each in sets])


def folder_of(comparison: Comparison) -> str:
    """Where the comparison of these sets lies in a store; another one of the same sets takes its place."""
    labels = [each.label for each in comparison.sets]
    return f"comparisons/{slug('-'.join(labels))[:80]}-{digest(labels)[:12]}"


def publish(store: Store, folder: str, comparison: Comparison, config_yaml: str) -> ComparisonFiles:
    """Write page, figures and tables into a folder of a store."""
    figures = comparison_figures.draw(comparison)
    files = {
        "comparison.html": render(comparison, config_yaml, figures).encode(),
        "curves.csv": comparison_tables.curves_csv(comparison).encode(),
        "differences.csv": comparison_tables.differences_csv(comparison).encode(),
        **{f"{figure.name}.svg": figure.svg for figure in figures},
        **{f"{figure.name}.pdf": figure.pdf for figure in figures},
    }
    for name, data in files.items():
        store.write(f"{folder}/{name}".lstrip("/"), data)
    page = store.url(f"{folder}/comparison.html".lstrip("/"))
    return ComparisonFiles(page, markdown(comparison), {figure.name: figure.svg for figure in figures})


def _from_file(path: Path) -> NamedCounts:
    return NamedCounts(path.stem, str(path), read_counts_file(path))


def _stored(store: Store, name: str, verdicts: str | None) -> NamedCounts:
    samples = find(store, name)
    judged = samples.judged_by(verdicts)
    if judged is None:
        raise InputError(f"{samples.name} is not judged yet; run its sweep, or `monkeys regrade`")
    return NamedCounts(samples.label, samples.name, _counts(store, samples, judged))


def _counts(store: Store, samples: StoredSamples, verdicts: StoredVerdicts) -> Counts:
    try:
        text = store.read(f"reports/{samples.name}/{verdicts.name}/summary.json").decode()
    except FileNotFoundError:
        return _counted(store, samples, verdicts)
    try:
        summary = SweepSummary.from_json(text)
    except ValidationError as error:
        raise InputError(f"{samples.name}: its report is another version's; run its sweep again") from error
    if summary.solving is not None:
        raise InputError(
            f"{samples.name} was last sampled in solve mode, which gives no pass@k; run its sweep with a uniform budget"
        )
    return summary.counts


def _counted(store: Store, samples: StoredSamples, verdicts: StoredVerdicts) -> Counts:
    tables = []
    for block, footer in verdicts.objects.footers.items():
        if block in samples.objects.footers and settles(footer, samples.objects.footers[block]):
            with store.open(verdicts.objects.key(block)) as file:
                tables.append(read_verdict_table(file, verdicts.objects.key(block), (*WHICH, "verdict"))[0])
    held: Counter[str] = Counter()
    for table in tables:
        for (problem, _), times in count_verdicts(table, below=_ALL).items():
            held[problem] += times
    last = min(held.values(), default=0)
    correct: Counter[str] = Counter()
    for table in tables:
        for (problem, verdict), times in count_verdicts(table, below=last).items():
            correct[problem] += times * (verdict == Verdict.CORRECT)
    return Counts.of(list(held), last, [correct[problem] for problem in held])
