"""The replies that a scorer has paid for, of samples whose scores are not complete or not stored yet.

They are in an object next to a block of scores, which is replaced as replies come and deleted once the block is
complete. Its footer is that of the block's scores, with what all runs have used so far. Versions before schema 1.4
overlook it: its key is not that of a block.
"""

import io
import math
from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa

from tasks.store.annotations import ScoreFooter
from tasks.store.blocks import Block, parse
from tasks.store.parquet import QUICK_LEVEL, Column, Layout
from tasks.store.schema import CorruptObjectError

_ENDING = ".replies.parquet"


class _Reply(NamedTuple):
    key: bytes
    number: float


_LAYOUT: Layout[_Reply, ScoreFooter] = Layout(
    _Reply, (Column("key", pa.binary()), Column("number", pa.float64())), ScoreFooter
)


def replies_key(block_key: str) -> str:
    """The key of the replies for the block of scores with this key."""
    return block_key.removesuffix(".parquet") + _ENDING


def block_of_replies(key: str) -> Block | None:
    """The block whose replies have this key; None where it names something else."""
    return parse(f"{key.removesuffix(_ENDING)}.parquet") if key.endswith(_ENDING) else None


def write_replies(replies: Mapping[bytes, float], footer: ScoreFooter, key: str) -> bytes:
    """Replies as an object, numbers by the hash of what was asked."""
    table = _LAYOUT.table_of({"key": list(replies), "number": list(replies.values())})
    return _LAYOUT.write(
        table, footer, key, rows_per_group=max(1, len(replies)), level=QUICK_LEVEL, no_dictionary=("key", "number")
    )


def read_replies(data: bytes, key: str) -> tuple[dict[bytes, float], ScoreFooter]:
    """The replies of an object, and its footer.

    Raises:
        CorruptObjectError: it is damaged.
        NewerSchemaError: it has a newer major version.
    """
    opened = _LAYOUT.open(io.BytesIO(data), key)
    replies = dict(_LAYOUT.to_records(opened.read(_LAYOUT.names), key))
    if not all(map(math.isfinite, replies.values())):
        raise CorruptObjectError(key, "it has a number that is not finite")
    return replies, opened.footer
