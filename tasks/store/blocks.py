"""Blocks: the unit of work, a run of problems × a range of sample indices.

What is missing is cut on one fixed grid, whatever k is asked for, so that two runs cut alike and stored blocks never
overlap. k only bounds the last range: extending a sweep starts where that one ended.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

PROBLEMS_A_BLOCK = 16
"""Blocks never span a multiple of this many problem positions."""

_FIRST_EDGES = (0, 100)
_EDGE_EVERY = 1_000
_KEY = re.compile(r"p(\d+)-(\d+)/i(\d+)-(\d+)\.parquet$")


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """Samples [start, stop) of the problems at positions [first, last) of their dataset.

    Sorted by sample range first: a sweep covers every problem thinly before any of them deeply.
    """

    start: int
    stop: int
    first: int
    last: int

    @property
    def key(self) -> str:
        """The block's name within its set."""
        return f"p{self.first:05d}-{self.last:05d}/i{self.start:07d}-{self.stop:07d}.parquet"

    @property
    def samples(self) -> int:
        """How many samples it holds."""
        return (self.last - self.first) * (self.stop - self.start)

    def __str__(self) -> str:
        return f"problems {self.first}-{self.last - 1}, samples {self.start}-{self.stop - 1}"


def parse(key: str) -> Block | None:
    """The block that a key names, or None where it names something else."""
    match = _KEY.search(key)
    if match is None:
        return None
    first, last, start, stop = map(int, match.groups())
    return Block(start, stop, first, last)


def missing(stored: Iterable[Block], problems: Iterable[int], k: int) -> list[Block]:
    """The blocks that hold exactly the samples below k, of the problems at these positions, that are not stored."""
    held: dict[int, list[tuple[int, int]]] = {}
    for block in stored:
        for position in range(block.first, block.last):
            held.setdefault(position, []).append((block.start, block.stop))
    owed = (
        (start, stop, position)
        for position in sorted(set(problems))
        for hole in _holes(held.get(position, []), k)
        for start, stop in _cut(*hole)
    )
    blocks: list[Block] = []
    for start, stop, position in sorted(owed):
        last = blocks[-1] if blocks else None
        joins = (
            last is not None
            and (last.start, last.stop, last.last) == (start, stop, position)
            and position % PROBLEMS_A_BLOCK != 0
        )
        if last is not None and joins:
            blocks[-1] = Block(start, stop, last.first, position + 1)
        else:
            blocks.append(Block(start, stop, position, position + 1))
    return blocks


def overlap(stored: Iterable[Block]) -> tuple[Block, Block] | None:
    """Two blocks that hold the same sample of the same problem, or None as it should be."""
    cells = sorted((position, block.start, block) for block in stored for position in range(block.first, block.last))
    for _, group in groupby(cells, key=lambda cell: cell[0]):
        previous: Block | None = None
        for _, start, block in group:
            if previous is not None and start < previous.stop:
                return previous, block
            previous = block
    return None


def _holes(ranges: list[tuple[int, int]], k: int) -> Iterator[tuple[int, int]]:
    at = 0
    for start, stop in sorted(ranges):
        if at < min(start, k):
            yield at, min(start, k)
        at = max(at, stop)
    if at < k:
        yield at, k


def _cut(start: int, stop: int) -> Iterator[tuple[int, int]]:
    while start < stop:
        edge = min(_next_edge(start), stop)
        yield start, edge
        start = edge


def _next_edge(index: int) -> int:
    for edge in _FIRST_EDGES:
        if index < edge:
            return edge
    return (index // _EDGE_EVERY + 1) * _EDGE_EVERY
