"""Replies of a scorer for scores that are not complete: objects that older versions overlook."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tasks.errors import UserError
from tasks.store.blocks import parse
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import catalog
from tasks.store.inspect.garbage import garbage
from tasks.store.inspect.integrity import check
from tasks.store.replies import block_of_replies
from tasks.store.sets import SampleSet, ScoreSet
from tests.store import golden_sets as golden
from tests.store.golden_sets import BLOCK, PLAIN


@pytest.fixture
def scores(tmp_path: Path) -> ScoreSet:
    store = FsspecStore(str(tmp_path))
    golden.write_1_4(store)
    return ScoreSet(store, PLAIN, golden.REPLIED_SCORES)


def key_of_replies(store: FsspecStore) -> str:
    (key,) = [key for key in store.keys("scores") if block_of_replies(key) is not None]
    return key


def test_the_key_of_replies_is_not_that_of_a_block_so_that_versions_before_1_4_overlook_them(scores: ScoreSet):
    key = key_of_replies(FsspecStore(scores.store.url("")))
    assert (parse(key), block_of_replies(key)) == (None, BLOCK)
    assert block_of_replies(f"scores/a/b/{BLOCK.key}") is None
    assert scores.stored() == {}
    (found,) = catalog(scores.store)
    assert [*check(scores.store, found)] == []


@pytest.mark.parametrize("schema", ["1.9", "2.0"])
def test_replies_of_a_newer_minor_version_are_read_and_of_a_newer_major_version_refused(scores: ScoreSet, schema: str):
    path = scores.store.url(key_of_replies(FsspecStore(scores.store.url(""))))
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"monkeys"]) | {"schema": schema, "weather": "sun"}
    pq.write_table(table.replace_schema_metadata({b"monkeys": json.dumps(about).encode()}), path)
    if schema == "1.9":
        assert scores.read_replies(BLOCK) == (golden.REPLIES, golden.REPLIED_FOOTER)
        return
    with pytest.raises(UserError, match=r"has schema 2\.0, written by a newer version"):
        scores.read_replies(BLOCK)
    assert Path(path).exists()


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-20], lambda data: b"", lambda data: data.replace(b"\x00", b"a")]
)
def test_damaged_replies_are_found_and_set_aside(scores: ScoreSet, damage):
    path = Path(scores.store.url(key_of_replies(FsspecStore(scores.store.url("")))))
    path.write_bytes(damage(path.read_bytes()))
    (found,) = catalog(scores.store)
    assert [str(path).endswith(each.where) for each in check(scores.store, found)] == [True]
    assert scores.read_replies(BLOCK) is None
    assert not path.exists()
    assert [key.split("/", 2)[2] for key in scores.store.keys("damaged")] == [
        str(path.relative_to(scores.store.url("")))
    ]


def test_a_reply_that_is_not_finite_is_damage(scores: ScoreSet):
    scores.write_replies(BLOCK, {b"key": float("nan")}, golden.REPLIED_FOOTER)
    assert scores.read_replies(BLOCK) is None


def test_replies_are_garbage_once_all_scores_are_stored_or_their_samples_are_gone(scores: ScoreSet):
    store = scores.store
    assert garbage(store) == []

    def write_scores(unscored: int):
        scored = [replace(each, score=None if at < unscored else 1.0) for at, each in enumerate(golden.SCORED)]
        scores.write(BLOCK, scored, samples_checksum=golden.PLAIN_CHECKSUM, made_by="reward-model", seconds=2.0)

    write_scores(unscored=2)
    assert garbage(store) == [], "two samples still need them"
    write_scores(unscored=0)
    key = key_of_replies(FsspecStore(store.url("")))
    assert [(each.key, each.why) for each in garbage(store)] == [
        (key, "replies of a scorer for scores that are stored")
    ]
    Path(SampleSet(store, PLAIN).url(BLOCK)).unlink()
    assert key in {each.key for each in garbage(store)}
    scores.delete_replies(BLOCK)
    scores.delete_replies(BLOCK)
    assert scores.read_replies(BLOCK) is None
