from pathlib import Path

import pytest

from tasks.datasets import Problem
from tasks.engines import Sample
from tasks.errors import InputError
from tasks.graders import Judgement, Verdict
from tasks.store import tables
from tasks.store.blocks import Block
from tasks.store.keys import Identity, sample_identity, verdict_identity
from tasks.store.objects import FsspecStore
from tasks.store.sets import SampleSet, VerdictSet, now
from tasks.store.tables import CorruptObjectError

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


def judge(verdicts: VerdictSet, samples: SampleSet, infrastructure: int = 0) -> None:
    read, footer = samples.read(BLOCK)
    reached = [Verdict.INFRASTRUCTURE] * infrastructure + [Verdict.CORRECT] * (len(read) - infrastructure)
    judgements = [Judgement(sample.problem_id, sample.index, each) for sample, each in zip(read, reached, strict=True)]
    verdicts.write(BLOCK, judgements, judged=footer.checksum, sandbox="none", seconds=0.1)


def test_samples_survive_storage_in_any_order(samples: SampleSet) -> None:
    samples.write(BLOCK, PROBLEMS, drawn()[::-1], "toy 1", 0.5)
    read, footer = samples.read(BLOCK)
    assert read == drawn()
    assert (footer.engine, footer.seconds, footer.tokens) == ("toy 1", 0.5, 18)
    assert samples.stored() == {BLOCK: footer}


def test_the_ingredients_lie_beside_the_samples(samples: SampleSet, store: FsspecStore) -> None:
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    assert b'"seed": 0' in store.read(f"samples/{IDENTITY.name}/set.json")


@pytest.mark.parametrize(
    "answer",
    [drawn()[:-1], drawn() + drawn()[:1], drawn()[:-1] + drawn()[:1], [*drawn()[:-1], Sample("p9", 0, "")]],
    ids=["one short", "one twice and more", "one twice", "a stranger"],
)
def test_an_engine_that_answers_nonsense_stores_nothing(samples: SampleSet, answer: list[Sample]) -> None:
    with pytest.raises(ValueError, match="not just the 12 asked for"):
        samples.write(BLOCK, PROBLEMS, answer, "toy 1", 0.5)
    assert samples.stored() == {}


def object_of(store: FsspecStore, kind: str) -> Path:
    (key,) = [key for key in store.keys(kind) if key.endswith(".parquet")]
    return Path(store.url(key))


@pytest.mark.parametrize("kind", ["samples", "verdicts"])
def test_a_torn_object_is_set_aside_and_owed_again(
    kind: str, samples: SampleSet, verdicts: VerdictSet, store: FsspecStore
) -> None:
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    judge(verdicts, samples)
    path = object_of(store, kind)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert (samples if kind == "samples" else verdicts).stored() == {}
    (damaged,) = store.keys("damaged")
    assert store.read(damaged) == whole[: len(whole) // 2]


def test_a_flipped_bit_is_refused(samples: SampleSet, store: FsspecStore) -> None:
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    path = object_of(store, "samples")
    whole = path.read_bytes()
    for position in range(10, 400, 13):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        try:
            assert samples.read(BLOCK)[0] == drawn(), "a bit outside of what is read may flip unseen"
        except CorruptObjectError:
            continue


def test_other_text_under_the_same_footer_is_refused(samples: SampleSet) -> None:
    footer = tables.SampleFooter(tables.checksum(drawn()), None, "toy", now(), 0.0)
    with pytest.raises(CorruptObjectError, match="checksum"):
        tables.read_samples(tables.write_samples(drawn(text="forged"), footer, "key"), "key")


def test_verdicts_on_other_samples_are_refused_and_owed(samples: SampleSet, verdicts: VerdictSet) -> None:
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    assert verdicts.owed(samples.stored()) == [BLOCK]
    judge(verdicts, samples)
    assert verdicts.owed(samples.stored()) == []
    samples.write(BLOCK, PROBLEMS, drawn(text="another"), "toy 1", 0.5)
    assert verdicts.owed(samples.stored()) == [BLOCK]
    with pytest.raises(CorruptObjectError, match="judges other samples"):
        verdicts.read(BLOCK, samples.stored()[BLOCK])


def test_what_no_sandbox_could_judge_is_owed_again(samples: SampleSet, verdicts: VerdictSet) -> None:
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    judge(verdicts, samples, infrastructure=1)
    assert verdicts.owed(samples.stored()) == [BLOCK]


def test_overlapping_blocks_are_named(samples: SampleSet) -> None:
    other = Block(3, 5, 0, 3)
    samples.write(BLOCK, PROBLEMS, drawn(), "toy 1", 0.5)
    samples.write(other, PROBLEMS, drawn(other), "toy 1", 0.5)
    with pytest.raises(InputError, match=r"i0000000-0000004.* and .*i0000003-0000005.* hold the same samples"):
        samples.stored()


def test_any_ingredient_changes_the_name() -> None:
    base = {"task": "t", "problems": "h", "engine": "onnx", "sampling": {"temperature": 0.6, "stop": ["a"]}}
    names = {sample_identity("x", **base).name}
    for change in ({"task": "u"}, {"problems": "i"}, {"sampling": {"temperature": 0.7, "stop": ["a"]}}, {"extra": 1}):
        names.add(sample_identity("x", **(base | change)).name)
    assert len(names) == 5
    assert sample_identity("x", **dict(reversed(base.items()))).name in names


def test_a_label_is_fit_for_a_key() -> None:
    assert Identity("a/b c:d", {}).name.startswith("a-b-c-d-")
