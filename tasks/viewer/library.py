"""A store as the pages see it. What was read is kept for a while, bounded in number: the footers of a few sets, the
counts of their verdicts, and the tables of a few problems. A set that grows is read again, its new blocks alone."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa

from tasks.errors import UserError
from tasks.scaling.estimators import Counts
from tasks.scaling.summary import SweepSummary
from tasks.store import Store
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts, find
from tasks.store.inspect.counts import latest_summary, summary_key
from tasks.store.inspect.query import ScoredRow, only_with, select_scored
from tasks.store.problems import StoredProblem
from tasks.store.problems import read_problem as read_stored_problem
from tasks.store.schema import CorruptObjectError
from tasks.viewer.listing import ListedSet, listed_sets
from tasks.viewer.problem_samples import ProblemSamples, read_problem, read_texts
from tasks.viewer.tallies import Tallies, Tally

_LISTED_FOR_S = 2.0
_SLOW_LISTING_S = 0.25
_SETS, _PROBLEMS = 8, 16
_MAX_PROBLEMS = 200_000
"""How many problems the sets may have together that are kept, and so their tallies: 100,000 take about 70 MB."""

Value = TypeVar("Value")


def _no_size(_: object) -> int:
    return 0


class Found(NamedTuple):
    """A set as it is stored now, with one of its verdict sets. `state` changes whenever either does, or a report."""

    samples: StoredSamples
    verdicts: StoredVerdicts | None
    state: str

    @property
    def chosen(self) -> str | None:
        """The name of the verdict set; None where nothing is graded."""
        return None if self.verdicts is None else self.verdicts.name


class Counted(NamedTuple):
    """The verdicts of each problem, and the counts of as many first samples as all problems have."""

    tallies: list[Tally]
    equal: Counts


class Library:
    """Reads one store for many requests at once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.RLock()
        self._listed: tuple[float, list[ListedSet]] = (-_LISTED_FOR_S, [])
        self._ingredients: dict[str, Mapping[str, Any]] = {}
        self._kept: OrderedDict[tuple[Hashable, ...], tuple[Any, Callable[[Any], int]]] = OrderedDict()
        self._reading: dict[tuple[Hashable, ...], threading.Lock] = {}
        self._states: dict[str, tuple[float, str]] = {}

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
        if name in (".", "..") or "\0" in name:  # no name of a folder
            raise UserError(f"there is no sample set called {name!r}")
        state = self._state(name)
        samples = self._keep(("set", name, state), _SETS, lambda: self._exact(name), lambda read: len(read.by_problem))
        graded = samples.graded_by(verdicts)
        return Found(samples, graded, state)

    def _state(self, name: str) -> str:
        """What tells whether a set has changed: the versions of its objects. If listing them takes long, it may be as
        old as ten listings take."""
        with self._lock:
            usable_until, state = self._states.pop(name, (0.0, ""))
            started = time.monotonic()
            if started < usable_until:
                self._states[name] = usable_until, state
                return state
        folders = (f"{kind}/{name}" for kind in ("samples", "verdicts", "scores", "reports"))
        state = str(hash(tuple(item for folder in folders for item in self.store.versions(folder).items())))
        took = time.monotonic() - started
        if took > _SLOW_LISTING_S:
            with self._lock:
                self._states[name] = time.monotonic() + 10 * took, state
        return state

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
        name = f"{found.samples.name}/{verdicts.name}"
        counting = self._keep(("counting", name), _SETS, Tallies, lambda each: each.size)

        def count() -> Counted:
            with counting.lock:
                return Counted(counting.by_problem(self.store, verdicts), counting.equal_counts())

        counted = self._keep(("tallies", name, found.state), _SETS, count, lambda each: len(each.tallies))
        with self._lock:
            self._forget("counting", _SETS)
        return counted

    def summary(self, found: Found) -> SweepSummary | None:
        """What the latest report on these verdicts says; None without one, or where it is older than a verdict."""
        verdicts = found.verdicts
        if verdicts is None:
            return None
        name = (found.samples.name, verdicts.name, found.state)
        return self._keep(("summary", *name), _SETS, lambda: self._latest_summary(found.samples, verdicts))

    def _latest_summary(self, samples: StoredSamples, verdicts: StoredVerdicts) -> SweepSummary | None:
        try:
            summary = latest_summary(self.store, samples, verdicts)
            if summary is None or verdicts.written is None:
                return summary
            age_s = self.store.age_s(summary_key(samples, verdicts))
        except (UserError, FileNotFoundError):
            return None
        reported = datetime.now(UTC) - timedelta(seconds=age_s)
        return summary if reported >= datetime.fromisoformat(verdicts.written) else None

    def problem(self, found: Found, position: int) -> ProblemSamples:
        """The samples of a problem without their texts."""
        verdicts, scores = found.verdicts, found.samples.scored_by(None)
        name = (found.samples.name, found.chosen, position, found.state)
        return self._keep(
            ("problem", *name),
            _PROBLEMS,
            lambda: read_problem(self.store, found.samples, verdicts, scores, position),
        )

    def asked(self, found: Found, position: int) -> StoredProblem | UserError | None:
        """The problem as it is stored with its set; None where it is not, and the error where it cannot be read."""

        def read() -> StoredProblem | UserError | None:
            try:
                return read_stored_problem(self.store, found.samples.name, position)
            except CorruptObjectError as error:
                return error

        return self._keep(("asked", found.samples.name, position, found.state), _PROBLEMS, read)

    def texts(self, found: Found, position: int) -> Iterator[pa.ChunkedArray]:
        """The texts of a problem's samples, block by block."""
        return read_texts(self.store, found.samples, position)

    def sample(self, found: Found, position: int, index: int) -> ScoredRow:
        """One sample, reading its problem's rows in one block.

        Raises:
            UserError: there is no such sample.
        """
        problem = self.problem(found, position).problem_id
        samples = only_with(found.samples, position, index)
        scores = samples.scored_by(None)
        rows = select_scored(self.store, samples, found.verdicts, scores, problem=problem, index=index)
        row = next(rows, None) if samples.samples else None
        if row is None:
            raise UserError(f"{samples.name} has no sample {index} of problem {problem!r}")
        return row

    def _keep(
        self, key: tuple[Hashable, ...], most: int, read: Callable[[], Value], size: Callable[[Value], int] = _no_size
    ) -> Value:
        """What was read under a key, with at most this many of its kind, the first part of the key, and no more than
        `_MAX_PROBLEMS` by their size. Requests for the same thing wait for the first, so that it is read once."""
        with self._lock:
            if key in self._kept:
                return self._again(key)  # type: ignore[no-any-return]
            reading = self._reading.setdefault(key, threading.Lock())
        try:
            with reading:
                with self._lock:
                    if key in self._kept:
                        return self._again(key)  # type: ignore[no-any-return]
                value = read()
                with self._lock:
                    self._kept[key] = value, size
                    self._forget(key[0], most)
                return value
        finally:
            with self._lock:
                self._reading.pop(key, None)

    def _again(self, key: tuple[Hashable, ...]) -> Any:
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def _forget(self, kind: Hashable, most: int) -> None:
        """Forget the oldest of a kind, but never the latest."""
        of_kind = [key for key in self._kept if key[0] == kind]
        sizes = {key: self._kept[key][1](self._kept[key][0]) for key in of_kind}
        total = sum(sizes.values())
        for number, key in enumerate(of_kind[:-1]):
            if len(of_kind) - number <= most and total <= _MAX_PROBLEMS:
                break
            total -= sizes[key]
            del self._kept[key]
