"""What is wrong with a file is said in one line, with the file, the line and the field."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.batch_grading.inputs import check_samples, fingerprint, read_problems
from tasks.errors import UserError
from tasks.records import Problem, StdioCheck, StdioTest

GOOD_PROBLEM = {"id": "a", "tests": [{"input": "1", "output": "2"}]}
GOOD_SAMPLE = {"problem_id": "a", "index": 0, "text": "print(2)"}
PROBLEMS = {"a": Problem("a", "", StdioCheck((StdioTest("1", "2"),)))}


def written(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_problems_and_samples_are_read_with_their_limits(tmp_path: Path) -> None:
    limited = {"id": "b", "tests": [{"input": "", "output": ""}], "time_limit_s": 2, "memory_limit_mb": 64, "more": 1}
    problems = read_problems(written(tmp_path / "p.jsonl", GOOD_PROBLEM, "", limited))
    assert problems == PROBLEMS | {
        "b": Problem("b", "", StdioCheck((StdioTest("", ""),)), time_limit_s=2.0, memory_limit_mb=64)
    }
    samples = check_samples(written(tmp_path / "s.jsonl", GOOD_SAMPLE, GOOD_SAMPLE | {"index": 7}), problems)
    assert samples.count == 2
    assert [(sample.problem_id, sample.index, sample.text) for sample in samples.read()] == [
        ("a", 0, "print(2)"),
        ("a", 7, "print(2)"),
    ]


def test_a_gzip_file_is_read_and_a_torn_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(GOOD_SAMPLE).encode()))
    assert check_samples(path, PROBLEMS).count == 1
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(UserError, match=r"s\.jsonl\.gz: cannot be read"):
        check_samples(path, PROBLEMS)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("{", "line 2: broken JSON"),
        ("[" * 100_000, "line 2: broken JSON"),
        ("[]", "line 2: the row: "),
        ({"tests": GOOD_PROBLEM["tests"]}, "line 2: id: "),
        (GOOD_PROBLEM | {"id": 3}, "line 2: id: "),
        (GOOD_PROBLEM, "line 2: id: 'a' occurs twice"),
        (GOOD_PROBLEM | {"id": "b", "tests": []}, "line 2: tests: "),
        ({"id": "b", "tests": [{"input": "x", "output": 2}]}, "line 2: tests.0.output: "),
        ({"id": "b", "tests": [{"input": "x", "output": "\ud800"}]}, "line 2: tests: is not valid Unicode"),
        (GOOD_PROBLEM | {"id": "b", "time_limit_s": 0}, "line 2: time_limit_s: "),
        (GOOD_PROBLEM | {"id": "b", "time_limit_s": float("nan")}, "line 2: time_limit_s: "),
        (GOOD_PROBLEM | {"id": "b", "memory_limit_mb": 1.5}, "line 2: memory_limit_mb: "),
    ],
)
def test_a_malformed_problem_is_named_by_line_and_field(tmp_path: Path, line: object, field: str) -> None:
    path = written(tmp_path / "p.jsonl", GOOD_PROBLEM, line)
    with pytest.raises(UserError) as error:
        read_problems(path)
    assert str(error.value).startswith(f"{path}, {field}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("null", "line 3: the row: "),
        ("\xff", "line 3: is not valid UTF-8 (byte 0)"),
        ({"problem_id": "a", "index": 0}, "line 3: text: "),
        (GOOD_SAMPLE | {"index": -1}, "line 3: index: "),
        (GOOD_SAMPLE | {"index": True}, "line 3: index: "),
        (GOOD_SAMPLE | {"text": None}, "line 3: text: "),
        (GOOD_SAMPLE | {"problem_id": "z"}, "line 3: problem_id: 'z' is not one of the 1 problems"),
    ],
)
def test_a_malformed_sample_is_named_by_line_and_field(tmp_path: Path, line: object, field: str) -> None:
    path = tmp_path / "s.jsonl"
    lines = (GOOD_SAMPLE, GOOD_SAMPLE, line)
    path.write_bytes(
        b"".join((x.encode("latin-1") if isinstance(x, str) else json.dumps(x).encode()) + b"\n" for x in lines)
    )
    with pytest.raises(UserError) as error:
        check_samples(path, PROBLEMS)
    assert str(error.value).startswith(f"{path}, {field}")
    assert "\n" not in str(error.value)


def test_a_folder_an_absent_file_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent", written(tmp_path / "empty", "")):
        with pytest.raises(UserError):
            read_problems(path)
        with pytest.raises(UserError):
            check_samples(path, PROBLEMS)


def test_the_fingerprint_depends_on_problems_samples_and_ingredients(tmp_path: Path) -> None:
    one = check_samples(written(tmp_path / "1.jsonl", GOOD_SAMPLE), PROBLEMS)
    same = check_samples(written(tmp_path / "2.jsonl", GOOD_SAMPLE), PROBLEMS)
    other = check_samples(written(tmp_path / "3.jsonl", GOOD_SAMPLE | {"text": "print(3)"}), PROBLEMS)
    stricter = {"a": replace(PROBLEMS["a"], time_limit_s=1.0)}
    names = [
        fingerprint(PROBLEMS, one, {"x": 1}),
        fingerprint(PROBLEMS, other, {"x": 1}),
        fingerprint(stricter, one, {"x": 1}),
        fingerprint(PROBLEMS, one, {"x": 2}),
    ]
    assert len(set(names)) == 4
    assert fingerprint(PROBLEMS, same, {"x": 1}) == names[0]
