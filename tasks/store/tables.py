"""Arithmetic on tables that blocks are read as, without a Python object for a row."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.records import Verdict


def rows_below(table: pa.Table, below: Mapping[str, int]) -> pa.Table:
    """The samples with an index below their problem's, none of a problem without one."""
    together = table.unify_dictionaries().combine_chunks()
    problems = together["problem_id"].combine_chunks()
    ends = np.array([below.get(problem, 0) for problem in problems.dictionary.to_pylist()], dtype=np.int64)
    return together.filter(pa.array(integers(together["index"].combine_chunks()) < ends[integers(problems.indices)]))


def column_sums(table: pa.Table, columns: Sequence[str]) -> list[int | None]:
    """The sum of each column; None where one of its values is not known."""
    return [None if table[name].null_count else pc.sum(table[name]).as_py() or 0 for name in columns]


def sums_by_problem(table: pa.Table, column: str) -> dict[str, tuple[int, int, int]] | None:
    """By problem, how many values a column has, their sum and the sum of their squares; None where one is not known.
    The table comes from `read_sample_columns`."""
    if table[column].null_count:
        return None
    together = table.unify_dictionaries().combine_chunks()
    problems = together["problem_id"].combine_chunks()
    rows, values = integers(problems.indices), integers(together[column].combine_chunks()).astype(np.int64)
    sums = [np.zeros(len(problems.dictionary), np.int64) for _ in range(3)]
    for total, added in zip(sums, (np.ones_like(values), values, values**2), strict=True):
        np.add.at(total, rows, added)
    names = problems.dictionary.to_pylist()
    return {
        name: (n, total, squares)
        for name, n, total, squares in zip(names, *(each.tolist() for each in sums), strict=True)
        if n
    }


def count_verdicts(table: pa.Table, below: int) -> dict[tuple[str, str], int]:
    """How often each (problem, verdict) occurs among the samples with an index below this."""
    together = table.unify_dictionaries().combine_chunks()
    problems, verdicts = (together[name].combine_chunks() for name in ("problem_id", "verdict"))
    kinds = len(verdicts.dictionary)
    pairs = integers(problems.indices).astype(np.int64) * kinds + integers(verdicts.indices)
    counts = np.bincount(
        pairs[integers(together["index"].combine_chunks()) < below], minlength=kinds * len(problems.dictionary)
    )
    names = product(problems.dictionary.to_pylist(), verdicts.dictionary.to_pylist())
    return {name: int(count) for name, count in zip(names, counts, strict=True) if count}


def first_with(table: pa.Table, verdict: str) -> dict[str, int]:
    """The smallest index with this verdict of each problem that has one, of a table as `count_verdicts` takes it."""
    given = table.filter(pc.equal(table["verdict"].cast(pa.string()), verdict))
    problems, indices = given["problem_id"].cast(pa.string()).to_pylist(), given["index"].to_pylist()
    # In falling order of index, so that the smallest is what stays.
    return dict(sorted(zip(problems, indices, strict=True), reverse=True))


def count_equal(table: pa.Table, *, below: int) -> int:
    """How many verdicts at indices below `below` came from the execution of an equal program: those on programs that
    took no CPU time. The table has the columns `index`, `verdict` and `cpu_s`."""
    verdicts = table["verdict"].cast(pa.string())
    unrun = pc.is_in(verdicts, value_set=pa.array([Verdict.NO_ANSWER.value, Verdict.INFRASTRUCTURE.value]))
    free = pc.and_(pc.equal(table["cpu_s"], 0.0), pc.less(table["index"], below))
    return int(pc.sum(pc.and_not(free, unrun)).as_py() or 0)


def integers(array: Any) -> np.ndarray[Any, np.dtype[np.int32]]:
    """The values of a column of 32-bit integers without nulls. Arrow's own `to_numpy` would first import pandas."""
    data = array.buffers()[1]
    if data is None or not len(array):
        return np.empty(0, np.int32)
    return np.frombuffer(data, np.int32)[array.offset : array.offset + len(array)]
