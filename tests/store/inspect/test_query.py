from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tasks.engines.recorded import RecordedConfig
from tasks.errors import UserError
from tasks.records import GradedSample, Request, Sample, Verdict
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import find
from tasks.store.inspect.export import export
from tasks.store.inspect.query import Row, annotated_blocks, select
from tasks.sweep.sweep import Sweep
from tests.servers import S3
from tests.store.stored import LastLineGrader, answers, draw, fetched, fill, requests_of, sweep_of


@pytest.fixture
def store(tmp_path: Path) -> FsspecStore:
    return FsspecStore(str(tmp_path / "runs"))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """A set for tests that only read."""
    return fill(FsspecStore(str(tmp_path_factory.mktemp("full"))), k=130)


def everything(sweep: Sweep) -> list[tuple[Sample, GradedSample]]:
    """What the sets themselves say, by problem and index."""
    footers = sweep.samples.stored()
    pairs = [
        pair
        for block, footer in footers.items()
        for pair in zip(sweep.samples.read(block)[0], sweep.grading.verdicts.read(block, footer)[0], strict=True)
    ]
    return sorted(pairs, key=lambda pair: (pair[0].problem_id, pair[0].index))


def chosen(sweep: Sweep, **wanted: Any) -> list[Row]:
    stored = find(sweep.samples.store, sweep.samples.identity.name)
    return list(select(sweep.samples.store, stored, stored.graded_by(None), **wanted))


def test_all_samples_are_found_with_their_verdicts(full: Sweep) -> None:
    rows = chosen(full)
    assert sorted(rows, key=lambda row: (row.sample.problem_id, row.sample.index)) == everything(full)
    assert [row.sample.problem_id for row in rows[:200]] == ["arithmetic/000"] * 100 + ["arithmetic/001"] * 100


@pytest.mark.parametrize("problem", [None, "arithmetic/003", "arithmetic/017"])
@pytest.mark.parametrize("verdict", [None, Verdict.WRONG, Verdict.OUTPUT_LIMIT])
@pytest.mark.parametrize("index", [None, 0, 99, 100, 500])
def test_only_the_samples_asked_for_are_found(
    full: Sweep, problem: str | None, verdict: Verdict | None, index: int | None
) -> None:
    rows = chosen(full, problem=problem, verdict=verdict, index=index)
    assert sorted(rows, key=lambda row: (row.sample.problem_id, row.sample.index)) == [
        (sample, graded)
        for sample, graded in everything(full)
        if problem in {None, sample.problem_id} and verdict in {None, graded.verdict} and index in {None, sample.index}
    ]


def test_an_ungraded_sample_is_shown_without_a_verdict(store: FsspecStore) -> None:
    sweep = sweep_of(store)
    draw(sweep)
    assert {row.graded for row in chosen(sweep)} == {None}
    assert len(chosen(sweep)) == 600


def test_verdicts_on_other_samples_are_not_shown(store: FsspecStore) -> None:
    sweep = fill(store)
    block = sweep.samples.blocks()[0]
    Path(sweep.samples.url(block)).unlink()
    draw(sweep, seed=5)
    rows = chosen(sweep)
    assert {row.graded is None for row in rows[: block.samples]} == {True}
    assert {row.graded is None for row in rows[block.samples :]} == {False}
    assert len(chosen(sweep, verdict=Verdict.CORRECT)) == sum(
        row.graded is not None and row.graded.verdict == "correct" for row in rows
    )


def test_an_unknown_problem_ends_in_one_line(store: FsspecStore) -> None:
    sweep = fill(store, problems=3)
    for more in ({}, {"verdict": Verdict.WRONG}, {"index": 7}):
        with pytest.raises(
            UserError, match="has no problem 'nosuch'; it has arithmetic/000, arithmetic/001, arithmetic/002"
        ):
            chosen(sweep, problem="nosuch", **more)


def test_a_damaged_block_ends_a_query_in_one_line_and_stays(store: FsspecStore) -> None:
    sweep = fill(store)
    path = Path(sweep.samples.url(sweep.samples.blocks()[0]))
    data = bytearray(path.read_bytes())
    data[20] ^= 0xFF
    path.write_bytes(data)
    before = store.sizes("")
    with pytest.raises(UserError, match=r"store: .*i0000000-0000030.parquet cannot be read: it is torn or damaged"):
        chosen(sweep)
    assert store.sizes("") == before


