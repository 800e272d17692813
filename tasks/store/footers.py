"""The footers of the blocks under a prefix, read side by side: one listing, and the end of each object."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, Generic

from tasks.store import Store
from tasks.store.blocks import Block, parse
from tasks.store.parquet import CorruptObjectError, Footer, SampleFooter, VerdictFooter

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Objects(Generic[Footer]):
    """The blocks under a prefix: whole ones with their footers, damaged ones with what is wrong, both in order.

    `bytes` counts all objects there, others than blocks too.
    """

    prefix: str
    footers: dict[Block, Footer]
    damaged: dict[Block, str]
    bytes: int

    def key(self, block: Block) -> str:
        """Where a block lies."""
        return f"{self.prefix}/{block.key}"


def read_objects(
    store: Store, prefix: str, sizes: Mapping[str, int], read: Callable[[BinaryIO, str], Footer]
) -> Objects[Footer]:
    """Read the footer of every block in a listing that lies under a prefix. Nothing is changed.

    Raises:
        NewerSchemaError: a newer version wrote one of them.
    """
    mine = {key: size for key, size in sizes.items() if key.startswith(f"{prefix}/")}
    blocks = sorted(block for key in mine if (block := parse(key)) is not None)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda block: read_footer(store, f"{prefix}/{block.key}", read), blocks)
        footers = dict(zip(blocks, found, strict=True))
    return Objects(
        prefix,
        {block: each for block, each in footers.items() if isinstance(each, SampleFooter | VerdictFooter)},
        {block: str(each) for block, each in footers.items() if isinstance(each, CorruptObjectError)},
        sum(mine.values()),
    )


def read_footer(store: Store, key: str, read: Callable[[BinaryIO, str], Footer]) -> Footer | CorruptObjectError | None:
    """An object's footer, what is wrong with the object, or None where there is none (any more)."""
    try:
        with store.open(key) as file:
            return read(file, key)
    except FileNotFoundError:
        return None
    except CorruptObjectError as error:
        return error


def is_complete(verdicts: VerdictFooter | None, samples: SampleFooter) -> bool:
    """Whether a block of verdicts says all there is to say of a block of samples: it judges just these, and no sandbox
    failed on any."""
    return verdicts is not None and verdicts.judged == samples.checksum and not verdicts.infrastructure
