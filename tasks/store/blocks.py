"""Blocks: the unit of work, a run of problems × a range of sample indices.

What is missing is cut on one fixed grid, whatever k is asked for, so that two runs cut alike and stored blocks never
overlap. k only bounds the last range: extending a sweep starts where that one ended.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

PROBLEMS_A_BLOCK = 16
"""Blocks never span a multiple of this many problem positions, or of fewer where samples are long."""

_TOKENS_PER_FULL_BLOCK = 64 * 1_024 * 1_000
"""16 problems × 1,000 samples × 4,096 tokens: some 250 MB of text, which is what a process should hold at once."""

_FIRST_EDGES = (0, 100)
_EDGE_EVERY = 1_000
_KEY = re.compile(r"(?:^|/)(p([0-9]{5,8})-([0-9]{5,8})/i([0-9]{7,10})-([0-9]{7,10})\.parquet)$")


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

    def grid_cell(self, width: int = PROBLEMS_A_BLOCK) -> str:
        """The grid cell that contains it, `width` problems wide. Blocks of two runs overlap only within one cell."""
        return f"p{self.first // width * width:05d}/i{_edge_below(self.start):07d}"

    @property
    def positions(self) -> range:
        """The positions of its problems in their dataset."""
        return range(self.first, self.last)

    @property
    def indices(self) -> range:
        """The indices of its samples, the same for each problem."""
        return range(self.start, self.stop)

    @property
    def samples(self) -> int:
        """How many samples it holds."""
        return len(self.positions) * len(self.indices)

    def __str__(self) -> str:
        return f"problems {self.first}-{self.last - 1}, samples {self.start}-{self.stop - 1}"


def parse(key: str) -> Block | None:
    """The block that a key ends in, or None where it names something else.

    Only keys as `Block.key` writes them count, of blocks that a run may have cut: any other object is not ours.
    """
    match = _KEY.search(key)
    if match is None:
        return None
    first, last, start, stop = map(int, match.groups()[1:])
    block = Block(start, stop, first, last)
    possible = 0 < last - first <= PROBLEMS_A_BLOCK and 0 < stop - start <= _EDGE_EVERY
    return block if possible and block.key == match[1] else None


def directly_under(prefix: str, keys: Iterable[str]) -> list[Block]:
    """The blocks that these keys name directly under a prefix, sorted. Keys of anything else are left out."""
    found = ((key, parse(key)) for key in keys)
    return sorted(block for key, block in found if block is not None and key == f"{prefix}/{block.key}")


def width_for(max_tokens: int | None) -> int:
    """How many problems a block spans where samples have up to `max_tokens` tokens (None: unknown): 16, or a smaller
    power of two."""
    if max_tokens is None:
        return PROBLEMS_A_BLOCK
    widest = _TOKENS_PER_FULL_BLOCK // (max_tokens * _EDGE_EVERY)
    return min(PROBLEMS_A_BLOCK, 1 << max(0, widest.bit_length() - 1))


def missing(
    stored: Iterable[Block], problems: Iterable[int], k: int, start: int = 0, width: int = PROBLEMS_A_BLOCK
) -> list[Block]:
    """The blocks that hold exactly those of samples [start, k) of the problems at these positions that are not
    stored."""
    held: dict[int, list[tuple[int, int]]] = {}
    for block in stored:
        for position in block.positions:
            held.setdefault(position, []).append((block.start, block.stop))
    pieces = (
        Block(*piece, position, position + 1)
        for position in sorted(set(problems))
        for hole in _holes(held.get(position, []), start, k)
        for piece in _cut(*hole)
    )
    return _joined(sorted(pieces), width)


def partial_blocks(block: Block, ends: Sequence[int], width: int = PROBLEMS_A_BLOCK) -> list[Block]:
    """The blocks that hold an unfinished block: of each of its problems, the samples from its start up to the
    problem's entry in `ends`."""
    pieces = (
        Block(block.start, end, position, position + 1)
        for position, end in zip(block.positions, ends, strict=True)
        if end > block.start
    )
    return _joined(pieces, width)


def split_at_first(block: Block, absent: Callable[[int, int], bool]) -> tuple[list[Block], list[Block]]:
    """The blocks that make up a block before its first sample for which `absent` of position and index is true, and
    those from that sample on, both in order of problem and index."""
    found = next(
        ((position, index) for position in block.positions for index in block.indices if absent(position, index)), None
    )
    if found is None:
        return [block], []
    position, index = found
    before = (
        Block(block.start, block.stop, block.first, position),
        Block(block.start, index, position, position + 1),
    )
    after = (
        Block(index, block.stop, position, position + 1),
        Block(block.start, block.stop, position + 1, block.last),
    )
    return [each for each in before if each.samples], [each for each in after if each.samples]


def _joined(pieces: Iterable[Block], width: int) -> list[Block]:
    """Single-problem pieces, in order, with neighbours of equal range merged into one block."""
    blocks: list[Block] = []
    for one in pieces:
        if blocks and _continues(blocks[-1], one, width):
            blocks[-1] = Block(one.start, one.stop, blocks[-1].first, one.last)
        else:
            blocks.append(one)
    return blocks


def _continues(block: Block, one: Block, width: int) -> bool:
    return (block.last, block.start, block.stop) == (one.first, one.start, one.stop) and one.first % width != 0


def rotated(blocks: Sequence[Block], by: int) -> list[Block]:
    """The same blocks, still ordered by sample range, but rotated within each range, so that runs with different `by`
    start at different problems."""
    order: list[Block] = []
    for _, same in groupby(sorted(blocks), key=lambda block: block.start):
        of_range = list(same)
        at = by % len(of_range)
        order += of_range[at:] + of_range[:at]
    return order


def overlap(stored: Iterable[Block]) -> tuple[Block, Block] | None:
    """Two blocks that hold the same sample of the same problem, or None, as it should be."""
    rows = sorted((position, block.start, block) for block in stored for position in block.positions)
    for _, group in groupby(rows, key=lambda row: row[0]):
        previous: Block | None = None
        for _, start, block in group:
            if previous is not None and start < previous.stop:
                return previous, block
            previous = block
    return None


def _holes(ranges: list[tuple[int, int]], start: int, k: int) -> Iterator[tuple[int, int]]:
    at = start
    for first, stop in sorted(ranges):
        if at < min(first, k):
            yield at, min(first, k)
        at = max(at, stop)
    if at < k:
        yield at, k


def _cut(start: int, stop: int) -> Iterator[tuple[int, int]]:
    while start < stop:
        edge = min(_edge_above(start), stop)
        yield start, edge
        start = edge


def _edge_below(index: int) -> int:
    return index // _EDGE_EVERY * _EDGE_EVERY if index >= _EDGE_EVERY else max(e for e in _FIRST_EDGES if e <= index)


def _edge_above(index: int) -> int:
    return min((edge for edge in _FIRST_EDGES if edge > index), default=(index // _EDGE_EVERY + 1) * _EDGE_EVERY)
