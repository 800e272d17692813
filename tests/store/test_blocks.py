import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.store.blocks import (
    PROBLEMS_A_BLOCK,
    Block,
    directly_under,
    missing,
    overlap,
    parse,
    partial_blocks,
    rotated,
    width_for,
)

ASKS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 2_500)), min_size=1, max_size=5)


def samples_in(blocks: list[Block]) -> list[tuple[int, int]]:
    return [(position, index) for block in blocks for position in block.positions for index in block.indices]


@settings(deadline=None)
@given(ASKS)
def test_any_sequence_of_budgets_draws_every_sample_exactly_once(asks: list[tuple[int, int]]) -> None:
    stored: list[Block] = []
    drawn = np.zeros((max(problems for problems, _ in asks), max(k for _, k in asks)), int)
    for problems, k in asks:
        expected = drawn.copy()
        expected[:problems, :k] = 1
        absent = missing(stored, range(problems), k)
        for block in absent:
            drawn[np.ix_(block.positions, block.indices)] += 1
        assert np.array_equal(drawn, expected), "exactly what was asked for and is not stored"
        stored += absent
        assert overlap(stored) is None
        assert missing(stored, range(problems), k) == []


@settings(deadline=None)
@given(ASKS)
def test_blocks_are_cut_on_one_grid(asks: list[tuple[int, int]]) -> None:
    stored: list[Block] = []
    for problems, k in asks:
        stored += missing(stored, range(problems), k)
    for block in stored:
        assert block.first // PROBLEMS_A_BLOCK == (block.last - 1) // PROBLEMS_A_BLOCK
        assert not any(block.start < edge < block.stop for edge in (100, 1_000, 2_000))


def test_two_runs_cut_blocks_alike() -> None:
    assert missing([], range(40), 1_000) == missing([], range(20), 1_000)[:1] + missing([], range(40), 1_000)[1:]
    assert [str(b) for b in missing([], range(20), 150)] == [
        "problems 0-15, samples 0-99",
        "problems 16-19, samples 0-99",
        "problems 0-15, samples 100-149",
        "problems 16-19, samples 100-149",
    ]


def test_a_larger_k_draws_only_the_tail() -> None:
    stored = missing([], range(16), 50)
    assert missing(stored, range(16), 100) == [Block(50, 100, 0, 16)]
    assert missing(stored, range(16), 40) == []


def test_more_problems_draw_only_the_new_ones() -> None:
    stored = missing([], range(10), 100)
    assert missing(stored, range(20), 100) == [Block(0, 100, 10, 16), Block(0, 100, 16, 20)]


def test_a_key_names_its_block() -> None:
    block = Block(100, 1_000, 16, 32)
    assert block.key == "p00016-00032/i0000100-0001000.parquet"
    assert parse(f"samples/set/{block.key}") == block
    assert parse("samples/set/set.json") is None


@pytest.mark.parametrize(
    "key",
    [
        "p0-16/i0-100.parquet",
        "p00016-00016/i0000000-0000100.parquet",
        "p00016-00000/i0000000-0000100.parquet",
        "p00000-00016/i0000100-0000100.parquet",
        "p00000-99999/i0000000-0000100.parquet",
        "p00000-00016/i0000000-9999999.parquet",
        f"p00000-00016/i0000000-{'9' * 5000}.parquet",
        "p٠٠٠٠٠-٠٠٠١٦/i0000000-0000100.parquet",
        "p00000-00016/i0000000-0000100.parquet.bak",
        "copy of p00000-00016/i0000000-0000100.parquet",
    ],
)
def test_a_key_that_no_run_writes_names_no_block(key: str) -> None:
    assert parse(f"samples/set/{key}") is None


def test_only_what_lies_directly_under_a_prefix_is_a_block_of_it() -> None:
    key = Block(0, 100, 0, 16).key
    keys = [f"samples/set/{key}", f"samples/set/old/{key}", f"samples/settee/{key}", "samples/set/README"]
    assert directly_under("samples/set", keys) == [Block(0, 100, 0, 16)]


def test_two_blocks_that_overlap_are_found() -> None:
    first, second = Block(0, 100, 0, 16), Block(99, 200, 15, 17)
    assert overlap([second, first]) == (first, second)
    assert overlap([first, Block(100, 200, 0, 16), Block(0, 100, 16, 17)]) is None


def test_rotated_keeps_every_block_and_the_order_of_ranges() -> None:
    blocks = missing([], range(50), 2_500)
    beginnings = set()
    for by in range(8):
        order = rotated(blocks, by)
        assert sorted(order) == blocks
        assert [block.start for block in order] == [block.start for block in blocks]
        beginnings.add(order[0].first)
    assert beginnings == {0, 16, 32, 48}
    assert rotated([], 3) == []


def test_blocks_of_long_samples_span_fewer_problems() -> None:
    lengths = (None, 1, 256, 4_096, 4_097, 8_192, 32_768, 65_536, 1_000_000)
    assert [width_for(length) for length in lengths] == [16, 16, 16, 16, 8, 8, 2, 1, 1]
    narrow = missing([], range(6), 2_000, width=4)
    assert [(block.first, block.last) for block in narrow if block.start == 0] == [(0, 4), (4, 6)]
    assert {block.grid_cell(4) for block in narrow if block.first == 4} == {
        f"p00004/i{edge:07}" for edge in (0, 100, 1_000)
    }
    most = max(block.samples for block in missing([], range(300), 10_000, width=width_for(32_768)))
    assert most * 32_768 <= 64 * 1_024 * 1_000


@given(st.integers(0, 40), st.integers(0, 2_400), st.data())
def test_an_unfinished_block_and_what_it_lacks_make_up_the_block(
    position: int, start: int, data: st.DataObject
) -> None:
    block = missing([], [position, position + 1, position + 2], start + 100, start)[0]
    ends = data.draw(
        st.lists(st.integers(block.start, block.stop), min_size=(n := block.last - block.first), max_size=n)
    )
    parts = partial_blocks(block, ends)
    rest = missing(parts, range(block.first, block.last), block.stop, block.start)
    assert sorted(samples_in(parts)) == [
        (p, i) for p, end in enumerate(ends, block.first) for i in range(block.start, end)
    ]
    assert sorted(samples_in(parts + rest)) == sorted(samples_in([block]))
    assert overlap(parts + rest) is None
