"""Blocks larger than what is held at once, as older versions stored them, are graded one problem at a time."""

from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.store.blocks import Block
from tasks.store.fsspec_store import FsspecStore
from tasks.store.sample_layout import LAYOUT
from tasks.store.samples import checksum, read_in_parts, read_sample_table
from tasks.sweep import grading
from tests.store.stored import draw, sweep_of


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[Block]:
    """The parts of blocks that are graded from now on, each of which is too large."""
    found: list[Block] = []
    monkeypatch.setattr(grading, "MAX_BYTES", 1)
    check = grading.Grading._check_problems

    def counted(self, blocks, block, ids):
        found.append(block)
        check(self, blocks, block, ids)

    monkeypatch.setattr(grading.Grading, "_check_problems", counted)
    return found


def test_a_large_block_is_graded_one_problem_at_a_time_with_the_verdicts_of_a_small_one(tmp_path, parts, monkeypatch):
    large, small = (sweep_of(FsspecStore(str(tmp_path / name)), problems=5, k=8) for name in ("large", "small"))
    for sweep, bytes_at_once, blocks in ((large, 1, 5), (small, 1 << 20, 1)):
        monkeypatch.setattr(grading, "MAX_BYTES", bytes_at_once)
        parts.clear()
        draw(sweep)
        (block,) = sweep.samples.blocks()
        with sweep.grading.claims:
            assert sweep.grading.grade(block, None)
        assert len(parts) == blocks
        assert sum(part.samples for part in parts) == block.samples
    footers = [sweep.samples.stored()[block] for sweep in (large, small)]
    one, other = (
        sweep.grading.read_verdicts(block, footer) for sweep, footer in zip((large, small), footers, strict=True)
    )
    assert [(each.problem_id, each.index, each.verdict, each.answer) for each in one] == [
        (each.problem_id, each.index, each.verdict, each.answer) for each in other
    ]


def test_a_large_block_whose_samples_do_not_have_its_checksum_is_set_aside_before_it_is_graded(tmp_path, parts):
    sweep = sweep_of(FsspecStore(str(tmp_path)), problems=3, k=4)
    draw(sweep)
    (block,) = sweep.samples.blocks()
    key = f"samples/{sweep.samples.identity.name}/{block.key}"
    table, footer = read_sample_table(sweep.samples.store.read(key), key)
    other = table.set_column(2, "text", [[*table["text"].to_pylist()[:-1], "another text"]])
    assert checksum(other) != footer.checksum
    sweep.samples.store.write(key, LAYOUT.write(other, footer, key, rows_per_group=4))
    with sweep.grading.claims, pytest.raises(UserError, match="do not have the checksum"):
        sweep.grading.grade(block, None)
    assert not parts
    assert not sweep.samples.stored()


@pytest.mark.parametrize("rows_per_group", [2, 5, 12])
def test_other_row_groups_than_one_a_problem_are_read_together(tmp_path: Path, rows_per_group: int) -> None:
    sweep = sweep_of(FsspecStore(str(tmp_path)), problems=3, k=4)
    draw(sweep)
    (block,) = sweep.samples.blocks()
    key = f"samples/{sweep.samples.identity.name}/{block.key}"
    table, footer = read_sample_table(sweep.samples.store.read(key), key)
    tables, found = read_in_parts(LAYOUT.write(table, footer, key, rows_per_group=rows_per_group), key, 1)
    assert [each.num_rows for each in tables] == [12]
    assert found == footer
