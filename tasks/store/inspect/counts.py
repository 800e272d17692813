"""The counts of a stored set: from the summary of its latest report, which knows how its samples came about, or else
from its verdicts, up to the n that all its problems have."""

from collections import Counter

from tasks.errors import UserError
from tasks.records import Verdict
from tasks.scaling.estimators import Counts
from tasks.scaling.summary import SweepSummary
from tasks.store import Store
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts
from tasks.store.parquet import SAMPLE_KEY
from tasks.store.schema import CorruptObjectError
from tasks.store.tables import count_verdicts

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
    """As `counts`, with the summary of the latest report, if there is one."""
    summary = latest_summary(store, samples, verdicts)
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
    return summary.counts, summary


def latest_summary(store: Store, samples: StoredSamples, verdicts: StoredVerdicts) -> SweepSummary | None:
    """The summary of the latest report on these verdicts, whose counts are consistent; None without a report.

    Raises:
        UserError: it is damaged, or another version wrote it.
    """
    key = f"reports/{samples.name}/{verdicts.name}/summary.json"
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


def _counted(store: Store, samples: StoredSamples, verdicts: StoredVerdicts) -> Counts:
    for objects in (samples.objects, verdicts.objects):
        for key, reason in objects.faults.items():
            raise CorruptObjectError(key, f"{reason}; run the sweep of {samples.name} again")
    tables = []
    for block, footer in verdicts.current.items():
        table = None if footer.failed else verdicts.table(store, block, (*SAMPLE_KEY, "verdict"))
        if table is not None:
            tables.append(table)
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
