"""The formats are frozen: files that an earlier version wrote, and how readers meet older and newer ones."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.errors import UserError
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import catalog, find
from tasks.store.inspect.integrity import check
from tasks.store.inspect.query import annotated_blocks, select
from tasks.store.problems import read_problem, read_problems
from tasks.store.schema import SCHEMA, CorruptObjectError, Version
from tasks.store.sets import SampleSet, ScoreSet, VerdictSet
from tests.store import golden_sets as golden
from tests.store.golden_sets import AGENT, BLOCK, PLAIN

GOLDEN = Path(__file__).parent / "golden" / "1.0"
LAYOUTS = {
    "samples": ["problem_id", "index", "text", "prompt_tokens", "tokens", "logprob", "finish_reason"],
    "verdicts": ["problem_id", "index", "verdict", "detail", "cpu_s", "wall_s"],
    "scores": ["problem_id", "index", "score", "detail"],
}


@pytest.fixture
def store(tmp_path: Path) -> FsspecStore:
    """A copy of the golden sets, as tests change them."""
    shutil.copytree(GOLDEN, tmp_path / "runs")
    return FsspecStore(str(tmp_path / "runs"))


@pytest.fixture(params=["kept", "written now"])
def either(request: pytest.FixtureRequest, store: FsspecStore, tmp_path: Path) -> FsspecStore:
    """The golden sets as they are kept, and as this version writes them."""
    if request.param == "kept":
        return store
    fresh = FsspecStore(str(tmp_path / "fresh"))
    golden.write(fresh)
    assert fresh.keys("") == store.keys(""), "the names of sets and blocks have not changed"
    return fresh


def test_golden_sets_read_back_to_the_exact_values(either: FsspecStore):
    plain, agent = SampleSet(either, PLAIN), SampleSet(either, AGENT)
    assert plain.stored() == {BLOCK: golden.PLAIN_FOOTER}
    assert plain.read(BLOCK) == (golden.PLAIN_SAMPLES, golden.PLAIN_FOOTER)
    assert agent.read(BLOCK) == (golden.AGENT_SAMPLES, golden.AGENT_FOOTER)
    verdicts = VerdictSet(either, PLAIN, golden.VERDICTS)
    assert verdicts.read(BLOCK, golden.PLAIN_FOOTER) == (golden.GRADED, golden.VERDICT_FOOTER)
    of_agent = VerdictSet(either, AGENT, golden.AGENT_VERDICTS)
    assert of_agent.read(BLOCK, golden.AGENT_FOOTER) == (golden.AGENT_GRADED, golden.AGENT_VERDICT_FOOTER)
    scores = ScoreSet(either, PLAIN, golden.SCORES)
    assert scores.read(BLOCK, golden.PLAIN_FOOTER) == (golden.SCORED, golden.SCORE_FOOTER)
    assert verdicts.pending(plain.stored()) == scores.pending(plain.stored()) == [BLOCK], "one of each failed"
    assert of_agent.pending(agent.stored()) == []


def sets_of(schema: str, written_now: Callable[[FsspecStore], None] | None, folder: Path) -> FsspecStore:
    """The golden sets of a schema: the kept ones, or, in a new folder, as `written_now` writes them."""
    kept = FsspecStore(str(GOLDEN.parent / schema))
    if written_now is None:
        return kept
    store = FsspecStore(str(folder))
    written_now(store)
    assert store.keys("") == kept.keys(""), "the names of sets and blocks have not changed"
    return store


@pytest.mark.parametrize("written_now", [False, True], ids=["kept", "written now"])
def test_golden_sets_of_schema_1_1_read_back_to_the_exact_values(tmp_path: Path, written_now: bool):
    store = sets_of("1.1", golden.write_1_1 if written_now else None, tmp_path)
    samples = SampleSet(store, golden.GROWN)
    read, footer = samples.read(BLOCK)
    assert read == golden.GROWN_SAMPLES
    graded, _ = VerdictSet(store, golden.GROWN, golden.GROWN_VERDICTS).read(BLOCK, footer)
    assert graded == golden.GROWN_GRADED
    (found,) = catalog(store)
    assert [*check(store, found)] == []


@pytest.mark.parametrize("written_now", [False, True], ids=["kept", "written now"])
def test_golden_sets_of_schema_1_2_read_back_to_the_exact_values(tmp_path: Path, written_now: bool):
    store = sets_of("1.2", golden.write_1_2 if written_now else None, tmp_path)
    scores = ScoreSet(store, PLAIN, golden.COUNTED_SCORES)
    assert scores.read(BLOCK, golden.PLAIN_FOOTER) == (golden.SCORED, golden.COUNTED_FOOTER)
    (found,) = catalog(store)
    assert [*check(store, found)] == []


@pytest.mark.parametrize("written_now", [False, True], ids=["kept", "written now"])
def test_golden_problems_of_schema_1_3_read_back_to_the_exact_values(tmp_path: Path, written_now: bool):
    store = sets_of("1.3", golden.write_1_3 if written_now else None, tmp_path)
    (found,) = catalog(store)
    assert [each for _, some in read_problems(store, found.name) for each in some] == golden.ASKED_PROBLEMS
    assert [*check(store, found)] == []
    assert read_problem(store, PLAIN.name, 0) is None, "older sets have none"


@pytest.mark.parametrize("written_now", [False, True], ids=["kept", "written now"])
def test_golden_sets_of_schema_1_4_read_back_to_the_exact_values(tmp_path: Path, written_now: bool):
    store = sets_of("1.4", golden.write_1_4 if written_now else None, tmp_path)
    replies = ScoreSet(store, PLAIN, golden.REPLIED_SCORES).read_replies(BLOCK)
    assert replies == (golden.REPLIES, golden.REPLIED_FOOTER)
    (found,) = catalog(store)
    assert [*check(store, found)] == []


def test_scores_of_schema_1_0_do_not_say_what_scoring_used(either: FsspecStore):
    _, footer = ScoreSet(either, PLAIN, golden.SCORES).read(BLOCK, golden.PLAIN_FOOTER)
    assert (footer.prompt_tokens, footer.tokens, footer.context, footer.dollars) == (None,) * 4


def test_golden_sets_are_listed_checked_queried_and_exported(either: FsspecStore):
    agent, plain = catalog(either)
    assert (agent.name, plain.name) == ("agent-toy-1028f3990c35", "plain-toy-fa791747e8ce")
    assert [each.name for each in plain.annotations] == ["toy-v1-79af30502fe6", "reward-v1-b4f6e390b1bb"]
    assert plain.verdicts[0].counts == golden.COUNTS
    assert [*check(either, plain), *check(either, agent)] == []
    rows = list(select(either, plain, plain.graded_by(None)))
    assert [(row.sample, row.graded) for row in rows] == list(zip(golden.PLAIN_SAMPLES, golden.GRADED, strict=True))
    (table,) = annotated_blocks(either, agent, agent.graded_by(None))
    assert table["cached_prompt_tokens"].to_pylist() == [64, None, 0, None, None, None]
    assert json.loads(table["turns"][0].as_py())[2] == {"role": "tool", "content": "a.py ∑", "call_id": "call-1"}


def test_optional_columns_that_no_record_uses_are_not_stored(either: FsspecStore):
    def columns(key: str) -> list[str]:
        return list(pq.read_schema(either.url(key)).names)

    for key in (key for key in either.keys("") if key.endswith(".parquet")):
        kind, name = key.split("/")[:2]
        used = {
            ("samples", AGENT.name): ["cached_prompt_tokens", "turns"],
            ("verdicts", PLAIN.name): ["answer", "artifact"],
        }
        assert columns(key) == [*LAYOUTS[kind], *used.get((kind, name), [])]


def rewrite(
    store: FsspecStore,
    key: str,
    footer: Callable[[dict[str, Any]], dict[str, Any]],
    table: Callable[[pa.Table], pa.Table] = lambda table: table,
) -> None:
    """Change an object's footer and columns."""
    path = store.url(key)
    found = pq.read_table(path)
    about = footer(json.loads(found.schema.metadata[b"monkeys"]))
    changed = table(found).replace_schema_metadata({b"monkeys": json.dumps(about).encode()})
    pq.write_table(changed, path, row_group_size=3 if key.startswith("samples") else 6)


