import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tasks.store.blocks import Block
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import find
from tasks.store.inspect.integrity import check
from tasks.sweep.sweep import Sweep
from tests.store.stored import draw, fill, sweep_of

GONE = "verdicts/.*i0000000-0000100.parquet: has verdicts on samples that are not stored"


def findings(sweep: Sweep) -> list[str]:
    store = sweep.samples.store
    return [f"{each.where}: {each.what}" for each in check(store, find(store, sweep.samples.identity.name))]


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return fill(FsspecStore(str(tmp_path)), k=130)


def path_of(sweep: Sweep, start: int = 0, kind: str = "samples") -> Path:
    of = sweep.samples if kind == "samples" else sweep.grading.verdicts
    return Path(of.url(next(block for block in sweep.samples.blocks() if block.start == start)))


def test_a_full_set_is_sound(sweep: Sweep) -> None:
    assert findings(sweep) == []


def test_an_unfinished_set_is_sound(sweep: Sweep) -> None:
    deeper = sweep_of(sweep.samples.store, problems=30, k=200)
    draw(deeper)
    assert findings(sweep) == []


def tear(sweep: Sweep) -> None:
    path_of(sweep).write_bytes(path_of(sweep).read_bytes()[:-20])


def flip(sweep: Sweep) -> None:
    data = bytearray(path_of(sweep).read_bytes())
    data[20] ^= 0xFF
    path_of(sweep).write_bytes(data)


def forge(sweep: Sweep) -> None:
    """Other texts under the same footer, with page checksums that hold."""
    table = pq.read_table(path_of(sweep))
    texts = ["forged"] * table.num_rows
    metadata = table.schema.metadata
    table = table.set_column(2, "text", [texts]).replace_schema_metadata(metadata)
    pq.write_table(table, path_of(sweep), row_group_size=100)


def take(sweep: Sweep) -> None:
    path_of(sweep).unlink()


def swap(sweep: Sweep) -> None:
    """Another set's object under this one's key: whole in itself."""
    other = fill(sweep.samples.store, seed=1, k=130)
    shutil.copy(path_of(other), path_of(sweep))


def swap_verdicts(sweep: Sweep) -> None:
    other = fill(sweep.samples.store, seed=1, k=130)
    shutil.copy(path_of(other, kind="verdicts"), path_of(sweep, kind="verdicts"))


def redraw(sweep: Sweep) -> None:
    path_of(sweep).unlink()
    draw(sweep, seed=7)


def overlap(sweep: Sweep) -> None:
    block = Block(99, 101, 3, 5)
    problems = sweep.selection.problems[block.first : block.last]
    drawn = [each for each in sweep.samples.read(sweep.samples.blocks()[0])[0] if each.index == 99]
    both = [
        type(each)(each.problem_id, index, each.text)
        for each in drawn
        for index in (99, 100)
        if each.problem_id in {problem.id for problem in problems}
    ]
    sweep.samples.write(block, problems, both, "toy", 0.0)


def rename_set(sweep: Sweep) -> None:
    path = path_of(sweep).parent.parent / "set.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seed": 4}))


def lose_ingredients(sweep: Sweep) -> None:
    (path_of(sweep, kind="verdicts").parent.parent / "set.json").unlink()


@pytest.mark.parametrize(
    ("harm", "messages"),
    [
        (
            tear,
            ["samples/.*i0000000-0000100.parquet: it is torn", "problems 0-15, samples 0-99 are not stored", GONE],
        ),
        (flip, ["samples/.*i0000000-0000100.parquet: it is torn or damaged"]),
        (forge, ["samples/.*i0000000-0000100.parquet: its samples do not have the checksum"]),
        (take, ["problems 0-15, samples 0-99 are not stored, though later ones are", GONE]),
        (swap, ["samples/.*i0000000-0000100.parquet: it was written under another key"]),
        (swap_verdicts, ["verdicts/.*i0000000-0000100.parquet: it was written under another key"]),
        (redraw, ["verdicts/.*i0000000-0000100.parquet: has verdicts on other samples than those stored"]),
        (overlap, ["p00003-00005/i0000099-0000101.parquet: holds samples that .*i0000000-0000100.parquet holds too"]),
        (rename_set, ["samples/.*set.json: its ingredients do not match the name of the set"]),
        (lose_ingredients, ["verdicts/.*set.json: is missing or broken"]),
    ],
)
def test_each_kind_of_damage_is_found_and_named(
    sweep: Sweep, harm: Callable[[Sweep], None], messages: list[str]
) -> None:
    harm(sweep)
    before = sweep.samples.store.sizes("")
    found = findings(sweep)
    for message in messages:
        assert any(re.search(message, each) for each in found), (message, found)
    assert sweep.samples.store.sizes("") == before, "looking changes nothing"
