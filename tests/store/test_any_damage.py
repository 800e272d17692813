"""Any damage to a store: every command ends in a result or in one line, and running the sweep again repairs it."""

import shutil
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tasks.errors import UserError
from tasks.store.blocks import directly_under
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import find
from tasks.store.inspect.counts import counts
from tests.store import damage
from tests.store.damaged_store import CHECK, EXPORT, Pristine, Store, assert_whole, ends_well, until_whole

CLAIM = b'{"owner": {"machine": "elsewhere", "process": "1:1", "name": "0123"}, "beat": 0}'
COMMANDS: list[tuple[str, ...]] = [
    ("ls",),
    ("ls", "--json"),
    ("show", "NAME"),
    ("show", "NAME", "--json"),
    ("samples", "NAME", "--limit", "1000"),
    ("samples", "NAME", "--problem", "arithmetic/003", "--verdict", "correct", "--json"),
    ("samples", "NAME", "--index", "2"),
    EXPORT,
    ("export", "NAME", "-o", "OUT.parquet", "--verdicts", "last"),
    CHECK,
    ("check", "NAME", "--json"),
    ("gc",),
]


def counts_end_well(store: Store) -> None:
    """What `monkeys compare` reads, of each set of verdicts."""
    try:
        found = find(store.opened, store.name)
        for verdicts in found.verdicts:
            counts(store.opened, found, verdicts)
    except UserError as error:
        assert str(error).splitlines() == [str(error)]


def damages(pristine: Pristine) -> st.SearchStrategy[tuple[str, bytes]]:
    """An object of the store, and what it becomes."""
    opened = FsspecStore(str(pristine.folder))
    contents = {key: opened.read(key) for key in opened.keys("")}
    (block, *_) = directly_under(f"samples/{pristine.name}", contents)
    contents[f"claims/{pristine.name}/samples/{block.grid_cell()}/0123.json"] = CLAIM
    blocks = [data for key, data in contents.items() if key.endswith(".parquet")]

    def of(key: str) -> st.SearchStrategy[tuple[str, bytes]]:
        data = contents[key]
        if key.endswith(".parquet"):
            changed = damage.other_bytes(data, blocks) | damage.other_footer(data) | damage.other_rows(data)
        else:
            changed = damage.other_json(data)
        return st.tuples(st.just(key), changed)

    return st.sampled_from(sorted(contents)).flatmap(of)


def fuzz(pristine: Pristine, folder: Path, examples: int, seconds: float) -> None:
    """Damage one to three objects, and see how every command ends; the same examples in every run, as many of them as
    there is time for."""
    seen: list[int] = []
    deadline = time.monotonic() + seconds

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )
    @given(st.lists(damages(pristine), min_size=1, max_size=3, unique_by=lambda each: each[0]))
    def damage_and_look(changed: list[tuple[str, bytes]]) -> None:
        if time.monotonic() > deadline:
            return
        seen.append(1)
        copy = folder / str(len(seen))
        shutil.copytree(pristine.folder, copy / "runs")
        store = Store(copy / "runs", pristine.name)
        for key, data in changed:
            store.opened.write(key, data)
        before = store.contents()
        for command in COMMANDS:
            ends_well(store.folder, store.name, command)
        counts_end_well(store)
        assert store.contents() == before, "they only read"
        try:
            until_whole(store)
        except AssertionError as error:
            (lines,) = error.args
            assert all("written by a newer version" in line for line in lines), lines
        else:
            assert_whole(store)
        shutil.rmtree(copy)

    damage_and_look()


def test_any_damage_ends_in_a_result_or_in_one_line(pristine: Pristine, tmp_path: Path) -> None:
    fuzz(pristine, tmp_path, examples=10, seconds=20)


@pytest.mark.slow
def test_much_damage_ends_in_a_result_or_in_one_line(pristine: Pristine, tmp_path: Path) -> None:
    fuzz(pristine, tmp_path, examples=300, seconds=150)
