"""The footers of the blocks under a prefix, read concurrently: one listing, and the end of each object."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, Generic

from tasks.store import Store
from tasks.store.annotations import AnnotationFooter, AnyAnnotationFooter
from tasks.store.blocks import Block, directly_under
from tasks.store.parquet import AnyFooter
from tasks.store.sample_layout import SampleFooter
from tasks.store.schema import CorruptObjectError

_THREADS = 16


@dataclass(frozen=True, slots=True)
class Objects(Generic[AnyFooter]):
    """The blocks under a prefix: intact ones with their footers, damaged ones with what is wrong, both in order.

    `bytes` counts all objects there, not only blocks.
    """

    prefix: str
    footers: dict[Block, AnyFooter]
    damaged: dict[Block, str]
    bytes: int

    def key(self, block: Block) -> str:
        """The key of a block."""
        return f"{self.prefix}/{block.key}"

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong with each damaged object, by its key."""
        return {self.key(block): reason for block, reason in self.damaged.items()}


def read_objects(
    store: Store, prefix: str, sizes: Mapping[str, int], read: Callable[[BinaryIO, str], AnyFooter]
) -> Objects[AnyFooter]:
    """Read the footer of every block that a listing has under a prefix. Nothing is changed.

    Raises:
        NewerSchemaError: a newer version wrote one of them.
    """
    mine = {key: size for key, size in sizes.items() if key.startswith(f"{prefix}/")}
    blocks = directly_under(prefix, mine)
    intact: dict[Block, AnyFooter] = {}
    damaged: dict[Block, str] = {}
    with ThreadPoolExecutor(_THREADS) as pool:
        found = pool.map(lambda block: read_footer(store, f"{prefix}/{block.key}", read), blocks)
        for block, footer in zip(blocks, found, strict=True):
            if isinstance(footer, CorruptObjectError):
                damaged[block] = footer.reason
            elif footer is not None:
                intact[block] = footer
    return Objects(prefix, intact, damaged, sum(mine.values()))


def read_footer(
    store: Store, key: str, read: Callable[[BinaryIO, str], AnyFooter]
) -> AnyFooter | CorruptObjectError | None:
    """An object's footer, what is wrong with the object, or None where it does not exist (any more)."""
    try:
        with store.open(key) as file:
            return read(file, key)
    except FileNotFoundError:
        return None
    except CorruptObjectError as error:
        return error


def is_complete(annotations: AnnotationFooter | None, samples: SampleFooter) -> bool:
    """Whether a block of annotations is on just these samples, and none of them has to be tried again."""
    return annotations is not None and annotations.samples_checksum == samples.checksum and not annotations.failed


def current(
    annotations: Mapping[Block, AnyAnnotationFooter], samples: Mapping[Block, SampleFooter]
) -> dict[Block, AnyAnnotationFooter]:
    """The annotations that are on these samples, as they are stored now."""
    return {
        block: footer
        for block, footer in annotations.items()
        if block in samples and footer.samples_checksum == samples[block].checksum
    }