def objects(store: FsspecStore) -> list[str]:
    return [key for key in store.keys("") if key.endswith(".parquet")]


def read_all(store: FsspecStore) -> list[list[Any]]:
    return [
        SampleSet(store, PLAIN).read(BLOCK)[0],
        SampleSet(store, AGENT).read(BLOCK)[0],
        VerdictSet(store, PLAIN, golden.VERDICTS).read(BLOCK, golden.PLAIN_FOOTER)[0],
        VerdictSet(store, AGENT, golden.AGENT_VERDICTS).read(BLOCK, golden.AGENT_FOOTER)[0],
        ScoreSet(store, PLAIN, golden.SCORES).read(BLOCK, golden.PLAIN_FOOTER)[0],
    ]


EVERYTHING = [
    golden.PLAIN_SAMPLES,
    golden.AGENT_SAMPLES,
    golden.GRADED,
    golden.AGENT_GRADED,
    golden.SCORED,
]


def test_a_newer_major_version_is_refused_in_one_line_and_stays(store: FsspecStore):
    for key in objects(store):
        rewrite(store, key, lambda about: about | {"schema": "2.0", "what": "is unknown"})
    before = store.sizes("")
    uses = [
        SampleSet(store, PLAIN).stored,
        VerdictSet(store, PLAIN, golden.VERDICTS).stored,
        ScoreSet(store, PLAIN, golden.SCORES).stored,
        lambda: SampleSet(store, AGENT).read(BLOCK),
        lambda: find(store, PLAIN.name),
    ]
    for use in uses:
        with pytest.raises(UserError, match=r"^store: \S+.parquet has schema 2\.0, written by a newer .*: upgrade it$"):
            use()
    assert store.sizes("") == before


