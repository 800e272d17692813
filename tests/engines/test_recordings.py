"""What it costs to read a file of recorded samples, and what happens where the file changes."""

import json
import os
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.engines.recorded import RecordedConfig
from tasks.engines.recordings import remembered, scan
from tasks.engines.recordings.places import Places
from tasks.errors import SamplingCancelledError, UserError
from tasks.importers.sample_rows import Row, columns_of, optional_values_of, row_parser
from tasks.records import Confidence, Problem, Request, Sample, Sampling, ToolCall, Turn
from tasks.store.sample_columns import SampleColumns
from tests.datasets.files import written

SAMPLING = Sampling(temperature=0.6, top_p=1.0, max_tokens=10, stop=(), seed=0)
PROBLEMS = [Problem(f"p{number}", "?") for number in range(8)]
K = 300
TURNS = (Turn("user", "🐒?"), Turn("assistant", "", (ToolCall("run", '{"x": 1}', "c"),), tokens=4), Turn("tool", "1"))


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files are remembered at once, in a cache that is empty at first."""
    monkeypatch.setattr(remembered, "_SETTLED_NS", 0)
    monkeypatch.setenv("MONKEYS_CACHE_DIR", str(tmp_path / "cache"))


def text_of(problem: Problem, index: int) -> str:
    return f"{problem.id} {index} " + random.Random(f"{problem.id} {index}").randbytes(250).hex()


def rows(order: Callable[[list[Any]], list[Any]] = list) -> list[dict[str, Any]]:
    found = [(problem, index) for problem in PROBLEMS for index in range(K)]
    return [
        {"problem_id": problem.id, "index": index, "text": text_of(problem, index), "tokens": index}
        for problem, index in order(found)
    ]


def write(path: Path, found: list[dict[str, Any]]) -> RecordedConfig:
    return RecordedConfig(path=written(path, found))


def prepare(config: RecordedConfig) -> str:
    """What a sweep does before it starts; returns the name of the samples."""
    name: str = config.ingredients(SAMPLING, "")["samples"]
    config.check(PROBLEMS, K)
    return name


def draw(config: RecordedConfig) -> list[Sample]:
    with config.open() as engine:
        return [
            sample
            for start in range(0, K, 100)
            for batch in engine.sample([Request(each.id, "?", start, start + 100) for each in PROBLEMS], SAMPLING)
            for sample in batch
        ]


def expected() -> list[Sample]:
    return [
        Sample(problem.id, index, text_of(problem, index), tokens=index)
        for start in range(0, K, 100)
        for problem in PROBLEMS
        for index in range(start, start + 100)
    ]


def bytes_read() -> int:
    """How many bytes this process has read from files."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["rchar"])


def interleaved(pairs: list[Any]) -> list[Any]:
    return sorted(pairs, key=lambda pair: (pair[1], pair[0].id))


def shuffled(pairs: list[Any]) -> list[Any]:
    random.Random(0).shuffle(pairs)
    return pairs


@pytest.mark.parametrize("order", [list, reversed, interleaved, shuffled], ids=lambda order: order.__name__)
@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "json", "csv", "parquet"])
def test_samples_are_those_of_the_file_in_any_order_and_format(tmp_path: Path, kind: str, order: Any) -> None:
    config = write(tmp_path / f"samples.{kind}", rows(lambda pairs: list(order(pairs))))
    prepare(config)
    assert draw(config) == expected()


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "parquet", "csv"])
def test_a_file_is_read_twice_or_less_and_not_again_once_it_is_remembered(
    tmp_path: Path, settled: None, kind: str
) -> None:
    draw(write(tmp_path / f"other.{kind}", rows(list)))  # imports what reads such files, which is read, too
    config = write(tmp_path / f"samples.{kind}", rows(interleaved))
    size = Path(config.path).stat().st_size
    before = bytes_read()
    name = prepare(config)
    whole = bytes_read() - before
    drawn = draw(config)
    unpacked = 0 if kind == "jsonl" else sum(len(sample.text) + 100 for sample in drawn)
    assert size <= whole <= bytes_read() - before <= 2.2 * size + unpacked
    before = bytes_read()
    assert prepare(RecordedConfig(path=config.path)) == name
    assert bytes_read() - before < size / 10


