"""Blocks that several sweeps may be using at once: work under a claim, and damaged blocks that are set aside."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tasks.errors import UserError
from tasks.store.blocks import Block
from tasks.store.claims import Claims
from tasks.store.schema import CorruptObjectError
from tasks.store.sets import AnnotationSet, SampleSet

Result = TypeVar("Result")

# How long to wait before trying a claim again: a random time between these, so that two sweeps that tried at once do
# not keep getting in each other's way.
_TRY_AGAIN_S = (0.5, 1.5)


def claimed(claims: Claims, name: str, work: Callable[[], Result], *, wait: bool) -> Result | None:
    """Do work that only one sweep at a time may do. None where another sweep holds the claim, unless told to wait until
    that one has finished or died."""
    while True:
        with claims.take(name) as taken:
            if taken:
                return work()
        if not wait:
            return None
        time.sleep(random.uniform(*_TRY_AGAIN_S))  # noqa: S311 - not for security


@contextmanager
def setting_aside(blocks: SampleSet | AnnotationSet[Any, Any], block: Block) -> Iterator[None]:
    """Read a block of samples or of annotations: one that turns out to be damaged is set aside, to be done again.

    Raises:
        UserError: the block was damaged.
    """
    try:
        yield
    except CorruptObjectError as error:
        blocks.quarantine(block, error.reason)
        done = "redraw" if isinstance(blocks, SampleSet) else "replace"
        raise UserError(
            f"store: the block of {block} was damaged ({blocks.url(block)}: {error.reason}) and is set aside; run the"
            f" sweep again to {done} it"
        ) from error
