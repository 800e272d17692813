import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sandboxes.linux.process_identity import ProcessIdentity
from tasks.records import ScoredSample
from tasks.store.claims import Claims
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import score_identity
from tasks.store.inspect.catalog import find
from tasks.store.inspect.garbage import delete, garbage
from tasks.store.sets import ScoreSet
from tests.servers import S3
from tests.store.stored import LastLineGrader, draw, fill, grade


@pytest.fixture
def store(tmp_path: Path) -> FsspecStore:
    return FsspecStore(str(tmp_path))


def test_a_sound_store_has_no_garbage(store: FsspecStore) -> None:
    fill(store)
    fill(store, seed=1, grader=LastLineGrader())
    assert garbage(store) == []


def test_only_old_temporaries_are_garbage(store: FsspecStore, tmp_path: Path) -> None:
    for name in ("samples/set/.tmp-1-i.parquet", ".tmp-probe-2", "samples/set/.tmp-3-i.parquet"):
        store.write(name, b"half")
    two_hours_ago = time.time() - 7_200
    for name in ("samples/set/.tmp-1-i.parquet", ".tmp-probe-2"):
        os.utime(tmp_path / name, (two_hours_ago, two_hours_ago))
    assert [(each.key, each.bytes) for each in garbage(store)] == [
        (".tmp-probe-2", 4),
        ("samples/set/.tmp-1-i.parquet", 4),
    ]


def test_quarantined_objects_are_garbage(store: FsspecStore) -> None:
    sweep = fill(store)
    sweep.samples.quarantine(sweep.samples.blocks()[0])
    draw(sweep)
    grade(sweep)
    (found,) = garbage(store)
    assert found.key.startswith("damaged/")
    assert found.why == "quarantined as damaged"


def test_verdicts_whose_samples_are_gone_are_garbage_and_no_others(store: FsspecStore) -> None:
    sweep = fill(store, k=130)
    fill(store, seed=1)
    gone, redrawn, *_ = sweep.samples.blocks()
    Path(sweep.samples.url(redrawn)).unlink()
    draw(sweep, seed=5)
    Path(sweep.samples.url(gone)).unlink()
    folder = f"verdicts/{sweep.samples.identity.name}/{sweep.grading.verdicts.identity.name}"
    assert {each.key for each in garbage(store)} == {f"{folder}/{gone.key}", f"{folder}/{redrawn.key}"}


def test_verdicts_on_a_damaged_block_wait_for_it(store: FsspecStore) -> None:
    sweep = fill(store)
    path = Path(sweep.samples.url(sweep.samples.blocks()[0]))
    path.write_bytes(b"torn, but it may come back the same")
    assert garbage(store) == []


def test_verdicts_of_a_newer_schema_are_left_alone(store: FsspecStore, tmp_path: Path) -> None:
    sweep = fill(store)
    path = tmp_path / "verdicts" / sweep.samples.identity.name / sweep.grading.verdicts.identity.name / "set.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
    Path(sweep.samples.url(sweep.samples.blocks()[0])).unlink()
    assert garbage(store) == []


def test_a_set_that_is_gone_takes_its_verdicts_along(store: FsspecStore) -> None:
    sweep = fill(store)
    kept = fill(store, seed=1)
    for key in store.keys(f"samples/{sweep.samples.identity.name}"):
        store.delete(key)
    found = garbage(store)
    assert {each.key for each in found} == set(store.keys(f"verdicts/{sweep.samples.identity.name}"))
    delete(store, found)
    assert garbage(store) == []
    assert kept.missing_samples() == kept.grading.pending_verdicts() == []
    assert store.keys(f"verdicts/{sweep.samples.identity.name}") == []


@pytest.mark.parametrize("kind", ["verdicts", "scores"])
def test_the_ingredients_of_annotations_stay_while_their_samples_may_be_drawn_again(
    kind: str, store: FsspecStore
) -> None:
    """A process writes `set.json` once, before its first block: what is removed during a run never comes back."""
    sweep = fill(store)
    samples = sweep.samples.identity
    scores = ScoreSet(store, samples, score_identity(samples, "reward", 1, model="m"))

    def annotate() -> None:
        for block, footer in sweep.samples.stored().items():
            scored = [ScoredSample(each.problem_id, each.index, 1.0) for each in sweep.samples.read(block)[0]]
            scores.write(block, scored, samples_checksum=footer.checksum, made_by="m", seconds=0.0)
        grade(sweep)

    annotate()
    for block in sweep.samples.blocks():
        sweep.samples.quarantine(block)
    documents = [key for key in store.keys(kind) if key.endswith("/set.json")]
    delete(store, garbage(store))
    assert store.keys(kind) == documents
    assert garbage(store) == []
    draw(sweep)
    annotate()
    found = find(store, samples.name)
    assert {each.label: each.pending for each in found.verdicts} == {"final_answer v2": 0}
    assert {each.label: each.pending for each in found.scores} == {"reward v1": 0}


def test_garbage_is_found_and_deleted_on_s3(s3: S3) -> None:
    store = FsspecStore(f"s3://{s3.new_bucket()}/runs")
    sweep = fill(store)
    sweep.samples.quarantine(sweep.samples.blocks()[0])
    found = garbage(store)
    assert [each.why for each in found] == ["quarantined as damaged", "verdicts on samples that are gone"]
    delete(store, found)
    assert garbage(store) == []
    draw(sweep)
    grade(sweep)
    assert sum(sweep.results().tally.verdicts.values()) == 600


def test_claims_of_ended_processes_are_garbage_and_those_of_live_ones_are_not(
    store: FsspecStore, tmp_path: Path
) -> None:
    living = Claims(store, "claims/set")
    elsewhere = replace(ProcessIdentity.here(), machine="elsewhere")
    dead = Claims(store, "claims/set", process=replace(ProcessIdentity.here(), process="4194305:1"), name="dead")
    silent = Claims(store, "claims/set", process=elsewhere, name="silent")
    distant = Claims(store, "claims/set", process=elsewhere, name="distant")
    for number, claims in enumerate((living, dead, silent, distant)):
        assert claims._take(f"cell-{number}")
    two_hours_ago = time.time() - 7_200
    os.utime(tmp_path / "claims/set/cell-2/silent.json", (two_hours_ago, two_hours_ago))
    assert [each.key for each in garbage(store)] == ["claims/set/cell-1/dead.json", "claims/set/cell-2/silent.json"]
    assert {each.why for each in garbage(store)} == {"claimed by a run that was killed"}


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_not_a_claim_is_garbage_once_it_is_a_minute_old(
    data: bytes, store: FsspecStore, tmp_path: Path
) -> None:
    store.write("claims/set/cell/1.json", data)
    assert garbage(store) == []
    two_minutes_ago = time.time() - 120
    os.utime(tmp_path / "claims/set/cell/1.json", (two_minutes_ago, two_minutes_ago))
    found = garbage(store)
    assert [(each.key, each.why) for each in found] == [("claims/set/cell/1.json", "not a claim")]
    delete(store, found)
    assert garbage(store) == []
