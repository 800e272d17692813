"""Blocks that several sweeps may use concurrently: which are pending, work under a claim, and damaged blocks that are
set aside."""

import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from tasks.errors import UserError
from tasks.progress import progress
from tasks.store.annotations import AnyAnnotationFooter
from tasks.store.blocks import Block
from tasks.store.claims import Claims
from tasks.store.footers import is_complete
from tasks.store.sample_layout import SampleFooter
from tasks.store.schema import CorruptObjectError
from tasks.store.sets import AnnotationSet, SampleSet, StoredSet
from tasks.sweep.selection import Selection

Result = TypeVar("Result")

Outdated = Callable[[Mapping[Block, SampleFooter], Mapping[Block, AnyAnnotationFooter]], Collection[Block]]
"""Given the footers of all stored samples and annotations: the blocks that have to be annotated again although theirs
are on just these samples."""

# The delay before a claim is tried again is random within these bounds, so that two sweeps do not keep colliding.
_RETRY_S = (0.5, 1.5)


def claimed(claims: Claims, name: str, work: Callable[[], Result], *, wait: bool) -> Result | None:
    """Do work that only one sweep at a time may do.

    Returns:
        The work's result; None if another sweep holds the claim and `wait` is False. If it is True, waits until that
        sweep has finished or died.
    """
    while True:
        with claims.take(name) as taken:
            if taken:
                return work()
        if not wait:
            return None
        time.sleep(random.uniform(*_RETRY_S))  # noqa: S311 - not for security


def pending_blocks(
    selection: Selection,
    samples: SampleSet,
    annotations: AnnotationSet[Any, AnyAnnotationFooter],
    stage: str,
    outdated: Outdated[AnyAnnotationFooter] | None = None,
) -> list[Block]:
    """The stored blocks with selected samples that lack annotations, or have outdated ones: what there is to do in a
    stage."""
    drawn, annotated = samples.stored(), annotations.stored()
    again = outdated(drawn, annotated) if outdated is not None else ()
    stored = selection.within(drawn)
    pending = [
        block for block, footer in stored.items() if block in again or not is_complete(annotated.get(block), footer)
    ]
    if len(pending) < len(stored):
        annotations.restore_ingredients()
    progress.get().plan(stage, sum(block.samples for block in pending))
    return pending


@contextmanager
def setting_aside(blocks: StoredSet, block: Block) -> Iterator[None]:
    """Read a block of samples or of annotations in this context: if it is damaged, it is set aside, to be done again.

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
