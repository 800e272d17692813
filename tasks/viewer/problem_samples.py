"""The samples of one problem as a table, without their texts, and the texts block by block."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tasks.errors import UserError
from tasks.store import Store
from tasks.store.annotations import ScoreFooter
from tasks.store.blocks import Block
from tasks.store.inspect.catalog import StoredAnnotations, StoredSamples, StoredVerdicts
from tasks.store.samples import Group, sample_groups

_OF_SAMPLE = ("index", "tokens", "prompt_tokens", "logprob", "finish_reason")
_OF_VERDICT = ("verdict", "detail", "answer", "cpu_s")
COLUMNS = pa.schema(
    [
        ("index", pa.int32()),
        ("tokens", pa.int32()),
        ("prompt_tokens", pa.int32()),
        ("logprob", pa.float64()),
        ("finish_reason", pa.string()),
        ("verdict", pa.string()),
        ("detail", pa.string()),
        ("answer", pa.string()),
        ("cpu_s", pa.float64()),
        ("score", pa.float64()),
    ]
)
"""What is known of a sample other than its text; null where it is not graded or has no score."""


@dataclass(frozen=True, slots=True)
class ProblemSamples:
    """The samples of the problem at a position of its dataset, in order of index; `table` has the columns `COLUMNS`."""

    position: int
    problem_id: str
    table: pa.Table


def read_problem(
    store: Store,
    samples: StoredSamples,
    verdicts: StoredVerdicts | None,
    scores: StoredAnnotations[ScoreFooter] | None,
    position: int,
) -> ProblemSamples:
    """Everything but the texts. Of the samples, it fetches this problem's rows; of verdicts and scores, the columns.

    Raises:
        UserError: the set has no samples of such a problem.
        CorruptObjectError: an object is damaged.
    """
    parts, problem_id = [], ""
    for block in _blocks(samples, position):
        with _group(store, samples, block, position) as group:
            problem_id = group.problem_id
            own = group.block.read(_OF_SAMPLE, group=group.number)
        columns = [own[name] for name in _OF_SAMPLE]
        columns += _annotated(store, verdicts, block, position, _OF_VERDICT)
        columns += _annotated(store, scores, block, position, ("score",))
        plain = [column.cast(field.type) for column, field in zip(columns, COLUMNS, strict=True)]
        parts.append(pa.Table.from_arrays(plain, schema=COLUMNS))
    return ProblemSamples(position, problem_id, pa.concat_tables(parts).combine_chunks())


def read_texts(store: Store, samples: StoredSamples, position: int) -> Iterator[pa.ChunkedArray]:
    """The texts of a problem's samples, in the order of `read_problem`; one block's at a time is held."""
    for block in _blocks(samples, position):
        with _group(store, samples, block, position) as group:
            yield group.block.read(("text",), group=group.number)["text"]


def _blocks(samples: StoredSamples, position: int) -> list[Block]:
    found = [block for block in samples.objects.footers if position in block.positions]
    if not found:
        raise UserError(f"{samples.name} has no samples of a problem at position {position}")
    return sorted(found, key=lambda block: block.start)


@contextmanager
def _group(store: Store, samples: StoredSamples, block: Block, position: int) -> Iterator[Group]:
    key = samples.objects.key(block)
    with store.open(key) as file:
        yield next(group for at, group in zip(block.positions, sample_groups(file, key), strict=True) if at == position)


def _annotated(
    store: Store,
    annotations: StoredAnnotations[Any] | None,
    block: Block,
    position: int,
    names: tuple[str, ...],
) -> list[pa.ChunkedArray]:
    """Columns of the annotations on one problem of a block; nulls where it has none."""
    table = None if annotations is None else annotations.table(store, block, names)
    rows = len(block.indices)
    if table is None:
        return [pa.chunked_array([pa.nulls(rows, COLUMNS.field(name).type)]) for name in names]
    return [table[name].slice((position - block.first) * rows, rows) for name in names]
