import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import UserError
from tasks.store import Store
from tasks.store.footers import read_objects
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import catalog, choose, find
from tests.servers import S3
from tests.store.stored import LastLineGrader, draw, fetched, fill, requests_of, sweep_of


@pytest.fixture
def store(tmp_path: Path) -> FsspecStore:
    return FsspecStore(str(tmp_path))


def test_the_catalog_says_what_is_stored(store: FsspecStore, tmp_path: Path) -> None:
    sweep = fill(store, k=130)
    other = fill(store, seed=1, problems=3, k=5)
    found = {each.name: each for each in catalog(store)}
    assert found.keys() == {sweep.samples.identity.name, other.samples.identity.name}
    here = found[sweep.samples.identity.name]
    assert here.label == "arithmetic-recorded"
    assert here.ingredients == sweep.samples.identity.ingredients
    assert here.by_problem == dict.fromkeys(range(20), 130)
    assert here.samples == 2_600
    assert here.engines == ("recorded by a test",)
    assert here.objects.bytes == sum(
        path.stat().st_size for path in (tmp_path / "samples" / here.name).rglob("*") if path.is_file()
    )
    tally = sweep.results().tally
    assert here.tokens == sweep.results().tokens()[1]
    assert here.written == tally.drawn_at.split(" to ")[-1]
    (verdicts,) = here.verdicts
    assert (verdicts.grader, verdicts.pending, verdicts.limits) == ("final_answer v2", 0, {})
    assert verdicts.counts == tally.verdicts


def test_samples_without_verdicts_are_pending(store: FsspecStore) -> None:
    fill(store, k=30)
    draw(sweep_of(store, k=50))
    (found,) = catalog(store)
    assert (found.samples, found.verdicts[0].pending, sum(found.verdicts[0].counts.values())) == (1_000, 400, 600)


def test_a_block_that_the_sandbox_failed_in_is_pending(store: FsspecStore) -> None:
    fill(store, problems=16, k=130, grader=LastLineGrader(broken=110))
    (found,) = catalog(store)
    assert found.verdicts[0].counts["infrastructure"] == 16
    assert found.verdicts[0].pending == 16 * 30


def test_the_latest_verdicts_are_chosen_unless_others_are_named(store: FsspecStore) -> None:
    first = fill(store)
    second = fill(store, grader=LastLineGrader())
    found = find(store, first.samples.identity.name)
    assert {each.name for each in found.verdicts} == {
        first.grading.verdicts.identity.name,
        second.grading.verdicts.identity.name,
    }
    assert found.graded_by(None) == found.verdicts[-1]
    chosen = found.graded_by("last-line")
    assert chosen is not None
    assert chosen.name == second.grading.verdicts.identity.name
    with pytest.raises(UserError, match=r"no verdict set of .* is called 'stdio'; there are: final-answer-v2-"):
        found.graded_by("stdio")


def test_a_damaged_block_is_named_and_stays(store: FsspecStore) -> None:
    sweep = fill(store)
    block = sweep.samples.blocks()[0]
    Path(sweep.samples.url(block)).write_bytes(b"PAR1 no more")
    before = store.sizes("")
    (found,) = catalog(store)
    assert list(found.objects.damaged) == [block]
    assert found.samples == 600 - block.samples
    assert store.sizes("") == before


def test_a_set_of_a_newer_schema_is_listed_but_not_read(store: FsspecStore, tmp_path: Path) -> None:
    sweep = fill(store)
    path = tmp_path / "samples" / sweep.samples.identity.name / "set.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
    Path(sweep.samples.url(sweep.samples.blocks()[0])).write_bytes(b"in a format to come")
    before = store.sizes("")
    (found,) = catalog(store)
    assert (found.from_newer_version, found.samples, found.objects.bytes > 0) == (True, 0, True)
    with pytest.raises(UserError, match=r"^store: .* has schema 99, written by a newer version .*: upgrade it$"):
        find(store, found.name)
    assert store.sizes("") == before


def test_the_catalog_looks_at_each_key_a_few_times_however_many_sets_there_are(
    store: FsspecStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the keys of all sets searched for those of one, 200 sets would be looked through 200 times."""
    for number in range(200):
        store.write(f"samples/toy-{number:012}/set.json", b"{}")
        store.write(f"samples/toy-{number:012}/other", b"")
    seen: list[int] = []

    def noted(store: Store, prefix: str, sizes: Mapping[str, int], read: Any) -> Any:
        seen.append(len(sizes))
        return read_objects(store, prefix, sizes, read)

    monkeypatch.setattr("tasks.store.inspect.catalog.read_objects", noted)
    assert len(catalog(store)) == 200
    assert sum(seen) == 400


@pytest.mark.parametrize("name", ["arithmetic-ab", "ab", "ab12", "arithmetic-ab12cd34ef56"])
def test_any_unique_start_of_a_name_or_hash_finds_the_set(name: str) -> None:
    assert choose(name, ["arithmetic-ab12cd34ef56", "arithmetic-1234567890ab", "programs-000000000000"], "set") == (
        "arithmetic-ab12cd34ef56"
    )


def test_a_whole_name_takes_precedence_over_longer_names() -> None:
    assert choose("a-1", ["a-1", "a-12"], "set") == "a-1"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a", "'a' could be more than one set: a-111111111111, a-222222222222"),
        ("b", "no set is called 'b'; there are: a-111111111111, a-222222222222"),
        ("", "no set is called ''; there are: a-111111111111, a-222222222222"),
    ],
)
def test_an_ambiguous_or_unknown_name_lists_the_candidates(name: str, message: str) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        choose(name, ["a-222222222222", "a-111111111111"], "set")


def test_the_catalog_lists_each_prefix_once_and_reads_no_text_on_s3(s3: S3) -> None:
    store = FsspecStore(f"s3://{s3.new_bucket()}/runs")
    sweep = fill(store, problems=4, k=1_000, padding=200)
    sent = requests_of(store)
    found = find(store, sweep.samples.identity.name)
    assert (found.samples, found.verdicts[0].pending) == (4_000, 0)
    assert sum(name.startswith("ListObjects") for name, _ in sent) == 4, "absent scores take two"
    assert fetched(sent) < found.objects.bytes / 4
    sent.clear()
    assert sweep.missing_samples() == sweep.grading.pending_verdicts() == []
    assert sum(name.startswith("ListObjects") for name, _ in sent) == 3
