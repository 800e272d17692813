"""Samples as columns, the form in which they are stored: no Python object is made for each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, overload

import numpy as np
import pyarrow as pa

from tasks.records import Sample
from tasks.store.sample_layout import LAYOUT
from tasks.store.tables import integers

Integers = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

_MADE_AT_ONCE = 256

_MAX_TAKEN = 1 << 30
"""Bytes that Arrow rearranges: its offsets in a column of text have 32 bits."""


class SampleColumns(Sequence[Sample]):
    """Samples that are held as a table. An engine may yield them instead of a list; where one of them is asked for, it
    is made. `table` has columns of `LAYOUT`, in its order, and no optional one that is null throughout."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> "SampleColumns":
        """These samples as columns."""
        return samples if isinstance(samples, SampleColumns) else cls(LAYOUT.to_table(samples))

    @classmethod
    def of_values(cls, values: Mapping[str, Sequence[Any]]) -> Self:
        """From the values of each column, as `Sample` has them; optional ones may be absent."""
        return cls(LAYOUT.table_of(values))

    @classmethod
    def joined(cls, parts: Sequence["SampleColumns"]) -> "SampleColumns":
        """The samples of all parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        table = pa.concat_tables([each.table for each in parts], promote_options="default")
        return cls(table.select([name for name in LAYOUT.names if name in table.column_names]))

    @property
    def bytes(self) -> int:
        """Memory that they take."""
        size: int = self.table.nbytes
        return size

    @property
    def indices(self) -> Integers:
        """The index of each sample."""
        chunks = [integers(chunk) for chunk in self.table["index"].chunks]
        return np.concatenate([np.empty(0, np.int64), *chunks], dtype=np.int64)

    def positions(self, of: Mapping[str, int]) -> Integers:
        """The number that `of` has for the problem of each sample; -1 where it has none."""
        found = [np.empty(0, np.int64)]
        for chunk in self.table["problem_id"].chunks:
            encoded = chunk.dictionary_encode()
            numbers = np.array([of.get(each, -1) for each in encoded.dictionary.to_pylist()], np.int64)
            found.append(numbers[integers(encoded.indices)])
        return np.concatenate(found)

    def order(self, ids: Sequence[str], indices: range) -> Integers | None:
        """The rows in order of problem and index; None unless they are just the samples with these indices of each of
        these problems, each once."""
        if len(self) != len(ids) * len(indices):
            return None
        found = self.indices
        places = self.positions({problem_id: number for number, problem_id in enumerate(ids)}) * len(indices)
        places += found - indices.start
        rows = np.argsort(places, kind="stable")
        inside = (found >= indices.start) & (found < indices.stop)
        return rows if inside.all() and np.array_equal(places[rows], np.arange(len(self))) else None

    def take(self, rows: Integers) -> "SampleColumns":
        """The samples in these rows, in this order."""
        if self.bytes > _MAX_TAKEN:
            samples = list(self)
            return SampleColumns.of([samples[row] for row in rows.tolist()])
        return SampleColumns(LAYOUT.without_unused(self.table.take(pa.array(rows))))

    def where(self, wanted: Mask) -> "SampleColumns":
        """Those samples whose rows are True."""
        return SampleColumns(LAYOUT.without_unused(self.table.filter(pa.array(wanted))))

    def __len__(self) -> int:
        rows: int = self.table.num_rows
        return rows

    @overload
    def __getitem__(self, at: int) -> Sample: ...

    @overload
    def __getitem__(self, at: slice) -> "SampleColumns": ...

    def __getitem__(self, at: int | slice) -> "Sample | SampleColumns":
        rows = range(len(self))[at]
        if isinstance(rows, range):
            return self.take(np.array(rows, np.int64))
        return _samples(self.table.slice(rows, 1))[0]

    def __iter__(self) -> Iterator[Sample]:
        for start in range(0, len(self), _MADE_AT_ONCE):
            yield from _samples(self.table.slice(start, _MADE_AT_ONCE))


def _samples(table: pa.Table) -> list[Sample]:
    return LAYOUT.to_records(LAYOUT.with_all_columns(table), "samples")
