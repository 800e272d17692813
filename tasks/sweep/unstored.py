"""The samples of a block that an engine has returned and that are not stored yet.

A block has up to 16,000 samples, and nothing bounds the length of a recorded one. So a block whose samples take too
much memory is stored in parts, while its rest is still being drawn.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tasks.records import Sample
from tasks.store.blocks import Block, partial_blocks, split_at_first

MAX_BYTES = 64 << 20
"""Memory of the samples of one block that are held at once. Storing them takes about twice as much again."""


class Part(NamedTuple):
    """A block, and what the engine returned of it."""

    block: Block
    samples: list[Sample]


class Unstored:
    """What there is of a block. `ids` are those of its problems, in order."""

    def __init__(self, block: Block, ids: Sequence[str]) -> None:
        self.samples: list[Sample] = []
        self._blocks = [block]  # in order of problem and index
        self._position = {problem_id: position for position, problem_id in zip(block.positions, ids, strict=True)}
        self._bytes = 0
        self._look_at = MAX_BYTES

    def add(self, batch: Sequence[Sample]) -> None:
        """The engine has returned these."""
        self.samples += batch
        self._bytes += sum(map(_size, batch))

    def take_leading(self) -> list[Part]:
        """Where the samples take much memory: those before the first one that has yet to come, without which the block
        goes on. Empty where they are few, since their order is another."""
        if self._bytes < self._look_at:
            return []
        held = self._held()
        leading: list[Block] = []
        rest: list[Block] = []
        for block in self._blocks:
            before, after = ([], [block]) if rest else split_at_first(block, lambda *sample: sample not in held)
            leading += before
            rest += after
        parts = self._parts(leading)
        size = sum(_size(sample) for part in parts for sample in part.samples)
        if size < MAX_BYTES // 2:
            self._look_at = 2 * self._bytes  # so that looking takes linear time, however late the first sample comes
            return []
        self._blocks = rest
        self.samples = [sample for part in self._parts(rest) for sample in part.samples]
        self._bytes -= size
        self._look_at = max(MAX_BYTES, 2 * self._bytes)
        return parts

    def take_before_gaps(self, width: int) -> list[Part]:
        """Of an engine that has failed, what blocks can represent: each problem's samples before its first gap."""
        held = self._held()
        parts: list[Block] = []
        for block in self._blocks:
            ends = [
                next((index for index in block.indices if (position, index) not in held), block.stop)
                for position in block.positions
            ]
            parts += partial_blocks(block, ends, width)
        return self._parts(parts)

    def take_all(self) -> list[Part]:
        """All samples, which should be all that the block lacks."""
        if len(self._blocks) == 1:
            return [Part(self._blocks[0], self.samples)]
        return self._parts(self._blocks)

    def _held(self) -> set[tuple[int | None, int]]:
        return {(self._position.get(sample.problem_id), sample.index) for sample in self.samples}

    def _parts(self, blocks: Iterable[Block]) -> list[Part]:
        """These blocks, which do not overlap, with their samples."""
        parts = [Part(block, []) for block in blocks]
        of: dict[int, list[Part]] = {}
        for part in parts:
            for position in part.block.positions:
                of.setdefault(position, []).append(part)
        for sample in self.samples:
            for part in of.get(self._position.get(sample.problem_id, -1), ()):
                if sample.index in part.block.indices:
                    part.samples.append(sample)
        return parts


def _size(sample: Sample) -> int:
    size = sys.getsizeof(sample.text)
    return size + sum(sys.getsizeof(turn.content) for turn in sample.turns) if sample.turns else size
