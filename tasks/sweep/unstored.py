"""The samples of a block that an engine has returned and that are not stored yet.

A block has up to 16,000 samples, and nothing bounds the length of a recorded one. So a block whose samples take too
much memory is stored in parts, while its rest is still being drawn.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tasks.records import Sample
from tasks.store.blocks import Block, partial_blocks, split_at_first
from tasks.store.sample_columns import SampleColumns

MAX_BYTES = 64 << 20
"""Memory of the samples of one block that are held at once. Storing them takes about twice as much again."""


class Part(NamedTuple):
    """A block, and what the engine returned of it."""

    block: Block
    samples: SampleColumns


class Unstored:
    """What there is of a block. `ids` are those of its problems, in order."""

    def __init__(self, block: Block, ids: Sequence[str]) -> None:
        self._blocks = [block]  # in order of problem and index
        self._position = {problem_id: position for position, problem_id in zip(block.positions, ids, strict=True)}
        self._columns: list[SampleColumns] = []
        self._single: list[Sample] = []
        self._bytes = 0
        self._look_at = MAX_BYTES

    def __len__(self) -> int:
        return sum(map(len, self._columns)) + len(self._single)

    def add(self, batch: Sequence[Sample]) -> None:
        """The engine has returned these."""
        if isinstance(batch, SampleColumns):
            self._columns.append(batch)
            self._bytes += batch.bytes
        else:
            self._single += batch
            self._bytes += sum(map(_size, batch))

    def take_leading(self) -> list[Part]:
        """Where the samples take much memory: those before the first one that has yet to come, without which the block
        goes on. Empty where they are few, since their order is another."""
        if self._bytes < self._look_at:
            return []
        samples = self._gathered()
        held = self._names(samples)
        leading: list[Block] = []
        rest: list[Block] = []
        for block in self._blocks:
            before, after = ([], [block]) if rest else split_at_first(block, lambda *sample: sample not in held)
            leading += before
            rest += after
        parts = self._parts(samples, leading)
        if sum(part.samples.bytes for part in parts) < MAX_BYTES // 2:
            self._look_at = 2 * self._bytes  # so that looking takes linear time, however late the first sample comes
            return []
        self._blocks = rest
        self._columns = [part.samples for part in self._parts(samples, rest)]
        self._bytes = sum(each.bytes for each in self._columns)
        self._look_at = max(MAX_BYTES, 2 * self._bytes)
        return parts

    def take_before_gaps(self, width: int) -> list[Part]:
        """Of an engine that has failed, what blocks can represent: each problem's samples before its first gap."""
        samples = self._gathered()
        held = self._names(samples)
        parts: list[Block] = []
        for block in self._blocks:
            ends = [
                next((index for index in block.indices if (position, index) not in held), block.stop)
                for position in block.positions
            ]
            parts += partial_blocks(block, ends, width)
        return self._parts(samples, parts)

    def take_all(self) -> list[Part]:
        """All samples, which should be all that the block lacks."""
        samples = self._gathered()
        return [Part(self._blocks[0], samples)] if len(self._blocks) == 1 else self._parts(samples, self._blocks)

    def _gathered(self) -> SampleColumns:
        """All samples together; only so are they held from here on."""
        self._columns = [SampleColumns.joined([*self._columns, SampleColumns.of(self._single)])]
        self._single = []
        self._bytes = self._columns[0].bytes
        return self._columns[0]

    def _names(self, samples: SampleColumns) -> set[tuple[int, int]]:
        return set(zip(samples.positions(self._position).tolist(), samples.indices.tolist(), strict=True))

    def _parts(self, samples: SampleColumns, blocks: Iterable[Block]) -> list[Part]:
        """These blocks, which do not overlap, with their samples."""
        positions, indices = samples.positions(self._position), samples.indices
        parts = []
        for block in blocks:
            of_block = (block.first <= positions) & (positions < block.last)
            of_block &= (block.start <= indices) & (indices < block.stop)
            parts.append(Part(block, samples.where(of_block)))
        return parts


def _size(sample: Sample) -> int:
    size = sys.getsizeof(sample.text)
    return size + sum(sys.getsizeof(turn.content) for turn in sample.turns) if sample.turns else size
