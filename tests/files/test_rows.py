"""One reader for every file of rows: the formats, and one message for each fault, whoever reads."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from tasks.audit.labelled import labelled
from tasks.batch_grading.inputs import check_samples
from tasks.engines.recorded import RecordedConfig
from tasks.errors import UserError
from tasks.files.rows import read_rows, rows
from tasks.files.schema import RowModel
from tasks.importers.plain import Plain
from tasks.records import Problem, StdioCheck, StdioTest
from tests.datasets.files import written

SAMPLE = '{"problem_id": "a", "index": 0, "text": "x", "correct": true}\n'
PROBLEMS = {"a": Problem("a", "", StdioCheck((StdioTest("", ""),)))}


class Row(RowModel):
    text: str
    count: int | None = None
    share: float | None = None
    correct: bool | None = None


class AnyText(Row):
    unicode: ClassVar[bool] = False


def read(path: Path, model: type[Row] = Row) -> list[Row]:
    return [row for _, row in read_rows(path, model, '{"text": "..."}')]


@pytest.mark.parametrize("name", ["r.jsonl", "r.json", "r.csv", "r.parquet", "r.jsonl.gz", "R.CSV", "r.unknown"])
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    expected = [
        Row(text='č, "b"\nd', count=7, share=0.5, correct=True),
        Row(text="", count=None, share=1.0, correct=False),
    ]
    values = [row.model_dump() for row in expected]
    if name.lower().endswith(".csv"):
        values = [{field: "" if value is None else value for field, value in row.items()} for row in values]
    path = Path(written(tmp_path / name.lower(), values)).rename(tmp_path / name)
    assert read(path) == expected
    unit = "row" if path.suffix in {".json", ".parquet"} else "line"
    assert [where.unit for where, _ in rows(path)] == [unit] * 2


def test_rows_keep_what_python_tools_write_and_strict_parsers_refuse(tmp_path: Path) -> None:
    deep = "[" * 500 + "]" * 500
    lines = ('\ufeff{"text": "a", "more": NaN}', f'{{"text": "b", "share": Infinity, "more": {deep}}}', '{"text": "c"}')
    (tmp_path / "r.jsonl").write_text("\r\n".join(lines))
    assert [(row.text, row.share) for row in read(tmp_path / "r.jsonl")] == [
        ("a", None),
        ("b", float("inf")),
        ("c", None),
    ]
    (tmp_path / "r.jsonl").write_text(f'{{"text": "a", "count": {2**70}}}')
    assert read(tmp_path / "r.jsonl")[0].count == 2**70


def test_a_lone_surrogate_is_refused_unless_the_model_takes_any_text(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"text": "\\ud800"}')
    with pytest.raises(UserError, match=r"line 1: text: is not valid Unicode \(a lone surrogate\)"):
        read(tmp_path / "r.jsonl")
    assert read(tmp_path / "r.jsonl", AnyText)[0].text == "\ud800"


@pytest.mark.parametrize(
    "turns",
    [
        '[{"role": "assistant", "content": "a\\ud800"}]',
        '[{"role": "assistant", "content": "", "calls": [{"name": "f", "arguments": "\\udfff"}]}]',
        '[{"role": "tool", "content": "", "call_id": "\\ud800"}]',
    ],
)
@pytest.mark.parametrize("name", ["s.jsonl", "s.csv", "s.parquet"])
def test_a_lone_surrogate_in_turns_is_refused_in_every_format(tmp_path: Path, name: str, turns: str) -> None:
    row = {"problem_id": "a", "index": 0, "text": "x", "turns": turns}
    path = tmp_path / name
    if name == "s.jsonl":
        path.write_text(json.dumps(row | {"turns": json.loads(turns)}))
    else:
        written(path, [row])
    with pytest.raises(UserError, match=r"(line|row) \d: turns: is not valid Unicode \(a lone surrogate\)$"):
        RecordedConfig(path=str(path)).check([*PROBLEMS.values()], 1)


def test_an_empty_cell_of_a_table_is_an_empty_text_or_no_value(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(',text,count\n0,,\n1,"",3\n2,x,9.0,,\n')
    assert [(row.text, row.count) for row in read(tmp_path / "r.csv")] == [("", None), ("", 3), ("x", 9)]


def test_rows_of_a_large_parquet_file_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    import pyarrow as pa

    path = Path(written(tmp_path / "r.parquet", [{"text": f"{number}" * 1_000} for number in range(40_000)]))
    before = pa.total_allocated_bytes()
    found = rows(path)
    next(found)
    assert pa.total_allocated_bytes() - before < 40 << 20
    assert sum(1 for _ in found) == 39_999


def test_a_fault_is_found_when_the_reader_comes_to_it(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"text": "a"}\n{"text": \n')
    found = read_rows(tmp_path / "r.jsonl", Row, "")
    assert next(found)[1].text == "a"
    with pytest.raises(UserError, match="line 2: broken JSON"):
        next(found)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("s.jsonl", b'{"problem_id": "a",\n', "line 1: broken JSON (Expecting property name enclosed in double quotes"),
        ("s.jsonl", b'\n{"problem_id": "a", "index": 0}\n', "line 2: text: field required; a row looks like {"),
        ("s.jsonl", b'\n\n["a"]\n', "line 3: the row: input should be a valid dictionary; a row looks like {"),
        ("s.jsonl", b'{"problem_id": "a", "text": "\xff"}\n', "line 1: is not valid UTF-8 (byte 29)"),
        ("s.jsonl", SAMPLE.encode("utf-16"), "line 1: is UTF-16; save it as UTF-8"),
        ("s.jsonl", b"[" * 100_000, "line 1: broken JSON ("),
        ("s.json", b'[{"problem_id": "a", "index": 0}]', "row 1: text: field required"),
        ("s.json", b'[{"problem_id": "a"', "after row 0: broken JSON ("),
        ("s.json", b'{\n "samples": []\n}', "is not a list of rows"),
        ("s.csv", b"problem_id,index,text\na,0,2, or 3\n", "line 2: has 4 values for 3 columns; quote values"),
        ("s.csv", b"problem_id,text,text\na,2,3\n", "line 1: column 'text' occurs twice"),
        ("s.csv", b"problem_id,index\na,0\n", "line 2: text: field required"),
        ("s.csv", b'problem_id,index,text\na,0,"b\n', "broken CSV (unexpected end of data)"),
        ("s.parquet", b"PAR1 but no more", "is not a whole Parquet file ("),
        ("s.jsonl.gz", b"not gzip", "cannot be read (Not a gzipped file"),
        ("s.jsonl.gz", gzip.compress(SAMPLE.encode(), mtime=0)[:-9], "cannot be read (Compressed file ended"),
        ("absent.jsonl", None, "cannot be read (No such file or directory)"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_every_reader_reports_the_same_fault_in_the_same_words(
    tmp_path: Path, name: str, data: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    readers: list[tuple[str, Callable[[], object]]] = [
        ("", lambda: check_samples(path, PROBLEMS)),
        ("", lambda: list(Plain().samples([path], None))),
        ("engine.path: ", lambda: RecordedConfig(path=str(path)).check([*PROBLEMS.values()], 1)),
        ("labelled: ", lambda: list(labelled(str(path), PROBLEMS.values(), "labelled"))),
    ]
    for option, reader in readers:
        with pytest.raises(UserError) as caught:
            reader()
        assert str(caught.value).startswith(f"{option}{path}")
        assert message in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


def test_a_sample_with_a_lone_surrogate_does_not_stop_the_grading_of_others(tmp_path: Path) -> None:
    odd = {"problem_id": "a", "index": 1, "text": "\ud800"}
    (tmp_path / "s.jsonl").write_text(SAMPLE + json.dumps(odd))
    assert [sample.text for sample in check_samples(tmp_path / "s.jsonl", PROBLEMS).read()] == ["x", "\ud800"]
