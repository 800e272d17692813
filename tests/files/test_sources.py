"""Rows in every form, and one clear line for everything that is wrong with them."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.files.schema import RowModel
from tasks.files.sources import Hub, Source, read
from tests.datasets.files import written
from tests.servers import S3

EXAMPLE = '{"question": "...", "answer": "42"}'
ROWS = [{"question": "1 + 1?\nSay.", "answer": "2", "more": "left alone"}, {"question": 'a "b", č', "answer": "3"}]
# CSV and Parquet have columns: every row has every one.
TABLE = [{name: row[name] for name in ("question", "answer")} for row in ROWS]


class QA(RowModel):
    question: str
    answer: str


def rows_of(path: str | None, split: str = "test") -> list[tuple[str, str]]:
    return [(row.question, row.answer) for _, row in read(Source(path, Hub("some/set"), split), QA, EXAMPLE)]


EXPECTED = [("1 + 1?\nSay.", "2"), ('a "b", č', "3")]


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz", "r.json", "r.parquet", "r.csv"])
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    rows = TABLE if name.endswith((".parquet", ".csv")) else ROWS
    assert rows_of(written(tmp_path / name, rows)) == EXPECTED


def test_a_folder_gives_the_files_of_its_split_in_order(tmp_path: Path) -> None:
    written(tmp_path / "main" / "test-00000-of-00002.parquet", TABLE[:1])
    written(tmp_path / "main" / "test-00001-of-00002.parquet", TABLE[1:])
    written(tmp_path / "main" / "train-00000-of-00001.parquet", TABLE[:1] * 3)
    (tmp_path / "README.md").write_text("test")
    assert rows_of(str(tmp_path)) == EXPECTED
    assert len(rows_of(str(tmp_path), "train")) == 3
    with pytest.raises(UserError, match="has no validation files"):
        rows_of(str(tmp_path), "validation")
    written(tmp_path / "other" / "rows.jsonl", ROWS)
    with pytest.raises(UserError, match="has no test files"):
        rows_of(str(tmp_path / "other"))


def test_a_copy_of_the_hubs_folder_gives_only_the_datasets_configurations(tmp_path: Path) -> None:
    for config in ("socratic", "main", "b", "a"):
        written(tmp_path / config / "test-00000-of-00001.parquet", [{"question": config, "answer": "1"}])
    for configs in (("main",), ("b", "a")):
        source = Source(str(tmp_path), Hub("some/set", configs), "test")
        assert [row.question for _, row in read(source, QA, EXAMPLE)] == list(configs)


def test_a_folder_may_be_named_after_the_split(tmp_path: Path) -> None:
    written(tmp_path / "default" / "test" / "0000.parquet", TABLE[:1])
    written(tmp_path / "default" / "train" / "0000.parquet", TABLE)
    written(tmp_path / "test" / "train.jsonl", TABLE)
    assert rows_of(str(tmp_path)) == EXPECTED[:1]


def test_json_lines_in_a_json_file_are_read(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    assert rows_of(str(tmp_path / "r.json")) == EXPECTED
    (tmp_path / "r.json").write_text(json.dumps(ROWS, indent=1))
    assert rows_of(str(tmp_path / "r.json")) == EXPECTED
    (tmp_path / "r.json").write_text('{"question": "a", "answer": "b"}\n{"question": "a"}\n')
    with pytest.raises(UserError, match=r"r.json, line 2: answer: field required"):
        rows_of(str(tmp_path / "r.json"))


def test_files_with_a_byte_order_mark_and_crlf_are_read(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes("question,answer\r\nč,2\r\n".encode("utf-8-sig"))
    (tmp_path / "R.JSONL").write_bytes(b'\xef\xbb\xbf{"question": "a", "answer": "b"}\r\n\r\n')
    assert rows_of(str(tmp_path / "r.csv")) == [("č", "2")]
    assert rows_of(str(tmp_path / "R.JSONL")) == [("a", "b")]
    (tmp_path / "R.CSV").write_bytes((tmp_path / "r.csv").read_bytes())
    assert rows_of(str(tmp_path / "R.CSV")) == [("č", "2")]


def test_rows_are_read_from_a_url() -> None:
    import fsspec

    with fsspec.open("memory://sets/r.jsonl", "wb") as file:
        file.write("".join(json.dumps(row) + "\n" for row in ROWS).encode())
    assert rows_of("memory://sets/r.jsonl") == EXPECTED


@pytest.mark.parametrize("name", ["test.jsonl.gz", "test.parquet"])
@pytest.mark.parametrize("server", ["s3_process", "moto_process"])
def test_rows_are_read_from_a_bucket(
    server: str, name: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3: S3 = request.getfixturevalue(server)
    for variable, value in s3.environment.items():
        monkeypatch.setenv(variable, value)
    url = f"s3://{s3.new_bucket()}/sets/{name}"
    rows = [{"question": f"{number}" * 1000, "answer": "1"} for number in range(3000)]
    import fsspec

    with fsspec.open(url, "wb", skip_instance_cache=True) as file:
        file.write(Path(written(tmp_path / name, rows)).read_bytes())
    assert len(rows_of(url)) == 3000
    assert len(rows_of(url.rpartition("/")[0])) == 3000


def test_a_bucket_that_does_not_answer_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"dataset.path: s3://bucket/r.jsonl: cannot be read \(.*127.0.0.1:9") as caught:
        rows_of("s3://bucket/r.jsonl")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("r.jsonl", b'{"question": "a", "answer": "b"}\n{"question": "a"}\n', "line 2: answer: field required"),
        ("r.jsonl", b'{"question": 5, "answer": "b"}\n', "line 1: question: input should be a valid string"),
        ("r.jsonl", b'\n\n["a"]\n', "line 3: the row: input should be a valid dictionary; a row looks like"),
        ("r.jsonl", '{"question": "a"}\n'.encode("utf-16"), "line 1: is UTF-16; save it as UTF-8"),
        ("r.jsonl", b'{"question": "a",\n', "line 1: broken JSON"),
        ("r.jsonl", b'{"question": "\xff", "answer": "b"}\n', "line 1: is not valid UTF-8 (byte 14)"),
        ("r.jsonl", b'{"question": "\\ud800", "answer": "b"}\n', "line 1: question: is not valid Unicode"),
        ("r.jsonl", b"[" * 100_000, "line 1: broken JSON"),
        ("r.jsonl", b"", "has no rows; a row looks like"),
        ("r.json", b'{"question": "a"}', "line 1: answer: field required"),
        ("r.json", b'{\n "rows": []\n}', "is not a list of rows"),
        ("r.jsonl.gz", b"plainly no gzip", "cannot be read"),
        ("r.csv", b"question,other\na,b\n", "line 2: answer: field required"),
        ("r.csv", b"question,answer\na,\xff\n", "broken CSV"),
        ("r.csv", b'question,answer\na,"b\n', "broken CSV"),
        ("r.parquet", b"PAR1 not really", "is not a whole Parquet file"),
    ],
)
def test_a_malformed_row_is_named_by_file_line_and_field_in_one_line(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError) as caught:
        rows_of(str(tmp_path / name))
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"dataset.path: {tmp_path}")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("path", ["absent.jsonl", "/proc/self/mem", "nosuch://x/r.jsonl"])
def test_the_error_about_an_unreadable_path_says_what_to_give(path: str) -> None:
    with pytest.raises(UserError, match=r"cannot be read .*; give the test split of some/set") as caught:
        rows_of(path)
    assert len(str(caught.value).splitlines()) == 1


def test_without_a_file_and_the_hub_one_line_says_what_to_do(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    if find_spec("datasets") is not None:
        import datasets

        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=r"set dataset.path to the test split of some/set") as caught:
        rows_of(None)
    assert len(str(caught.value).splitlines()) == 1


def test_large_rows_are_read(tmp_path: Path) -> None:
    big = "7" * (20 << 20)
    assert rows_of(written(tmp_path / "r.jsonl", [{"question": big, "answer": "b"}]))[0][0] == big