@pytest.mark.parametrize("metrics", [["exact_match"], ["exact_match", "acc"]])
def test_a_file_of_another_tool_is_read_twice(tmp_path: Path, metrics: list[str]) -> None:
    """Once for its digest, and once for its samples, whichever verdicts it has."""
    path = tmp_path / "samples.jsonl"
    found = [
        {"doc_id": number, "doc": {}, "resps": [["x" * 20_000]], "filter": filter_, "metrics": metrics}
        | dict.fromkeys(metrics, 1.0)
        for filter_ in ("strict-match", "flexible-extract")
        for number in range(100)
    ]
    config = RecordedConfig(path=written(path, found), format="lm_eval")
    before = bytes_read()
    config.check([Problem(str(number), "?") for number in range(100)], 1)
    assert 1.9 < (bytes_read() - before) / path.stat().st_size < 2.3


def test_drawing_from_a_remembered_file_reads_it_twice_and_gives_the_same_samples(
    tmp_path: Path, settled: None
) -> None:
    config = write(tmp_path / "samples.jsonl", rows())
    prepare(config)
    again = RecordedConfig(path=config.path)
    prepare(again)
    before = bytes_read()
    assert draw(again) == expected()
    assert bytes_read() - before <= 2.2 * Path(config.path).stat().st_size


