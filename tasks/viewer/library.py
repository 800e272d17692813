"""A store as the pages see it. What was read is kept for a while, bounded in number: the footers of a few sets, the
counts of their verdicts, and the tables of a few problems. A set that grows is read again, its new blocks alone."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa

from tasks.errors import UserError
from tasks.records import GradedSample, Sample, ScoredSample
from tasks.scaling.estimators import Counts
from tasks.scaling.summary import SweepSummary
from tasks.store import Store
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts, find
from tasks.store.inspect.counts import latest_summary
from tasks.store.inspect.query import select_scored
from tasks.viewer.listing import ListedSet, listed_sets
from tasks.viewer.problem_samples import ProblemSamples, read_problem, read_texts
from tasks.viewer.tallies import Tallies, Tally

_LISTED_FOR_S = 2.0
_SETS, _PROBLEMS = 8, 16

Value = TypeVar("Value")


class Found(NamedTuple):
    """A set as it is stored now, with one of its verdict sets. `state` changes whenever either does."""

    samples: StoredSamples
    verdicts: StoredVerdicts | None
    state: str


class Counted(NamedTuple):
    """The verdicts of each problem, and the counts of as many first samples as all problems have."""

    tallies: list[Tally]
    equal: Counts


class ShownSample(NamedTuple):
    """A sample with its verdict and its score, None where it has none."""

    sample: Sample
    graded: GradedSample | None
    scored: ScoredSample | None


class Library:
    """Reads one store for many requests at once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.RLock()
        self._listed: tuple[float, list[ListedSet]] = (-_LISTED_FOR_S, [])
        self._ingredients: dict[str, Mapping[str, Any]] = {}
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._tallies: OrderedDict[str, Tallies] = OrderedDict()

    def sets(self) -> list[ListedSet]:
        """Every set, by name; at most two seconds old."""
        with self._lock:
            listed_at, found = self._listed
            if time.monotonic() - listed_at > _LISTED_FOR_S:
                found = listed_sets(self.store, self._ingredients)
                self._listed = time.monotonic(), found
            return found

    def set(self, name: str, verdicts: str | None = None) -> Found:
        """A set by its whole name, with a verdict set: the latest where none is named.

        Raises:
            UserError: there is no such set.
        """
        folders = (f"samples/{name}", f"verdicts/{name}", f"scores/{name}")
        state = str(hash(tuple(item for folder in folders for item in self.store.sizes(folder).items())))
        samples = self._keep(("set", name, state), _SETS, lambda: self._exact(name))
        graded = samples.graded_by(verdicts)
        return Found(samples, graded, state)

    def _exact(self, name: str) -> StoredSamples:
        found = find(self.store, name)
        if found.name != name:
            raise UserError(f"there is no sample set called {name!r}")
        return found

    def tallies(self, found: Found) -> Counted:
        """The verdicts of each problem; nothing where nothing is graded."""
        verdicts = found.verdicts
        if verdicts is None:
            return Counted([], Counts.of([], [], []))
        with self._lock:
            name = f"{found.samples.name}/{verdicts.name}"
            counted = self._tallies.setdefault(name, Tallies())
            self._tallies.move_to_end(name)
            while len(self._tallies) > _SETS:
                self._tallies.popitem(last=False)
            return self._keep(
                ("tallies", name, found.state),
                _SETS,
                lambda: Counted(counted.by_problem(self.store, verdicts), counted.equal_counts()),
            )

    def summary(self, found: Found) -> SweepSummary | None:
        """What the latest report on these verdicts says; None without one."""
        if found.verdicts is None:
            return None
        try:
            return latest_summary(self.store, found.samples, found.verdicts)
        except UserError:
            return None

    def problem(self, found: Found, position: int) -> ProblemSamples:
        """The samples of a problem without their texts."""
        verdicts, scores = found.verdicts, found.samples.scored_by(None)
        name = (found.samples.name, None if verdicts is None else verdicts.name, position, found.state)
        return self._keep(
            ("problem", *name),
            _PROBLEMS,
            lambda: read_problem(self.store, found.samples, verdicts, scores, position),
        )

    def texts(self, found: Found, position: int) -> Iterator[pa.ChunkedArray]:
        """The texts of a problem's samples, block by block."""
        return read_texts(self.store, found.samples, position)

    def sample(self, found: Found, position: int, index: int) -> ShownSample:
        """One sample, reading its problem's rows in one block.

        Raises:
            UserError: there is no such sample.
        """
        problem = self.problem_id(found, position)
        rows = select_scored(
            self.store, found.samples, found.verdicts, found.samples.scored_by(None), problem=problem, index=index
        )
        row = next(rows, None)
        if row is None:
            raise UserError(f"{found.samples.name} has no sample {index} of problem {problem!r}")
        return ShownSample(*row)

    def problem_id(self, found: Found, position: int) -> str:
        """The id of the problem at a position."""
        return self.problem(found, position).problem_id

    def _keep(self, key: tuple[Hashable, ...], most: int, read: Callable[[], Value]) -> Value:
        """What was read under a key, with at most this many of its kind, the first part of the key."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                value: Value = self._kept[key]
                return value
        value = read()
        with self._lock:
            self._kept[key] = value
            of_kind = [each for each in self._kept if isinstance(each, tuple) and each[0] == key[0]]
            for oldest in of_kind[:-most]:
                del self._kept[oldest]
        return value
