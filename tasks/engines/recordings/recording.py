"""A file of samples: what it holds, and its samples, read where they are."""

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import IO

from tasks.engines.recordings.contents import Contents
from tasks.engines.recordings.files import read_at, stamps
from tasks.engines.recordings.remembered import recall, remember
from tasks.engines.recordings.scan import OPTION, Scan, parse_rows, scan_imported, scan_rows
from tasks.errors import UserError
from tasks.importers import Importer
from tasks.importers.sample_rows import Row, columns_of
from tasks.plugins import origin
from tasks.store.sample_columns import SampleColumns

_BATCH_BYTES = 1 << 20
"""Bytes of rows that are given to the sweep at once, unless one row has more."""


class Recording:
    """A file of samples, in this project's format or in that of `importer`. It is read when it first has to be."""

    def __init__(self, path: Path, importer: Importer | None = None, ids: str | None = None) -> None:
        self._path = path
        self._importer = importer
        self._ids = ids
        self._scan: Scan | None = None

    @cached_property
    def contents(self) -> Contents:
        """What it holds, remembered from an earlier run where the file is still the same.

        Raises:
            UserError: it cannot be read, or is malformed.
        """
        known = recall(stamps(self._path), self._read_as) if self._memorable else None
        if known is not None:
            return known
        self._scan = self._read()
        return self._scan.contents

    def open(self) -> "StoredSamples":
        """Its samples. The file is read for it unless this process has done so for `contents` alone.

        Raises:
            UserError: as `contents`, or the file has changed.
        """
        known = self.contents
        scan, self._scan = self._scan or self._read(), None
        if scan.contents.digest != known.digest:
            raise _changed(self._path)
        return StoredSamples(self._path, scan)

    def _read(self) -> Scan:
        scan = scan_rows(self._path) if self._importer is None else scan_imported(self._path, self._importer, self._ids)
        if self._memorable:
            remember(scan.stamps, self._read_as, scan.contents)
        return scan

    @property
    def _read_as(self) -> str:
        return "" if self._importer is None else f"{self._importer.name} {self._ids}"

    @property
    def _memorable(self) -> bool:
        """Whether what was read may be remembered: the code of a plug-in may change."""
        return self._path.is_file() if self._importer is None else origin(self._importer) is None


class StoredSamples:
    """The samples of a file that has been read once; `close` it in the end."""

    def __init__(self, path: Path, scan: Scan) -> None:
        self._name = f"{OPTION}: {path}"
        self._path = path
        self._places = scan.places
        self._spool = scan.spool
        try:
            self._file = path.open("rb") if scan.spool is None else scan.spool.file
            self._before = _state(self._file)
            if scan.spool is None and stamps(path) != scan.stamps:
                raise _changed(path)
        except OSError as error:
            raise self._unreadable(error) from error

    def samples(self, problem_id: str, start: int, stop: int) -> Iterator[SampleColumns]:
        """Those samples [start, stop) of a problem that there are, in order, about a megabyte at a time.

        Raises:
            UserError: the file has changed, or cannot be read.
        """
        rows: list[Row] = []
        size = 0
        try:
            for run in self._places.runs(problem_id, start, stop):
                data = read_at(self._file, run.start, run.stop)
                rows += parse_rows(self._name, [data[begin:end] for begin, end in run.rows])
                size += len(data)
                if size >= _BATCH_BYTES:
                    yield self._checked(problem_id, start, rows)
                    start, rows, size = start + len(rows), [], 0
            if rows:
                yield self._checked(problem_id, start, rows)
        except OSError as error:
            raise self._unreadable(error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _checked(self, problem_id: str, start: int, rows: list[Row]) -> SampleColumns:
        """The samples of a problem from index `start` on in rows that were just read, if the file is still the
        same."""
        columns = columns_of(rows)
        expected = list(range(start, start + len(rows)))
        if self._spool is not None:
            columns["index"] = expected  # rows have the indices that they had before gaps were closed
        changed = self._spool is None and _state(self._file) != self._before
        if changed or columns["index"] != expected or columns["problem_id"].count(problem_id) < len(rows):
            raise _changed(self._path)
        return SampleColumns.of_values(columns)

    def _unreadable(self, error: OSError) -> UserError:
        return UserError(f"{self._name}: cannot be read ({error.strerror})")


def _state(file: IO[bytes]) -> tuple[int, int]:
    """What changes where somebody writes to an open file; renaming it changes neither."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _changed(path: Path) -> UserError:
    return UserError(f"{OPTION}: {path}: changed after it was first read; run again when it is complete")
