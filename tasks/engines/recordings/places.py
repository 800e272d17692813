"""Where the rows of a file are: 20 bytes for each, whatever the length of its text."""

from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tasks.engines.recordings.contents import Held

Ints = np.ndarray[Any, np.dtype[np.int64]]

_MAX_GAP = 16
"""Bytes between two rows that are read along with them: blank lines. With more, a file whose problems take turns would
be read many times."""

_MAX_RUN = 1 << 20
"""Bytes that are read at once, unless one row has more."""


class _Rows(NamedTuple):
    indices: "array[int]"
    offsets: "array[int]"
    lengths: "array[int]"


class Run(NamedTuple):
    """Rows that are read at once: the bytes from `start` to `stop` of the file, and each row's bounds in them."""

    start: int
    stop: int
    rows: list[tuple[int, int]]


class Places:
    """The place of every sample's row. `add` each row, then `sort` once, before anything is looked up."""

    def __init__(self) -> None:
        self._of: dict[str, _Rows] = {}

    def add(self, problem_id: str, index: int, offset: int, length: int) -> None:
        """A row of `length` bytes at `offset`. The index is below 2³¹."""
        rows = self._of.get(problem_id)
        if rows is None:
            rows = self._of[problem_id] = _Rows(array("i"), array("q"), array("q"))
        rows.indices.append(index)
        rows.offsets.append(offset)
        rows.lengths.append(length)

    def sort(self) -> tuple[str, int] | None:
        """Sort each problem's rows by index; returns a problem and an index that occur twice, or None."""
        for problem_id, rows in self._of.items():
            indices = np.frombuffer(rows.indices, np.int32)
            if (np.diff(indices) > 0).all():
                continue
            order = np.argsort(indices, kind="stable")
            found = indices[order]
            repeated = np.flatnonzero(np.diff(found) == 0)
            if repeated.size:
                return problem_id, int(found[repeated[0]])
            self._of[problem_id] = _Rows(*(array(each.typecode, np.asarray(each)[order].tobytes()) for each in rows))
        return None

    def held(self) -> dict[str, Held]:
        """What there is of each problem."""
        return {problem_id: _held(np.frombuffer(rows.indices, np.int32)) for problem_id, rows in self._of.items()}

    def close_gaps(self) -> None:
        """Give each problem's samples the indices from 0 on, in order."""
        for rows in self._of.values():
            n = len(rows.indices)
            if rows.indices[-1] != n - 1:
                rows.indices[:] = array("i", range(n))

    def runs(self, problem_id: str, start: int, stop: int) -> Iterator[Run]:
        """The rows of those samples [start, stop) of a problem that there are, in order."""
        rows = self._of[problem_id]
        first, last = np.searchsorted(np.frombuffer(rows.indices, np.int32), (start, stop)).tolist()
        begins: Ints = np.frombuffer(rows.offsets, np.int64)[first:last]
        ends: Ints = begins + np.frombuffer(rows.lengths, np.int64)[first:last]
        if not begins.size:
            return
        apart = (begins[1:] < ends[:-1]) | (begins[1:] > ends[:-1] + _MAX_GAP)
        cuts = np.flatnonzero(apart | (np.diff(begins // _MAX_RUN) != 0)) + 1
        for one, other in zip([0, *cuts.tolist()], [*cuts.tolist(), begins.size], strict=True):
            at = int(begins[one])
            bounds = zip((begins[one:other] - at).tolist(), (ends[one:other] - at).tolist(), strict=True)
            yield Run(at, int(ends[other - 1]), list(bounds))


def _held(indices: Any) -> Held:
    """`indices` ascend."""
    n = len(indices)
    highest = int(indices[-1])
    absent = None if highest == n - 1 else int(np.flatnonzero(indices != np.arange(n))[0])
    return Held(n, absent, highest)
