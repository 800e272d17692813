import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tasks.engines.recorded import RecordedConfig
from tasks.errors import UserError
from tasks.records import Problem, Request, Sample, Sampling

SAMPLING = Sampling(temperature=0.6, top_p=1.0, max_tokens=10, stop=(), seed=0)


def row(problem: str, index: Any, **more: Any) -> dict[str, Any]:
    return {"problem_id": problem, "index": index, "text": f"{problem} {index}", **more}


ROWS = [
    row("a", 1),
    row("a", 0, tokens=7, logprob=-1.5, finish_reason="stop", cached_prompt_tokens=3),
    row("b", 0),
    row("b", 1, source="x"),
]


def jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> RecordedConfig:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return RecordedConfig(path=str(path))


def write(folder: Path, kind: str) -> RecordedConfig:
    if kind == "jsonl":
        return jsonl(folder / "s.jsonl", ROWS)
    if kind == "jsonl.gz":
        (folder / "s.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, ROWS)).encode()))
    else:
        pd.DataFrame(ROWS).convert_dtypes().to_parquet(folder / "s.parquet")
    return RecordedConfig(path=str(folder / f"s.{kind}"))


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "parquet"])
def test_recorded_samples_are_returned_unchanged(tmp_path: Path, kind: str) -> None:
    config = write(tmp_path, kind)
    config.check([Problem("a", "?"), Problem("b", "?")], 2)
    with config.open() as engine:
        drawn = [list(batch) for batch in engine.sample([Request("b", "?", 1, 2), Request("a", "?", 0, 2)], SAMPLING)]
    assert drawn == [
        [Sample("b", 1, "b 1")],
        [
            Sample("a", 0, "a 0", tokens=7, logprob=-1.5, finish_reason="stop", cached_prompt_tokens=3),
            Sample("a", 1, "a 1"),
        ],
    ]


def test_no_request_yields_no_samples(tmp_path: Path) -> None:
    assert list(write(tmp_path, "jsonl").open().sample([], SAMPLING)) == []


def test_ingredients_depend_on_the_files_content_and_not_on_the_template(tmp_path: Path) -> None:
    before = write(tmp_path, "jsonl").ingredients(SAMPLING, "template")
    assert write(tmp_path, "jsonl").ingredients(SAMPLING, "another") == before
    assert jsonl(tmp_path / "s.jsonl", ROWS[:-1]).ingredients(SAMPLING, "template") != before


@pytest.mark.parametrize(
    ("rows", "k", "message"),
    [
        ([row("a", 0), row("a", 0)], 1, r"line 2: index 0 of problem 'a' occurs twice"),
        ([row("a", 0), row("a", 2)], 2, r"lacks index 1 of problem 'a'"),
        ([row("a", 0)], 2, r"has 1 samples of problem 'a', and k is 2; lower k to 1"),
        ([row("b", 0)], 1, r"has 0 samples of problem 'a'"),
        ([row("a", "0")], 1, r"line 1: index: input should be a valid integer"),
        ([row("a", -1)], 1, r"line 1: index: input should be greater than or equal to 0"),
        ([{"problem_id": "a", "index": 0}], 1, r"line 1: text: field required"),
        ([row("a", 0), {"problem_id": "a", "index": 1, "text": "\ud800"}], 1, r"line 2: text.*"),
        ([[1, 2]], 1, r"line 1: the row: "),
    ],
)
def test_errors_about_rows_name_the_line_and_the_field(
    tmp_path: Path, rows: list[dict[str, Any]], k: int, message: str
) -> None:
    config = jsonl(tmp_path / "s.jsonl", rows)
    with pytest.raises(UserError, match=message) as caught:
        config.check([Problem("a", "?")], k)
    assert "\n" not in str(caught.value)


def test_the_error_about_broken_json_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text('{"problem_id": "a", "index": 0, "text": ""}\n\n{"problem_id": \n')
    with pytest.raises(UserError, match="line 3: broken JSON"):
        RecordedConfig(path=str(tmp_path / "s.jsonl")).check([Problem("a", "?")], 1)


@pytest.mark.parametrize("name", ["none.jsonl", "none.parquet", "."])
def test_an_unreadable_file_is_reported_in_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        RecordedConfig(path=str(tmp_path / name)).check([Problem("a", "?")], 1)


@pytest.mark.parametrize("name", ["s.parquet", "s.jsonl.gz"])
def test_a_file_that_is_not_parquet_or_gzip_is_reported_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("neither")
    with pytest.raises(UserError, match=r"is not a whole Parquet file|Not a gzipped file"):
        RecordedConfig(path=str(tmp_path / name)).check([Problem("a", "?")], 1)