def test_memory_does_not_grow_with_the_length_of_texts(tmp_path: Path) -> None:
    config = write(tmp_path / "samples.jsonl", [{**row, "text": row["text"] * 20} for row in rows()])
    size = Path(config.path).stat().st_size
    assert size > 24e6
    tracemalloc.start()
    try:
        prepare(config)
        with config.open() as engine:
            for problem in PROBLEMS:
                for _ in engine.sample([Request(problem.id, "?", 0, 100)], SAMPLING):
                    pass
        assert tracemalloc.get_traced_memory()[1] < size / 3
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_a_sweep_needs_less_memory_than_its_file_has(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    with path.open("w") as file:
        texts = [random.Random(index).randbytes(1_000).hex() for index in range(1_000)]
        for problem in range(40):
            for index in range(9_000):
                text = texts[index * problem % 997]
                file.write(json.dumps({"problem_id": f"p{problem}", "index": index, "text": text}) + "\n")
    assert path.stat().st_size > 700e6
    problems = "".join(f'{{"id": "p{problem}", "question": "?", "answer": "1"}}\n' for problem in range(40))
    (tmp_path / "problems.jsonl").write_text(problems)
    program = f"""
from flows.config.sweep import SweepConfig
from flows.setup.sweep import prepare
config = SweepConfig.model_validate({{
    "dataset": {{"name": "custom", "path": {str(tmp_path / "problems.jsonl")!r}}},
    "engine": {{"name": "recorded", "path": {str(path)!r}}},
    "grader": "final_answer",
    "k": 9000,
    "store": {str(tmp_path / "runs")!r},
}})
job = prepare(config)
with job.grading.claims, config.engine.open() as engine:
    for block in job.missing_samples():
        job.draw(block, engine)
    for block in job.grading.pending_verdicts():
        job.grading.grade(block, None)
print(open("/proc/self/status").read())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    peak = next(int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("VmHWM"))
    assert peak < 600_000, "in kB"


def test_a_change_that_restores_size_and_time_is_noticed(tmp_path: Path, settled: None) -> None:
    config = write(tmp_path / "samples.jsonl", rows())
    name = prepare(config)
    path = Path(config.path)
    status = path.stat()
    path.write_text(path.read_text().replace("p0 0 ", "p0 X "))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert prepare(RecordedConfig(path=config.path)) != name


def test_a_file_that_was_just_changed_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONKEYS_CACHE_DIR", str(tmp_path / "cache"))
    prepare(write(tmp_path / "samples.jsonl", rows()))
    assert not (tmp_path / "cache").exists()


def test_a_wrong_memory_of_a_file_never_draws_a_sample(tmp_path: Path, settled: None) -> None:
    config = write(tmp_path / "samples.jsonl", rows())
    name = prepare(config)
    (entry,) = (tmp_path / "cache" / "recordings").iterdir()
    entry.write_text(entry.read_text().replace(name, "0" * 64))
    again = RecordedConfig(path=config.path)
    assert prepare(again) == "0" * 64
    with pytest.raises(UserError, match=r"samples.jsonl: changed after it was first read"):
        again.open()
    assert prepare(RecordedConfig(path=config.path)) == name


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"written_by": 1}', "\0"])
def test_a_damaged_memory_is_ignored(tmp_path: Path, settled: None, damage: str) -> None:
    config = write(tmp_path / "samples.jsonl", rows())
    name = prepare(config)
    (entry,) = (tmp_path / "cache" / "recordings").iterdir()
    entry.write_text(damage)
    assert prepare(RecordedConfig(path=config.path)) == name


def test_a_cache_that_cannot_be_written_does_not_matter(
    tmp_path: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONKEYS_CACHE_DIR", "/dev/null/none")
    config = write(tmp_path / "samples.jsonl", rows())
    prepare(config)
    assert draw(config) == expected()


def test_no_home_folder_does_not_matter(tmp_path: Path, settled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: int) -> None:
        raise KeyError("uid not found")

    for name in ("MONKEYS_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    config = write(tmp_path / "samples.jsonl", rows())
    prepare(config)
    assert draw(config) == expected()


def test_a_name_that_is_not_utf8_does_not_matter(tmp_path: Path, settled: None) -> None:
    config = write(tmp_path / "s\udcff.jsonl", rows())
    prepare(config)
    assert draw(config) == expected()


def change(path: Path, how: str) -> None:
    text = path.read_text()
    if how == "truncated":
        os.truncate(path, len(text) // 2)
    elif how == "longer":
        with path.open("a") as file:
            file.write("\n")
    elif how == "rewritten":
        path.write_text(text.replace("p0 0 ", "p0 X "))
    elif how == "replaced":
        path.with_name("new").write_text(text.replace("p0 0 ", "p0 X "))
        path.with_name("new").replace(path)


@pytest.mark.parametrize("how", ["truncated", "longer", "rewritten", "replaced"])
def test_a_file_that_changes_before_drawing_starts_is_refused(tmp_path: Path, how: str) -> None:
    config = write(tmp_path / "samples.jsonl", rows())
    prepare(config)
    change(Path(config.path), how)
    with pytest.raises(UserError, match=r"samples.jsonl: changed after it was first read; run again"):
        config.open()


@pytest.mark.parametrize("how", ["truncated", "longer", "rewritten"])
def test_a_file_that_changes_while_it_is_drawn_ends_the_run(tmp_path: Path, how: str) -> None:
    config = write(tmp_path / "samples.jsonl", rows())
    prepare(config)
    with config.open() as engine:
        drawing = engine.sample([Request(each.id, "?", 0, 100) for each in PROBLEMS], SAMPLING)
        next(drawing)
        change(Path(config.path), how)
        with pytest.raises(UserError, match=r"samples.jsonl: changed after it was first read; run again"):
            next(drawing)


def test_a_file_that_is_replaced_while_it_is_drawn_is_drawn_to_its_end(tmp_path: Path) -> None:
    config = write(tmp_path / "samples.jsonl", rows())
    prepare(config)
    with config.open() as engine:
        change(Path(config.path), "replaced")
        drawn = [each for batch in engine.sample([Request("p0", "?", 0, K)], SAMPLING) for each in batch]
    assert drawn == [sample for sample in expected() if sample.problem_id == "p0"]


def test_a_file_that_changes_while_it_is_checked_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write(tmp_path / "samples.jsonl", rows())
    lines = scan._lines

    def disturbed(*arguments: Any) -> Any:
        yield from lines(*arguments)
        change(Path(config.path), "longer")

    monkeypatch.setattr(scan, "_lines", disturbed)
    with pytest.raises(UserError, match=r"samples.jsonl: changed while it was read"):
        prepare(config)


@pytest.mark.parametrize("kind", ["jsonl.gz", "parquet"])
def test_no_space_to_unpack_is_reported_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    config = write(tmp_path / f"samples.{kind}", rows())
    with Path("/dev/full").open("w+b", buffering=0) as full:
        monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: full)
        with pytest.raises(UserError, match=r"samples.* cannot be unpacked into .*No space left.*; set TMPDIR"):
            prepare(config)


def test_a_closed_engine_draws_nothing(tmp_path: Path) -> None:
    config = write(tmp_path / "samples.jsonl", rows())
    with config.open() as engine:
        pass
    with pytest.raises(SamplingCancelledError):
        list(engine.sample([Request("p0", "?", 0, 1)], SAMPLING))


def test_rows_that_only_python_reads_are_drawn(tmp_path: Path) -> None:
    """A byte order mark, NaN, blank lines, and no newline at the end."""
    path = tmp_path / "samples.jsonl"
    path.write_text(
        '\ufeff{"problem_id": "p", "index": 1, "text": "b"}\n\n'
        '{"problem_id": "p", "index": 0, "text": "a", "logprob": NaN, "other": NaN}\n'
        '{"problem_id": "p", "index": 2, "text": "c", "tokens": 3.0}',
        encoding="utf-8",
    )
    config = RecordedConfig(path=str(path))
    config.check([Problem("p", "?")], 3)
    with config.open() as engine:
        (batch,) = engine.sample([Request("p", "?", 0, 3)], SAMPLING)
        assert list(batch) == [Sample("p", 0, "a"), Sample("p", 1, "b"), Sample("p", 2, "c", tokens=3)]


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "json", "csv", "parquet"])
def test_a_sample_that_occurs_twice_is_reported_with_the_place_of_the_second(tmp_path: Path, kind: str) -> None:
    found = [{"problem_id": "p", "index": index, "text": "x"} for index in (2, 0, 1, 0)]
    config = write(tmp_path / f"samples.{kind}", found)
    number = 5 if kind == "csv" else 4
    with pytest.raises(UserError, match=rf"(line|row) {number}: index 0 of problem 'p' occurs twice"):
        prepare(config)


@pytest.mark.parametrize("index", [2**31, 10**30])
def test_an_index_that_is_too_high_is_reported_in_one_line_in_other_formats_too(tmp_path: Path, index: int) -> None:
    path = write(
        tmp_path / "samples.jsonl", [{"problem_id": "p", "index": each, "text": "x"} for each in (0, index)]
    ).path
    for config in (RecordedConfig(path=path), RecordedConfig(path=path, format="plain")):
        with pytest.raises(UserError, match=r"line 2: index.*2147483647"):
            prepare(config)


@pytest.mark.parametrize("name", ["tokens", "prompt_tokens", "cached_prompt_tokens", "confidence_top"])
def test_a_count_that_the_store_cannot_hold_is_a_one_line_error(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "samples.jsonl", [{"problem_id": "p", "index": 0, "text": "x", name: 2**31}]).path
    with pytest.raises(UserError, match=rf"line 1: {name}: input should be less than or equal to 2147483647"):
        prepare(RecordedConfig(path=path))


def sample_of(row: Row) -> Sample:
    (sample,) = SampleColumns.of_values(columns_of([row]))
    return sample


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"tokens": 9.0, "logprob": None, "question": "?"},
        {"turns": [{"role": "user", "content": "x", "calls": [{"name": "f", "arguments": "{}"}]}]},
        {"turns": json.dumps([{"role": "user", "content": "x"}])},
        {"turns": None, "logprob": 3, "tokens": None},
        {"turns": [{"role": "user"}]},
        {"index": 0.0},
        {"index": "0"},
        {"index": True},
        {"index": -1},
        {"index": 2**31},
        {"index": None},
        {"problem_id": 5},
        {"text": None},
        {"text": "\ud800"},
        {"tokens": "many"},
        {"tokens": 1.5},
        {"tokens": 2**31},
        {"prompt_tokens": -(2**40)},
        {"confidence_top": 1e300},
        {"finish_reason": 5},
        {"logprob": float("nan")},
        {"logprob": float("-inf")},
        {"extra": [1, {"a": None}]},
        {"confidence_mean": 1.5, "confidence_top": 20.0},
        {"confidence_mean": None, "confidence_tail": float("nan")},
        {"confidence_mean": "high"},
        {"confidence_window": 1.5},
        {"confidence": {"mean": 1.5}},
    ],
    ids=str,
)
def test_rows_are_parsed_as_their_model_parses_them(row: dict[str, Any]) -> None:
    line = json.dumps({"problem_id": "p", "index": 0, "text": "x", **row}).encode()

    def outcome(parse: Callable[[], Row]) -> Sample | None:
        try:
            return sample_of(parse())
        except ValueError:
            return None

    by_model = outcome(lambda: scan._values(scan._Row.model_validate_json(line)))
    assert outcome(lambda: row_parser()(line)) == by_model


def test_every_field_survives_a_temporary_file() -> None:
    sample = Sample("p/🐒", 3, '"\n\0∑', 1, 2, -0.1, "length", 4, TURNS, Confidence(1.5, 0.5, 0.75, 1.0, 20, 2048))
    row = {"problem_id": sample.problem_id, "index": sample.index, "text": sample.text, **optional_values_of(sample)}
    assert sample_of(row_parser()(scan._line(row))) == sample


def test_places_are_found_in_few_reads_where_rows_follow_each_other() -> None:
    places = Places()
    for index in range(1_000):
        places.add("p", index, 100 * index, 100)
    assert places.sort() is None
    (run,) = places.runs("p", 10, 900)
    assert (run.start, run.stop, len(run.rows)) == (1_000, 90_000, 890)
    assert list(places.runs("p", 1_000, 1_000)) == []
