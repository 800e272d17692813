"""The counts of a stored set: from the summary of its latest report, which knows how its samples came about, or else
from its verdicts on the samples that a report on other verdicts says were planned. Without any report they are counted
up to the n that all its problems have."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow as pa

from tasks.errors import UserError
from tasks.records import Verdict
from tasks.scaling.estimators import Counts
from tasks.scaling.summary import SweepSummary
from tasks.store import Store
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
    """As `counts`, with the summary of the report that says how the samples came about (`report_on_samples`)."""
    own = latest_summary(store, samples, verdicts)
    summary = own or report_on_samples(store, samples)
    if summary is None:
        return _counted(store, samples, verdicts), None
    if summary.solving is not None:
        raise UserError(
            f"{samples.name} was last sampled in solve mode, which gives no pass@k; run its sweep with a uniform budget"
        )
    if summary.voting is not None:
        raise UserError(
            f"{samples.name} was last sampled until each problem's vote was settled, which gives no pass@k; run its "
            "sweep with a uniform budget"
        )
    return summary.counts if own is not None else _counted(store, samples, verdicts, planned(summary)), summary


def planned(summary: SweepSummary) -> dict[str, int]:
    """For each problem of a report, the index below which its samples were to be drawn whatever they are."""
    return {each.problem_id: summary.planned for each in summary.problems}


def report_on_samples(store: Store, samples: StoredSamples) -> SweepSummary | None:
    """The summary of a report on any verdicts on these samples: how samples were drawn holds for every grader's
    verdicts on them. Of several reports, one that gives coverage, and then the one whose budget planned the most
    samples; None where there is none.

    Raises:
        UserError: one of them is damaged, or another version wrote it.
    """
    folder = f"reports/{samples.name}/"
    keys = [key for key in store.keys(folder.rstrip("/")) if key.endswith("/summary.json") and key.startswith(folder)]
    found = [each for key in keys if (each := _read_summary(store, key, samples)) is not None]
    return max(
        found, key=lambda each: (each.gives_coverage, each.planned * len(each.problems), each.samples), default=None
    )


def latest_summary(store: Store, samples: StoredSamples, verdicts: StoredVerdicts) -> SweepSummary | None:
    """The summary of the latest report on these verdicts, whose counts are consistent; None without a report.

    Raises:
        UserError: it is damaged, or another version wrote it.
    """
    return _read_summary(store, f"reports/{samples.name}/{verdicts.name}/summary.json", samples)


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
    """n and c of the samples with an index below their problem's. Where nobody knows how many were to be drawn, n is
    what all problems have."""
    for objects in (samples.objects, verdicts.objects):
        for key, reason in objects.faults.items():
            raise CorruptObjectError(key, f"{reason}; run the sweep of {samples.name} again")
    tables = []
    for block, footer in verdicts.current.items():
        if below is None and footer.failed:
            continue
        table = verdicts.table(store, block, (*SAMPLE_KEY, "verdict"))
        if table is not None:
            tables.append(table)
    if below is None:
        last = min(_by_problem(tables, _ALL)[0].values(), default=0)
        n, correct = _by_problem(tables, last)
        return Counts.of(list(n), last, [correct[problem] for problem in n])
    n, correct = _by_problem([rows_below(table, below) for table in tables], _ALL)
    return Counts.of(list(n), list(n.values()), [correct[problem] for problem in n])


def _by_problem(tables: Sequence[pa.Table], below: int) -> tuple[Counter[str], Counter[str]]:
    """The graded and the correct samples of each problem, of those with an index below this."""
    n: Counter[str] = Counter()
    correct: Counter[str] = Counter()
    for table in tables:
        for (problem, verdict), times in count_verdicts(table, below).items():
            n[problem] += times * (verdict != Verdict.INFRASTRUCTURE)
            correct[problem] += times * (verdict == Verdict.CORRECT)
    return n, correct
