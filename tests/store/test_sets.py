import errno
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tasks.errors import UserError
from tasks.records import GradedSample, Problem, Sample, Verdict
from tasks.store import parquet
from tasks.store.blocks import Block
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import Identity, sample_identity, verdict_identity
from tasks.store.sample_layout import LAYOUT, SampleFooter
from tasks.store.samples import checksum, read_samples
from tasks.store.schema import CorruptObjectError, Version
from tasks.store.sets import SampleSet, VerdictSet, now
from tasks.store.tables import count_verdicts
from tests.store.stored import draw, sweep_of
from tests.store.stored import grade as grade_all

PROBLEMS = [Problem(f"p{number}", "?") for number in range(3)]
BLOCK = Block(0, 4, 0, 3)
IDENTITY = sample_identity("toy", seed=0)


def drawn(block: Block = BLOCK, text: str = "text") -> list[Sample]:
    return [
        Sample(problem.id, index, f"{text} {index} ∑", 3, index, -0.5 * index, "stop")
        for problem in PROBLEMS[block.first : block.last]
        for index in range(block.start, block.stop)
    ]


@pytest.fixture
def store(tmp_path: Path) -> FsspecStore:
    return FsspecStore(str(tmp_path))


@pytest.fixture
def samples(store: FsspecStore) -> SampleSet:
    return SampleSet(store, IDENTITY)


@pytest.fixture
def verdicts(store: FsspecStore) -> VerdictSet:
    return VerdictSet(store, IDENTITY, verdict_identity(IDENTITY, "toy", 1, {}))


def grade(verdicts: VerdictSet, samples: SampleSet, infrastructure: int = 0) -> None:
    read, footer = samples.read(BLOCK)
    reached = [Verdict.INFRASTRUCTURE] * infrastructure + [Verdict.CORRECT] * (len(read) - infrastructure)
    graded_samples = [
        GradedSample(sample.problem_id, sample.index, each) for sample, each in zip(read, reached, strict=True)
    ]
    verdicts.write(BLOCK, graded_samples, samples_checksum=footer.checksum, made_by="none", seconds=0.1)


def test_stored_samples_read_back_in_order_whatever_order_they_were_drawn_in(samples: SampleSet) -> None:
    samples.write(BLOCK, PROBLEMS, drawn()[::-1], "toy 1", 0.5)
    read, footer = samples.read(BLOCK)
    assert read == drawn()
    assert (footer.engine, footer.seconds, footer.tokens) == ("toy 1", 0.5, 18)
    assert samples.stored() == {BLOCK: footer}


def test_the_ingredients_are_stored_with_the_samples(samples: SampleSet, store: FsspecStore) -> None:
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    assert b'"seed": 0' in store.read(f"samples/{IDENTITY.name}/set.json")


