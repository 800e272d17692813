"""Whatever lies under a set's prefix: every command ends in a result or in one line that names the object, what is
damaged is set aside, and running the sweep again does it again."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.config.regrade import RegradeConfig
from flows.setup.regrade import compare_verdicts, prepare
from tasks.errors import UserError
from tasks.store.inspect.catalog import find
from tasks.store.inspect.counts import counts
from tasks.store.schema import CorruptObjectError
from tests.store import damage
from tests.store.damage import footer_of, rewritten, with_checksum
from tests.store.damaged_store import (
    CHECK,
    EXPORT,
    LS,
    PROBLEMS,
    SHOW,
    K,
    Pristine,
    Store,
    assert_whole,
    ends_well,
    until_whole,
)


@pytest.fixture
def store(pristine: Pristine, tmp_path: Path) -> Store:
    shutil.copytree(pristine.folder, tmp_path / "runs")
    return Store(tmp_path / "runs", pristine.name)


Change = Callable[[bytes], bytes]


def in_footer(**fields: Any) -> Change:
    return lambda data: rewritten(data, footer_of(data) | fields)


def raw_footer(footer: bytes) -> Change:
    return lambda data: rewritten(data, footer)


def in_rows(change: Callable[[pa.Table], pa.Table]) -> Change:
    return lambda data: rewritten(data, table=change(pq.read_table(io.BytesIO(data))))


def column(name: str, values: Any, type_: pa.DataType | None = None) -> Change:
    """A column with other values: a list, or one for every row."""

    def change(table: pa.Table) -> pa.Table:
        at = table.column_names.index(name)
        given = values if isinstance(values, list) else [values] * table.num_rows
        kind = table.schema.types[at] if type_ is None else type_
        return table.set_column(at, pa.field(name, kind), pa.array(given, kind))

    return in_rows(change)


def then(first: Change, second: Change) -> Change:
    return lambda data: second(first(data))


def first_row(name: str, value: Any) -> Change:
    def change(table: pa.Table) -> pa.Table:
        at = table.column_names.index(name)
        values = [value, *table[name].to_pylist()[1:]]
        return table.set_column(at, pa.field(name, table.schema.types[at]), pa.array(values, table.schema.types[at]))

    return in_rows(change)


def swapped(table: pa.Table) -> pa.Table:
    return table.take([1, 0, *range(2, table.num_rows)])


def other_problem(table: pa.Table) -> pa.Table:
    at = table.column_names.index("problem_id")
    values = ["stranger" if each == "arithmetic/000" else each for each in table["problem_id"].to_pylist()]
    return table.set_column(at, "problem_id", pa.array(values))


OF_SAMPLES: dict[str, Change] = {
    "engine is null": in_footer(engine=None),
    "engine is a list": in_footer(engine=["a"]),
    "engine is a number": in_footer(engine=3),
    "engine is half a character": raw_footer(b'{"schema": "1.0", "engine": "\\ud800"}'),
    "time is null": in_footer(drawn_at=None),
    "time is a number": in_footer(drawn_at=5),
    "time is not a time": in_footer(drawn_at="yesterday"),
    "time without a zone": in_footer(drawn_at="2026-11-29T08:00:00"),
    "time before all times": in_footer(drawn_at="0001-01-01T00:00:00+00:00"),
    "seconds are text": in_footer(seconds="1"),
    "seconds are not a number": in_footer(seconds=float("nan")),
    "seconds without end": in_footer(seconds=1e300),
    "seconds below zero": in_footer(seconds=-1.0),
    "tokens are a list": in_footer(tokens=[1]),
    "tokens below zero": in_footer(tokens=-1),
    "tokens are true": in_footer(tokens=True),
    "checksum is null": in_footer(checksum=None),
    "checksum is another": in_footer(checksum="0" * 64),
    "reproducible is text": in_footer(reproducible="yes"),
    "schema has too many digits": in_footer(schema=f"1.{'9' * 5_000}"),
    "footer is a list": raw_footer(b"[1, 2]"),
    "footer is a list of pairs": raw_footer(b'[["schema", "1.0"]]'),
    "footer is not UTF-8": raw_footer(b"\xff\xfe"),
    "footer is too deep": raw_footer(damage.NESTED.encode()),
    "footer is empty": raw_footer(b""),
    "text is null": column("text", None),
    "one text is null": first_row("text", None),
    "text is bytes": column("text", b"x", pa.binary()),
    "text is a list": column("text", [["x"]] * 48, pa.list_(pa.string())),
    "index is text": column("index", "0", pa.string()),
    "index is long": column("index", 0, pa.int64()),
    "index is null": then(column("index", None), with_checksum),
    "index is another": then(first_row("index", 7), with_checksum),
    "index below zero": then(first_row("index", -1), with_checksum),
    "a sample twice": then(first_row("index", 1), with_checksum),
    "samples in another order": then(in_rows(swapped), with_checksum),
    "another problem": then(in_rows(other_problem), with_checksum),
    "all of one problem": then(column("problem_id", "arithmetic/000"), with_checksum),
    "fewer rows": then(in_rows(lambda table: table.slice(0, 2)), with_checksum),
    "no rows": in_rows(lambda table: table.slice(0, 0)),
    "a column twice": in_rows(lambda table: table.append_column("text", table["text"])),
    "an unknown column": in_rows(lambda table: table.append_column("mood", table["text"])),
    "turns are not JSON": then(
        in_rows(lambda table: table.append_column("turns", pa.array(["{"] * table.num_rows))), with_checksum
    ),
    "turns of nothing": then(
        in_rows(lambda table: table.append_column("turns", pa.array(['[{"role": null}]'] * table.num_rows))),
        with_checksum,
    ),
}
OF_VERDICTS: dict[str, Change] = {
    "counts are null": in_footer(counts=None),
    "counts are a list": in_footer(counts=[1]),
    "counts have null": in_footer(counts={"correct": None}),
    "counts below zero": in_footer(counts={"correct": 99, "wrong": -51}),
    "counts of too many": in_footer(counts={"correct": 10_000}),
    "counts of other rows": in_footer(counts={"correct": 47, "wrong": 1}),
    "counts of an unknown verdict": in_footer(counts={"splendid": 48}),
    "sandbox is null": in_footer(made_by=None),
    "time is null": in_footer(written_at=None),
    "samples are null": in_footer(samples_checksum=None),
    "an unknown verdict": column("verdict", "splendid"),
    "one unknown verdict": first_row("verdict", "splendid"),
    "verdict is null": first_row("verdict", None),
    "verdict is a number": column("verdict", 1, pa.int32()),
    "detail is null": column("detail", None),
    "seconds are text": column("cpu_s", "1", pa.string()),
    "seconds are null": first_row("cpu_s", None),
    "a sample twice": first_row("index", 1),
    "samples in another order": in_rows(swapped),
    "another problem": in_rows(other_problem),
    "no verdict column": in_rows(lambda table: table.drop_columns(["verdict"])),
    "footer is too deep": raw_footer(damage.NESTED.encode()),
}

QUICK = {"engine is null", "time is not a time", "footer is too deep", "one text is null", "a sample twice"} | {
    "another problem",
    "counts are null",
    "counts of other rows",
    "an unknown verdict",
}
PLAUSIBLE = {OF_SAMPLES["another problem"], OF_VERDICTS["samples are null"]}
"""What only a look at the dataset, or at other objects, reveals."""


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        pytest.param(kind, change, id=f"{kind}: {name}", marks=() if name in QUICK else pytest.mark.slow)
        for kind, changes in (("samples", OF_SAMPLES), ("verdicts", OF_VERDICTS))
        for name, change in changes.items()
    ],
)
def test_a_block_that_is_not_what_it_should_be_is_named_set_aside_and_done_again(
    kind: str, change: Change, store: Store
) -> None:
    sweep = store.sweep
    of = sweep.samples if kind == "samples" else sweep.grading.verdicts
    path = Path(of.url(sweep.samples.blocks()[0]))
    path.write_bytes(change(path.read_bytes()))
    before = store.contents()
    for command in (CHECK, EXPORT):
        said = ends_well(store.folder, store.name, command)
        if command == CHECK or change not in PLAUSIBLE:
            assert path.name in said
    assert store.contents() == before, "they only read"
    damaged = path.read_bytes()
    until_whole(store)
    assert_whole(store)
    (kept,) = store.opened.keys("damaged")
    assert kept.endswith(path.name)
    assert f"/{kind}/" in kept
    assert store.opened.read(kept) == damaged


def test_a_document_that_is_not_ingredients_ends_no_command(store: Store) -> None:
    path = store.folder / "samples" / store.name / "set.json"
    good = path.read_bytes()
    for data in (b"", b"[]", b"\xff", damage.NESTED.encode(), b'{"limits": 3}', b'{"schema": true}'):
        path.write_bytes(data)
        for command in (LS, SHOW, CHECK, ("gc",)):
            ends_well(store.folder, store.name, command)
    until_whole(store)
    assert json.loads(path.read_bytes()) == json.loads(good)
    verdicts = store.folder / "verdicts" / store.name / store.sweep.grading.verdicts.identity.name / "set.json"
    for limits in (None, 3, [1], {"time_limit_s": None}):
        verdicts.write_bytes(json.dumps({"limits": limits}).encode())
        for command in (LS, SHOW, ("show", "NAME", "--json")):
            ends_well(store.folder, store.name, command)


STRAYS = [
    "samples/NAME/README",
    "samples/NAME/p0-16/i0-100.parquet",
    "samples/NAME/old/p00000-00016/i0000000-0000003.parquet",
    "samples/NAME/p00000-99999/i0000000-0000003.parquet",
    "samples/NAME/p00000-00016/i0000000-9999999.parquet",
    "samples/NAME/p00000-00016/i0000003-0000003.parquet",
    "samples/README",
    "samples/a\nb/p00000-00016/i0000000-0000003.parquet",
    "samples/\x1b[2J/set.json",
    "samples/\udcff/set.json",
    "verdicts/NAME/README",
    "verdicts/NAME/x/p00000-00016/i0000000-0000003.parquet",
    "scores/NAME/\u202e/set.json",
    "claims/NAME/README",
    "reports/NAME/summary.json",
    "damaged/now",
]


@pytest.mark.slow
@pytest.mark.parametrize("stray", STRAYS, ids=ascii)
def test_what_is_not_an_object_of_ours_counts_for_nothing(stray: str, store: Store) -> None:
    source = store.sweep.samples.blocks()[0]
    data = Path(store.sweep.samples.url(source)).read_bytes()
    before = find(store.opened, store.name)
    store.opened.write(stray.replace("NAME", store.name), data)
    assert store.sweep.samples.blocks() == list(before.objects.footers)
    for command in (LS, SHOW, CHECK, ("gc",), EXPORT):
        ends_well(store.folder, store.name, command)
    assert until_whole(store) == []
    after = find(store.opened, store.name)
    assert (after.samples, after.by_problem) == (before.samples, before.by_problem)
    Path(store.sweep.samples.url(source)).unlink()
    until_whole(store)
    assert_whole(store)


def test_a_damaged_summary_is_named_and_the_next_sweep_replaces_it(store: Store) -> None:
    verdicts = find(store.opened, store.name).graded_by("final")
    assert verdicts is not None
    path = store.folder / "reports" / store.name / verdicts.name / "summary.json"
    good = json.loads(path.read_bytes())
    others = (None, [{"problem_id": "a", "n": 1, "c": 2}], [{"problem_id": "a", "n": 2**80, "c": 1}])
    changed = [json.dumps(good | {"problems": problems}).encode() for problems in others]
    samples = find(store.opened, store.name)
    for data in (b"", b"{", b"[]", b"\xff", damage.NESTED.encode(), *changed):
        path.write_bytes(data)
        with pytest.raises(UserError, match=r"summary\.json is damaged, or another version's; run") as caught:
            counts(store.opened, samples, verdicts)
        assert "\n" not in str(caught.value)
    path.write_bytes(json.dumps(good).encode())
    assert counts(store.opened, samples, verdicts).n.sum() == PROBLEMS * K


def test_regrading_names_damaged_verdicts_and_grades_them_again(store: Store) -> None:
    config = RegradeConfig.model_validate({"samples": store.name, "dataset": "arithmetic", "store": str(store.folder)})
    path = Path(store.sweep.grading.verdicts.url(store.sweep.samples.blocks()[0]))
    good = path.read_bytes()
    for change in (
        OF_VERDICTS["one unknown verdict"],
        OF_VERDICTS["a sample twice"],
        OF_VERDICTS["counts of other rows"],
    ):
        path.write_bytes(change(good))
        with pytest.raises(CorruptObjectError, match=f"{path.name} is damaged"):
            compare_verdicts(config, prepare(config))
        until_whole(store)
        assert compare_verdicts(config, prepare(config)).difference is not None
