"""Whether the rows of a block are those that its key names: each problem's samples together, each once, in order."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.store.tables import integers


def fault_in_rows(table: pa.Table, indices: range, problems: int) -> str | None:
    """What is wrong with the columns `problem_id` and `index` of a block, which has no nulls and should have these
    indices of each problem; None if nothing is wrong. No Python object is made for a row."""
    shape = (problems, len(indices))
    if table.num_rows != problems * len(indices):
        return "it does not hold the samples that its key names, each once"
    found = np.concatenate([integers(chunk) for chunk in table["index"].chunks]).reshape(shape)
    if not (found == np.array(indices, dtype=np.int32)).all():
        return "it does not hold the samples that its key names, each once"
    codes = _codes(table["problem_id"]).reshape(shape)
    if not (codes == codes[:, :1]).all() or len(np.unique(codes[:, 0])) != problems:
        return "it does not hold each problem's samples together"
    return None


def first_ids(table: pa.Table, each: int) -> list[str]:
    """The problem of every `each`-th row: the problems of a block, in order, where it has `each` samples of each."""
    firsts = table["problem_id"].take(pa.array(range(0, table.num_rows, each)))
    ids: list[str] = firsts.cast(pa.string()).to_pylist()
    return ids


def _codes(ids: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int32]]:
    """A number for each row, equal where the ids are."""
    encoded = pc.dictionary_encode(ids.cast(pa.string())).unify_dictionaries()
    return np.concatenate([integers(chunk.indices) for chunk in encoded.chunks])