def newer(table: pa.Table) -> pa.Table:
    """With a nullable column, and a field of turns, that this version does not know."""
    if "turns" in table.column_names:
        turns = [None if each is None else json.loads(each) for each in table["turns"].to_pylist()]
        for each in (turn for turns_of_sample in turns if turns_of_sample for turn in turns_of_sample):
            each["mood"] = "good"
        at = table.column_names.index("turns")
        table = table.set_column(at, "turns", pa.array([None if each is None else json.dumps(each) for each in turns]))
    return table.append_column(pa.field("weather", pa.string()), [["sun", *[None] * (table.num_rows - 1)]])


def test_what_a_newer_minor_version_added_is_ignored(store: FsspecStore):
    for key in objects(store):
        change = newer if key != f"samples/{AGENT.name}/{BLOCK.key}" else newer_without_turns
        rewrite(store, key, lambda about: about | {"schema": "1.7", "weather": {"sun": 1}}, change)
    assert read_all(store) == EVERYTHING
    assert [finding for each in catalog(store) for finding in check(store, each)] == []
    assert list(SampleSet(store, PLAIN).stored()) == [BLOCK]


def newer_without_turns(table: pa.Table) -> pa.Table:
    """The checksum covers turns: they stay as they are."""
    return table.append_column(pa.field("weather", pa.string()), pa.nulls(table.num_rows, pa.string()))


def test_unknown_fields_of_a_turn_are_ignored(store: FsspecStore):
    from tasks.store.sample_layout import decode_turns

    (table,) = [pq.read_table(store.url(key)) for key in objects(store) if f"samples/{AGENT.name}" in key]
    decoded = [decode_turns(text) for text in newer(table)["turns"].to_pylist()]
    assert decoded == [sample.turns for sample in golden.AGENT_SAMPLES]


def test_the_same_version_may_not_have_other_columns_or_fields(store: FsspecStore):
    key = f"samples/{PLAIN.name}/{BLOCK.key}"
    rewrite(store, key, lambda about: about, newer)
    with pytest.raises(CorruptObjectError, match=r"columns are not those of schema 1\.0"):
        SampleSet(store, PLAIN).read(BLOCK)
    rewrite(store, key, lambda about: about | {"weather": 1}, lambda table: table.drop_columns(["weather"]))
    with pytest.raises(CorruptObjectError, match=r"fields of its footer are not those of schema 1\.0"):
        SampleSet(store, PLAIN).read(BLOCK)


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_required_column_may_not_be_absent(store: FsspecStore, kind: str):
    (key,) = [key for key in objects(store) if key.startswith(f"{kind}/{PLAIN.name}/")]
    rewrite(store, key, lambda about: about | {"schema": "1.7"}, lambda table: table.drop_columns(LAYOUTS[kind][-1:]))
    (found,) = [each for each in catalog(store) if each.name == PLAIN.name]
    assert any(finding.where == key and "columns" in finding.what for finding in check(store, found))


def test_what_an_older_minor_version_did_not_have_is_read_as_unknown(
    store: FsspecStore, monkeypatch: pytest.MonkeyPatch
):
    """As the version after this one reads what this one wrote."""
    for key in objects(store):
        rewrite(
            store,
            key,
            lambda about: {name: value for name, value in about.items() if name != "reproducible"},
            lambda table: table.drop_columns([name for name in ("answer", "artifact") if name in table.column_names]),
        )
    monkeypatch.setattr("tasks.store.parquet.SCHEMA", Version(SCHEMA.major, SCHEMA.minor + 1))
    assert SampleSet(store, PLAIN).stored()[BLOCK].reproducible is None
    assert SampleSet(store, PLAIN).read(BLOCK)[0] == golden.PLAIN_SAMPLES
    graded, _ = VerdictSet(store, PLAIN, golden.VERDICTS).read(BLOCK, golden.PLAIN_FOOTER)
    assert {(each.answer, each.artifact) for each in graded} == {(None, None)}
    assert [each.verdict for each in graded] == [each.verdict for each in golden.GRADED]


def test_turns_are_part_of_the_checksum(store: FsspecStore):
    def forged(table: pa.Table) -> pa.Table:
        at = table.column_names.index("turns")
        texts = [
            None if text is None else text.replace("I look first", "I look last") for text in table["turns"].to_pylist()
        ]
        return table.set_column(at, "turns", pa.array(texts))

    rewrite(store, f"samples/{AGENT.name}/{BLOCK.key}", lambda about: about, forged)
    with pytest.raises(CorruptObjectError, match="checksum"):
        SampleSet(store, AGENT).read(BLOCK)


@pytest.mark.parametrize("schema", [None, 1, "1", "one", "1.0.0", "1.x", [1, 0]])
def test_a_footer_without_a_schema_version_is_damage(store: FsspecStore, schema: object):
    rewrite(store, f"samples/{PLAIN.name}/{BLOCK.key}", lambda about: about | {"schema": schema})
    with pytest.raises(CorruptObjectError, match="names no schema version"):
        SampleSet(store, PLAIN).read(BLOCK)
