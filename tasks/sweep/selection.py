"""The samples that a sweep covers: those below k of the selected problems of a dataset."""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from tasks.records import Problem
from tasks.store.blocks import Block

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Selection:
    """The samples with an index below k of the problems at `positions` of a dataset.

    Blocks are named by positions in the dataset, so overlapping selections share the samples of their common problems.
    `excluded` is the number of problems that were left out.
    """

    dataset: tuple[Problem, ...]
    positions: tuple[int, ...]
    k: int
    excluded: int = 0

    @classmethod
    def of(cls, dataset: Sequence[Problem], *, k: int, first: int | None = None, exclude: Collection[str] = ()) -> Self:
        """The first N problems (None: all), except those with an id in `exclude`."""
        candidates = dataset[:first]
        positions = tuple(position for position, each in enumerate(candidates) if each.id not in exclude)
        return cls(tuple(dataset), positions, k, len(candidates) - len(positions))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The selected problems, in the order of the dataset."""
        return tuple(self.dataset[position] for position in self.positions)

    def problems_in(self, block: Block) -> tuple[Problem, ...]:
        """All problems of a block, whether selected or not."""
        return self.dataset[block.first : block.last]

    def includes(self, block: Block) -> bool:
        """Whether a block has samples of this selection."""
        at = bisect_left(self.positions, block.first)
        return block.start < self.k and at < len(self.positions) and self.positions[at] < block.last

    def within(self, stored: Mapping[Block, Value]) -> dict[Block, Value]:
        """The entries of those blocks that have samples of this selection."""
        return {block: value for block, value in stored.items() if self.includes(block)}