def test_one_sample_is_read_without_the_rest_of_its_set(s3: S3) -> None:
    store = FsspecStore(f"s3://{s3.new_bucket()}/runs")
    sweep = fill(store, problems=16, k=600, padding=200)
    stored = find(store, sweep.samples.identity.name)
    sent = requests_of(store)
    (row,) = select(store, stored, stored.graded_by(None), problem="arithmetic/007", index=555)
    expected = answers(16, 600, padding=200)["arithmetic/007"][555]
    assert row.sample == expected
    assert {wanted for name, wanted in sent if name == "GetObject" and not wanted} == set(), "only parts are fetched"
    assert fetched(sent) < stored.objects.bytes / 8


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_an_exported_file_holds_the_whole_set(store: FsspecStore, tmp_path: Path, suffix: str) -> None:
    sweep = fill(store, problems=17, k=130)
    stored = find(store, sweep.samples.identity.name)
    path = tmp_path / f"out{suffix}"
    path.write_text("an older export")
    assert export(annotated_blocks(store, stored, stored.graded_by(None)), path) == 17 * 130
    table = pd.read_parquet(path) if suffix == ".parquet" else pd.read_json(path, lines=True)
    table = table.sort_values(["problem_id", "index"])
    expected = pd.DataFrame(
        {
            "problem_id": sample.problem_id,
            "index": sample.index,
            "text": sample.text,
            "prompt_tokens": sample.prompt_tokens,
            "tokens": sample.tokens,
            "logprob": sample.logprob,
            "finish_reason": sample.finish_reason,
            "engine": "recorded by a test",
            "verdict": graded.verdict.value,
            "detail": graded.detail,
            "cpu_s": graded.cpu_s,
        }
        for sample, graded in everything(sweep)
    )
    pd.testing.assert_frame_equal(
        table[expected.columns].reset_index(drop=True), expected, check_dtype=False, check_exact=suffix == ".parquet"
    )
    assert list(tmp_path.glob(".tmp-*")) == []


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_an_exported_file_can_be_graded_by_another_sweep(store: FsspecStore, tmp_path: Path, suffix: str) -> None:
    sweep = fill(store, problems=3, k=130)
    stored = find(store, sweep.samples.identity.name)
    path = tmp_path / f"out{suffix}"
    export(annotated_blocks(store, stored, None), path)
    recorded = RecordedConfig(path=str(path))
    ids = [problem.id for problem in sweep.selection.problems]
    recorded.check(sweep.selection.problems, 130)
    original = answers(3, 130)
    with recorded.open() as engine:
        drawn = engine.sample([Request(problem_id, "?", 0, 130) for problem_id in ids], sweep.sampling)
        assert list(map(list, drawn)) == [list(original[problem_id].values()) for problem_id in ids]


def test_a_damaged_set_is_not_exported(store: FsspecStore, tmp_path: Path) -> None:
    sweep = fill(store, grader=LastLineGrader())
    Path(sweep.samples.url(sweep.samples.blocks()[-1])).write_bytes(b"torn")
    stored = find(store, sweep.samples.identity.name)
    with pytest.raises(UserError, match="cannot be read: it is torn or damaged"):
        export(annotated_blocks(store, stored, stored.graded_by(None)), tmp_path / "out.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs"]


def test_an_export_that_cannot_be_written_ends_in_one_line(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "out.csv", "ends in neither .parquet nor .jsonl"),
        (tmp_path / "none" / "out.jsonl", "cannot be written .No such file or directory."),
        (tmp_path / "folder.jsonl", "is a folder"),
    ):
        (tmp_path / "folder.jsonl").mkdir(exist_ok=True)
        with pytest.raises(UserError, match=f"--output .*{message}"):
            export([], path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.jsonl"]


@pytest.mark.parametrize("problem", ["arithmetic/000", "arithmetic/037"])
def test_blocks_of_other_problems_are_not_opened_once_the_problem_is_found(
    store: FsspecStore, monkeypatch: pytest.MonkeyPatch, problem: str
) -> None:
    sweep = fill(store, problems=40, k=130)
    assert len(sweep.samples.blocks()) == 6
    opened: list[str] = []
    plain = FsspecStore.open

    def counted(self: FsspecStore, key: str) -> Any:
        opened.append(key)
        return plain(self, key)

    stored = find(store, sweep.samples.identity.name)
    monkeypatch.setattr(FsspecStore, "open", counted)
    rows = list(select(store, stored, stored.graded_by(None), problem=problem, index=129))
    assert [(row.sample.problem_id, row.sample.index) for row in rows] == [(problem, 129)]
    number = int(problem[-3:])
    assert len(opened) == (number // 16 + 1) + 2, "footers up to the problem, then one block and its verdicts"


def test_small_blocks_share_a_row_group_of_an_exported_file(store: FsspecStore, tmp_path: Path) -> None:
    sweep = fill(store, problems=100, k=2)
    assert len(sweep.samples.blocks()) == 7
    stored = find(store, sweep.samples.identity.name)
    assert export(annotated_blocks(store, stored, stored.graded_by(None)), tmp_path / "all.parquet") == 200
    assert pq.ParquetFile(tmp_path / "all.parquet").metadata.num_row_groups == 1
    ids = pd.read_parquet(tmp_path / "all.parquet")["problem_id"]
    assert list(ids) == [problem.id for problem in sweep.selection.problems for _ in range(2)]
