"""The verdicts of each problem, counted block by block. A block's counts are kept: a growing set costs the new ones."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tasks.records import Verdict
from tasks.scaling.estimators import Counts
from tasks.store import Store
from tasks.store.annotations import VerdictFooter
from tasks.store.blocks import Block
from tasks.store.inspect.catalog import StoredVerdicts
from tasks.store.parquet import SAMPLE_KEY
from tasks.store.tables import count_verdicts, first_with

_ALL = 2**31 - 1  # above every index
_Written = tuple[str, str, float]


@dataclass(slots=True)
class Tally:
    """The verdicts of one problem. `first` is the index of its first correct sample."""

    position: int
    problem_id: str
    counts: Counter[str] = field(default_factory=Counter)
    first: int | None = None

    @property
    def n(self) -> int:
        """How many samples have a verdict that says something about them."""
        return sum(self.counts.values()) - self.counts[Verdict.INFRASTRUCTURE]

    @property
    def c(self) -> int:
        """How many samples are correct."""
        return self.counts[Verdict.CORRECT]

    @property
    def rate(self) -> float | None:
        """The share of correct samples; None where none is graded."""
        return self.c / self.n if self.n else None


class Tallies:
    """Counts the verdicts of one verdict set; what was counted of a block is counted once. `lock` is for whoever uses
    it from several threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._of_block: dict[tuple[Block, _Written], list[Tally]] = {}

    @property
    def size(self) -> int:
        """How many tallies are kept: one for each problem of a block."""
        return sum(map(len, tuple(self._of_block.values())))

    def by_problem(self, store: Store, verdicts: StoredVerdicts) -> list[Tally]:
        """One tally for each problem with a verdict, in the order of the dataset.

        Raises:
            CorruptObjectError: a block of verdicts is damaged.
        """
        wanted = {(block, _written(footer)) for block, footer in verdicts.current.items()}
        self._of_block = {key: value for key, value in self._of_block.items() if key in wanted}
        for block, written in wanted - self._of_block.keys():
            self._of_block[block, written] = _tallies(store, verdicts, block)
        return _sum(self._of_block)

    def equal_counts(self) -> Counts:
        """n and c of the first samples of each problem, as many as all problems have, of what `by_problem` counted: how
        many a problem has may depend on their verdicts, how many all have does not."""
        ends: dict[int, int] = {}
        for block, _ in self._of_block:
            for position in block.positions:
                ends[position] = max(block.stop, ends.get(position, 0))
        fewest = min(ends.values(), default=0)
        graded = [
            each for each in _sum({key: of for key, of in self._of_block.items() if key[0].stop <= fewest}) if each.n
        ]
        return Counts.of([each.problem_id for each in graded], [each.n for each in graded], [each.c for each in graded])


def _written(footer: VerdictFooter) -> _Written:
    """What tells whether a block was graded again: verdicts lost to infrastructure are given again on the same
    samples."""
    return footer.samples_checksum, footer.written_at, footer.seconds


def _sum(of_block: Mapping[tuple[Block, _Written], list[Tally]]) -> list[Tally]:
    """One tally for each problem, by position."""
    found: dict[int, Tally] = {}
    for each in sorted(of_block):
        for tally in of_block[each]:
            total = found.setdefault(tally.position, Tally(tally.position, tally.problem_id))
            total.counts.update(tally.counts)
            total.first = min((one for one in (total.first, tally.first) if one is not None), default=None)
    return [found[position] for position in sorted(found)]


def _tallies(store: Store, verdicts: StoredVerdicts, block: Block) -> list[Tally]:
    table = verdicts.table(store, block, (*SAMPLE_KEY, "verdict"))
    if table is None:  # replaced since its footer was read
        return []
    first = first_with(table, Verdict.CORRECT)
    ids = table["problem_id"].unique().to_pylist()
    tallies = {
        each: Tally(position, each, first=first.get(each)) for position, each in zip(block.positions, ids, strict=True)
    }
    for (problem, verdict), times in count_verdicts(table, _ALL).items():
        tallies[problem].counts[verdict] += times
    return list(tallies.values())


def total(tallies: Iterable[Tally]) -> Mapping[str, int]:
    """How often each verdict was given."""
    counts: Counter[str] = Counter()
    for each in tallies:
        counts.update(each.counts)
    return counts
