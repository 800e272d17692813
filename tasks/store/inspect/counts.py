"""The counts of a stored set: from the summary of its latest report, which knows how its samples came about, or else
from its verdicts on the samples that reports on other verdicts say were planned. Without any report, as many verdicts
of each problem are counted as all problems have."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain, islice

import pyarrow as pa

from tasks.errors import UserError
from tasks.records import Verdict
from tasks.scaling.estimators import Counts
from tasks.scaling.summary import SweepSummary
from tasks.store import Store
from tasks.store.blocks import Block
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts
from tasks.store.parquet import SAMPLE_KEY
from tasks.store.schema import CorruptObjectError
from tasks.store.tables import count_verdicts, rows_below

# Above every index.
_ALL = 2**31 - 1


def counts(store: Store, samples: StoredSamples, verdicts: StoredVerdicts) -> Counts:
    """n and c of each problem.

    Raises:
        UserError: another version wrote the report, an object is damaged, or the set was sampled until each problem
            was solved or its vote settled, which gives no coverage.
    """
    return counts_and_summary(store, samples, verdicts)[0]


def counts_and_summary(
    store: Store, samples: StoredSamples, verdicts: StoredVerdicts
) -> tuple[Counts, SweepSummary | None]:
    """As `counts`, with the summary of the report that says how the samples came about."""
    own = latest_summary(store, samples, verdicts)
    reports = reports_on_samples(store, samples) if own is None else [own]
    if not reports:
        return _counted(store, samples, verdicts), None
    summary = reports[0]
    if summary.solving is not None:
        raise UserError(
            f"{samples.name} was last sampled in solve mode, which gives no pass@k; run its sweep with a uniform budget"
        )
    if summary.voting is not None:
        raise UserError(
            f"{samples.name} was last sampled until each problem's vote was settled, which gives no pass@k; run its "
            "sweep with a uniform budget"
        )
    return summary.counts if own is not None else _counted(store, samples, verdicts, planned(reports)), summary


def planned(reports: Iterable[SweepSummary]) -> dict[str, int]:
    """For each problem, the index below which its samples were to be drawn whatever they are: the maximum over those of
    these reports that give coverage."""
    below: dict[str, int] = {}
    for report in reports:
        if report.gives_coverage:
            for each in report.problems:
                below[each.problem_id] = max(report.planned, below.get(each.problem_id, 0))
    return below


def reports_on_samples(store: Store, samples: StoredSamples) -> list[SweepSummary]:
    """The summaries of the reports on any verdicts on these samples: how samples were drawn holds for every grader's
    verdicts on them. First those that give coverage, and of these the one whose budget planned the most samples.

    Raises:
        UserError: one of them is damaged, or another version wrote it.
    """
    folder = f"reports/{samples.name}/"
    keys = [key for key in store.keys(folder.rstrip("/")) if key.endswith("/summary.json") and key.startswith(folder)]
    found = [each for key in keys if (each := _read_summary(store, key, samples)) is not None]
    return sorted(
        found, key=lambda each: (each.gives_coverage, each.planned * len(each.problems), each.samples), reverse=True
    )


def latest_summary(store: Store, samples: StoredSamples, verdicts: StoredVerdicts) -> SweepSummary | None:
    """The summary of the latest report on these verdicts, whose counts are consistent; None without a report.

    Raises:
        UserError: it is damaged, or another version wrote it.
    """
    return _read_summary(store, summary_key(samples, verdicts), samples)


def summary_key(samples: StoredSamples, verdicts: StoredVerdicts) -> str:
    """Where the summary of the latest report on these verdicts is."""
    return f"reports/{samples.name}/{verdicts.name}/summary.json"


def _read_summary(store: Store, key: str, samples: StoredSamples) -> SweepSummary | None:
    try:
        data = store.read(key)
    except FileNotFoundError:
        return None
    try:
        summary = SweepSummary.from_json(data)
        _ = summary.counts
    except (ValueError, OverflowError) as error:
        raise UserError(
            f"store: {store.url(key)} is damaged, or another version's; run the sweep of {samples.name} again"
        ) from error
    return summary


def _counted(
    store: Store, samples: StoredSamples, verdicts: StoredVerdicts, below: Mapping[str, int] | None = None
) -> Counts:
    """n and c of the samples with an index below their problem's; samples lost to infrastructure are in neither. Where
    nobody knows how many were to be drawn, they are the first of each problem, as many as all have a verdict on."""
    for objects in (samples.objects, verdicts.objects):
        for key, reason in objects.faults.items():
            raise CorruptObjectError(key, f"{reason}; run the sweep of {samples.name} again")
    tables: dict[Block, pa.Table] = {}
    for block in verdicts.current:
        table = verdicts.table(store, block, (*SAMPLE_KEY, "verdict"))
        if table is not None:
            tables[block] = table
    n, correct = _by_problem(tables.values(), _below_equal_numbers(tables) if below is None else below)
    return Counts.of(list(n), list(n.values()), [correct[problem] for problem in n])


def _below_equal_numbers(tables: Mapping[Block, pa.Table]) -> dict[str, int]:
    """For each problem, the index below which it has as many verdicts as the problem with the fewest has in all, lost
    samples among them."""
    graded: dict[str, list[range]] = {}
    for block, table in sorted(tables.items(), key=lambda item: item[0].start):
        for problem in table["problem_id"].unique().to_pylist():
            graded.setdefault(problem, []).append(block.indices)
    fewest = min((sum(map(len, ranges)) for ranges in graded.values()), default=0)
    return {
        problem: next(islice(chain.from_iterable(ranges), fewest - 1, None)) + 1 for problem, ranges in graded.items()
    }


def _by_problem(tables: Iterable[pa.Table], below: Mapping[str, int]) -> tuple[Counter[str], Counter[str]]:
    """The graded and the correct samples of each problem, of those with an index below its own."""
    n: Counter[str] = Counter()
    correct: Counter[str] = Counter()
    for table in tables:
        for (problem, verdict), times in count_verdicts(rows_below(table, below), _ALL).items():
            n[problem] += times * (verdict != Verdict.INFRASTRUCTURE)
            correct[problem] += times * (verdict == Verdict.CORRECT)
    return n, correct
