"""Score sets: a second kind of annotations, which differ from verdicts only in their columns."""

from pathlib import Path

import pytest

from tasks.records import ScoredSample
from tasks.store.blocks import Block
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import score_identity
from tasks.store.inspect.catalog import find
from tasks.store.inspect.garbage import garbage
from tasks.store.inspect.integrity import check
from tasks.store.schema import CorruptObjectError
from tasks.store.sets import ScoreSet
from tasks.sweep.sweep import Sweep
from tests.store.stored import draw, fill, sweep_of


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return fill(FsspecStore(str(tmp_path)), problems=20, k=30)


def scores_of(sweep: Sweep) -> ScoreSet:
    samples = sweep.samples.identity
    return ScoreSet(sweep.samples.store, samples, score_identity(samples, "reward", 1, model="m"))


def score(sweep: Sweep, block: Block, unscored: int = 0) -> list[ScoredSample]:
    """Give each sample of a block a score, but for the first few."""
    samples, footer = sweep.samples.read(block)
    scored = [
        ScoredSample(each.problem_id, each.index, None if number < unscored else len(each.text) / 2)
        for number, each in enumerate(samples)
    ]
    scores_of(sweep).write(block, scored, samples_checksum=footer.checksum, made_by="m on cpu", seconds=1.0)
    return scored


def test_scoring_resumes_where_it_stopped(sweep: Sweep):
    stored, scores = sweep.samples.stored(), scores_of(sweep)
    first, second = stored
    assert scores.pending(stored) == [first, second]
    scored = score(sweep, first)
    assert scores.pending(stored) == [second]
    assert (scores.is_pending(first, stored[first]), scores.is_pending(second, stored[second])) == (False, True)
    score(sweep, second, unscored=2)
    assert scores.pending(stored) == [second], "two samples have no score"
    assert find(sweep.samples.store, sweep.samples.identity.name).scores[0].pending == second.samples
    score(sweep, second)
    assert scores.pending(stored) == []
    read, footer = scores.read(first, stored[first])
    assert (read, footer.unscored, footer.made_by) == (scored, 0, "m on cpu")


def test_columns_of_scores_are_read_alone(sweep: Sweep):
    block, footer = next(iter(sweep.samples.stored().items()))
    scored = score(sweep, block, unscored=1)
    table, _ = scores_of(sweep).columns(block, footer, ("score",))
    assert table.column_names == ["score"]
    assert table["score"].to_pylist() == [each.score for each in scored]


def test_scores_on_other_samples_are_refused_and_pending(sweep: Sweep):
    block = sweep.samples.blocks()[0]
    score(sweep, block)
    Path(sweep.samples.url(block)).unlink()
    draw(sweep_of(sweep.samples.store, problems=20, k=30), seed=7)
    stored = sweep.samples.stored()
    assert block in scores_of(sweep).pending(stored)
    with pytest.raises(CorruptObjectError, match="has scores on other samples than those stored"):
        scores_of(sweep).read(block, stored[block])
    found = find(sweep.samples.store, sweep.samples.identity.name)
    messages = [f"{each.where}: {each.what}" for each in check(sweep.samples.store, found)]
    assert any("scores/" in each and "has scores on other samples" in each for each in messages)
    assert any(each.key.startswith("scores/") for each in garbage(sweep.samples.store))


def test_torn_scores_are_quarantined_and_pending(sweep: Sweep):
    stored, scores = sweep.samples.stored(), scores_of(sweep)
    for block in stored:
        score(sweep, block)
    torn = next(iter(stored))
    path = Path(scores.url(torn))
    path.write_bytes(path.read_bytes()[:-20])
    found = find(sweep.samples.store, sweep.samples.identity.name)
    assert [each.where for each in check(sweep.samples.store, found)] == [
        f"{found.scores[0].objects.prefix}/{torn.key}"
    ]
    assert scores.pending(stored) == [torn]
    (damaged,) = sweep.samples.store.keys("damaged")
    assert damaged.endswith(f"/{torn.key}")
    assert "/scores/" in damaged


def test_scores_are_listed_apart_from_verdicts_and_sound(sweep: Sweep):
    for block in sweep.samples.blocks():
        score(sweep, block)
    store = sweep.samples.store
    found = find(store, sweep.samples.identity.name)
    assert [each.label for each in found.verdicts] == ["final_answer v2"]
    assert [(each.label, each.pending) for each in found.scores] == [("reward v1", 0)]
    assert list(check(store, found)) == []
    assert garbage(store) == []
    assert sweep.grading.pending_verdicts() == []


def test_scores_whose_samples_are_gone_are_garbage(sweep: Sweep):
    block = sweep.samples.blocks()[0]
    score(sweep, block)
    Path(sweep.samples.url(block)).unlink()
    why = {each.why for each in garbage(sweep.samples.store) if each.key.startswith("scores/")}
    assert why == {"scores on samples that are gone"}


def test_a_footer_that_counts_other_scores_is_found(sweep: Sweep, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ScoreSet, "kind", _miscounting())
    score(sweep, sweep.samples.blocks()[0])
    monkeypatch.undo()
    found = find(sweep.samples.store, sweep.samples.identity.name)
    assert [each.what for each in check(sweep.samples.store, found)] == ["its footer does not match its rows"]


def _miscounting():
    from dataclasses import replace

    return replace(ScoreSet.kind, summary=lambda table: {"unscored": 5})