class CountingStore(FsspecStore):
    """A store that keeps the keys written to it, in order."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.written: list[str] = []

    def write(self, key: str, data: bytes) -> None:
        super().write(key, data)
        self.written.append(key)


def test_a_process_writes_the_ingredients_of_a_set_once_and_before_its_first_block(tmp_path: Path) -> None:
    store = CountingStore(str(tmp_path))
    for process in range(2):
        sweep = sweep_of(store, problems=20, k=100 * (process + 1) + 20)
        draw(sweep)
        grade_all(sweep)
        names = sweep.samples.identity.name, sweep.grading.verdicts.identity.name
        for prefix in (f"samples/{names[0]}", f"verdicts/{names[0]}/{names[1]}"):
            of_set = [key for key in store.written if key.startswith(f"{prefix}/")]
            assert len(of_set) > 2
            assert [at for at, key in enumerate(of_set) if key.endswith("/set.json")] == [0]
        store.written.clear()


@pytest.mark.parametrize(
    "answer",
    [drawn()[:-1], drawn() + drawn()[:1], drawn()[:-1] + drawn()[:1], [*drawn()[:-1], Sample("p9", 0, "")]],
    ids=["one short", "one twice and more", "one twice", "a stranger"],
)
def test_samples_other_than_those_asked_for_are_not_stored(samples: SampleSet, answer: list[Sample]) -> None:
    with pytest.raises(ValueError, match="not just the 12 asked for"):
        samples.write(BLOCK, PROBLEMS, answer, "toy 1", 0.5)
    assert samples.stored() == {}


def object_of(store: FsspecStore, kind: str) -> Path:
    (key,) = [key for key in store.keys(kind) if key.endswith(".parquet")]
    return Path(store.url(key))


@pytest.mark.parametrize("kind", ["samples", "verdicts"])
def test_a_torn_object_is_quarantined(kind: str, samples: SampleSet, verdicts: VerdictSet, store: FsspecStore) -> None:
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    grade(verdicts, samples)
    path = object_of(store, kind)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert (samples if kind == "samples" else verdicts).stored() == {}
    (damaged,) = store.keys("damaged")
    assert store.read(damaged) == whole[: len(whole) // 2]


def test_a_block_with_a_flipped_bit_is_refused(samples: SampleSet, store: FsspecStore) -> None:
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    path = object_of(store, "samples")
    whole = path.read_bytes()
    for position in range(10, 400, 13):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        try:
            assert samples.read(BLOCK)[0] == drawn(), "a bit outside of what is read may flip unseen"
        except CorruptObjectError:
            continue


def test_a_block_with_other_texts_under_the_same_footer_is_refused(samples: SampleSet) -> None:
    footer = SampleFooter(checksum(LAYOUT.to_table(drawn())), None, "toy", now(), 0.0)
    forged = LAYOUT.write(LAYOUT.to_table(drawn(text="forged")), footer, "key", rows_per_group=4)
    with pytest.raises(CorruptObjectError, match="checksum"):
        read_samples(forged, "key")


def test_verdicts_on_other_samples_are_refused_and_pending(samples: SampleSet, verdicts: VerdictSet) -> None:
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    assert verdicts.pending(samples.stored()) == [BLOCK]
    grade(verdicts, samples)
    assert verdicts.pending(samples.stored()) == []
    samples.write(BLOCK, PROBLEMS, drawn(text="another"), "toy 1", 0.5)
    assert verdicts.pending(samples.stored()) == [BLOCK]
    with pytest.raises(CorruptObjectError, match="has verdicts on other samples"):
        verdicts.read(BLOCK, samples.stored()[BLOCK])


def test_a_block_with_infrastructure_failures_is_pending(samples: SampleSet, verdicts: VerdictSet) -> None:
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    grade(verdicts, samples, infrastructure=1)
    assert verdicts.pending(samples.stored()) == [BLOCK]


def test_overlapping_blocks_are_named(samples: SampleSet) -> None:
    other = Block(3, 5, 0, 3)
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    samples.write(other, PROBLEMS, drawn(other), "toy 1", 0.5)
    with pytest.raises(UserError, match=r"i0000000-0000004.* and .*i0000003-0000005.* hold the same samples"):
        samples.stored()


def test_any_other_ingredient_gives_another_name() -> None:
    base = {"dataset": "t", "problems": "h", "engine": "onnx", "sampling": {"temperature": 0.6, "stop": ["a"]}}
    names = {sample_identity("x", **base).name}
    for change in (
        {"dataset": "u"},
        {"problems": "i"},
        {"sampling": {"temperature": 0.7, "stop": ["a"]}},
        {"extra": 1},
    ):
        names.add(sample_identity("x", **(base | change)).name)
    assert len(names) == 5
    assert sample_identity("x", **dict(reversed(base.items()))).name in names


def test_a_label_becomes_part_of_a_key() -> None:
    assert Identity("a/b c:d", {}).name.startswith("a-b-c-d-")


def test_an_object_of_another_set_is_quarantined(samples: SampleSet, store: FsspecStore) -> None:
    other = SampleSet(store, sample_identity("toy", seed=1))
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    other.write(BLOCK, PROBLEMS, drawn(text="another"), "toy 1", 0.5)
    Path(samples.url(BLOCK)).write_bytes(Path(other.url(BLOCK)).read_bytes())
    with pytest.raises(CorruptObjectError, match="written under another key"):
        samples.read(BLOCK)
    assert samples.stored() == {}
    assert list(other.stored()) == [BLOCK]
    (damaged,) = store.keys("damaged")
    assert damaged.endswith(f"samples/{IDENTITY.name}/{BLOCK.key}")


def test_an_object_of_a_newer_schema_is_refused_in_one_line_and_stays(
    samples: SampleSet, store: FsspecStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "SCHEMA", Version(2, 0))
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 2", 0.5)
    monkeypatch.undo()
    before = store.sizes("")
    for use in (samples.stored, lambda: samples.read(BLOCK)):
        with pytest.raises(UserError, match=r"^store: samples/.*parquet has schema 2.0, written by a newer .*$"):
            use()
    assert store.sizes("") == before


class Unreadable(BytesIO):
    """A file whose connection is lost once it is open."""

    def read(self, _: int | None = -1, /) -> bytes:
        raise OSError(errno.EIO, "connection lost")


class UnreachableStore(FsspecStore):
    """Lists what is there, and then cannot fetch it."""

    def open(self, key: str) -> BinaryIO:
        with super().open(key) as file:
            return Unreadable(file.read())


def test_what_cannot_be_fetched_is_not_damaged(samples: SampleSet, store: FsspecStore, tmp_path: Path) -> None:
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    with pytest.raises(OSError, match="connection lost"):
        SampleSet(UnreachableStore(str(tmp_path)), IDENTITY).stored()
    assert list(samples.stored()) == [BLOCK]
    assert store.keys("damaged") == []


def test_columns_of_verdicts_are_those_of_the_graded_samples(samples: SampleSet, verdicts: VerdictSet) -> None:
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    grade(verdicts, samples, infrastructure=5)
    footer = samples.stored()[BLOCK]
    graded_samples, of_block = verdicts.read(BLOCK, footer)
    table, same = verdicts.columns(BLOCK, footer, ("problem_id", "index", "verdict"))
    assert same == of_block
    assert of_block.counts == {"correct": 7, "infrastructure": 5}
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (each.problem_id, each.index, each.verdict) for each in graded_samples
    ]
    assert count_verdicts(table, below=2) == {
        ("p0", "infrastructure"): 2,
        ("p1", "correct"): 1,
        ("p1", "infrastructure"): 1,
        ("p2", "correct"): 2,
    }
    samples.write(BLOCK, PROBLEMS, drawn(text="another"), "toy 1", 0.5)
    with pytest.raises(CorruptObjectError, match="has verdicts on other samples"):
        verdicts.columns(BLOCK, samples.stored()[BLOCK], ("verdict",))


@pytest.mark.parametrize("texts", [["", "", ""], ["a", "", "bc"], ["ab", "c", ""], ["∑", "é", "\x00"]])
def test_other_texts_or_other_cuts_between_texts_give_another_checksum(texts: list[str]) -> None:
    def of(texts: list[str], problem: str = "p", start: int = 0) -> str:
        return checksum(LAYOUT.to_table([Sample(problem, start + index, text) for index, text in enumerate(texts)]))

    same = of(texts)
    others = [
        of([*texts, ""]),
        of(texts[:-1]),
        of(texts, problem="q"),
        of(texts, start=1),
        of([*texts[1:], texts[0] + "x"]),
        of([*texts, "".join(texts)]),
    ]
    assert same == of(list(texts))
    assert same not in others
    assert of(["ab", "c"]) != of(["a", "bc"])


@pytest.fixture(params=["local", "memory", "s3"])
def many(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[SampleSet, list[Block]]:
    """A set on some back end with empty objects for blocks of various widths around powers of ten."""
    urls = {"local": lambda: str(tmp_path), "memory": lambda: f"memory://{tmp_path.name}"}
    url = f"s3://{request.getfixturevalue('s3').new_bucket()}/runs" if request.param == "s3" else urls[request.param]()
    samples = SampleSet(FsspecStore(url), IDENTITY)
    firsts = [(0, 16), (16, 20), (20, 21), (21, 32), (96, 112), (112, 116), (9_984, 10_000), (99_984, 99_999)]
    firsts += [(99_999, 100_000), (100_000, 100_016), (1_000_000, 1_000_016)]
    blocks = [Block(start, start + 100, *each) for each in firsts for start in (0, 1_000)]
    for block in blocks:
        samples.store.write(f"samples/{IDENTITY.name}/{block.key}", b"")
    return samples, blocks


def test_blocks_near_are_all_that_hold_samples_of_the_same_problems(many: tuple[SampleSet, list[Block]]) -> None:
    samples, blocks = many
    for first, last in [
        (0, 16),
        (17, 19),
        (20, 32),
        (100, 101),
        (9_999, 10_000),
        (99_990, 100_000),
        (100_008, 100_016),
    ]:
        near = samples.blocks_near(Block(0, 100, first, last))
        assert set(near) <= set(blocks)
        assert {each for each in blocks if each.first < last and each.last > first} <= set(near)
    assert samples.blocks_near(Block(0, 100, 500_000, 500_016)) == []


def test_looking_for_one_block_does_not_list_a_large_set(
    tmp_path: Path, samples: SampleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(0, 20_000, 16):
        key = tmp_path / "samples" / IDENTITY.name / Block(0, 100, at, at + 16).key
        key.parent.mkdir(parents=True)
        key.touch()
    listed: list[str] = []
    find = FsspecStore._find

    def noted(store: FsspecStore, folder: str) -> dict[str, Any]:
        found = find(store, folder)
        listed.extend(found)
        return found

    monkeypatch.setattr(FsspecStore, "_find", noted)
    assert len(samples.blocks()) == len(listed) == 1_250
    listed.clear()
    assert samples.blocks_near(Block(0, 100, 16_000, 16_016)) != []
    assert len(listed) < 20
