"""What is wrong with a file is one line that names file, entry and field; nothing is written then."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.errors import UserError
from tasks.importers.convert import convert
from tasks.importers.formats import importer
from tests.importers import other_tools as tools

Write = Callable[[Path], Path]


def lines(*rows: Any) -> Write:
    return lambda folder: tools.lines(folder / "s.jsonl", rows)


def text(name: str, content: str | bytes) -> Write:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder / name

    return write


def monkey(**change: Any) -> Write:
    rows = [tools.MONKEY_BUSINESS[0], {**tools.MONKEY_BUSINESS[1], **change}]
    return lambda folder: tools.document(folder / "MATH_x.json", rows)


def log(**change: Any) -> Write:
    sample = {**tools.inspect_sample(1, 1, "t", "C"), **change}
    return lambda folder: tools.inspect_json(folder / "l.json", [tools.inspect_sample(0, 1, "t", "C"), sample])


def program(**change: Any) -> Write:
    def write(folder: Path) -> Path:
        tools.llmonk(folder / "f")
        (folder / "f" / "9.yaml").write_text(yaml.dump({"samples": ["a", "b"], **change}))
        return folder / "f"

    return write


HUMAN = {"task_id": "a", "completion": "x"}
CASES: list[tuple[str, Write, str]] = [
    ("human_eval", lines(HUMAN, {"task_id": "a"}), "s.jsonl, line 2: completion: field required"),
    ("human_eval", lines(HUMAN, {**HUMAN, "completion": None}), "line 2: completion: input should be a valid string"),
    ("human_eval", lines(HUMAN, {**HUMAN, "task_id": 7}), "line 2: task_id: input should be a valid string"),
    ("human_eval", lines([1]), "line 1: the row: "),
    ("human_eval", lines(HUMAN, {**HUMAN, "completion": "\ud800"}), "line 2: completion: is not valid Unicode"),
    ("human_eval", text("s.jsonl", json.dumps(HUMAN) + '\n\n{"task_id": '), "s.jsonl, line 3: broken JSON"),
    ("human_eval", text("s.jsonl", b'{"task_id": "a", "completion": "\xff"}'), "line 1: is not valid UTF-8 (byte 32)"),
    ("human_eval", text("s.jsonl.gz", b"no gzip"), "s.jsonl.gz: cannot be read (Not a gzipped file"),
    ("human_eval", text("s.jsonl", ""), "s.jsonl: holds no sample"),
    ("plain", lines({"problem_id": "a", "index": -1, "text": ""}), "line 1: index: input should be greater"),
    (
        "plain",
        lines({"problem_id": "a", "text": "", "verdict": "passed"}),
        "line 1: verdict: input should be 'correct'",
    ),
    ("plain", lines(tools.PLAIN[0], tools.PLAIN[0]), "line 2: index 1 of problem 'a' occurs twice"),
    ("evalplus", lines({"task_id": "a", "solution": None}), "line 1: solution: field required"),
    ("evalplus", text("r.json", '{"eval": {"a": {"nfiles": 1}}}'), "r.json, eval.a: is not a list"),
    ("evalplus", text("r.json", '{"eval": {"a": [{}]}}'), "r.json, eval.a.0: solution: field required"),
    ("evalplus", text("r.json", '{"eval": {"a": [{}'), "r.json: broken JSON"),
    ("monkey_business", monkey(samples=["x"]), "row 2: is_corrects: has 3 verdicts on 1 samples"),
    ("monkey_business", monkey(samples=["x", 3, "y"]), "row 2: samples.1: input should be a valid string"),
    ("monkey_business", monkey(is_corrects=["True"] * 3), "row 2: is_corrects.0: input should be a valid boolean"),
    ("monkey_business", monkey(orig_dset_idx=82), "row 2, sample 0: index 0 of problem 'math/0082' occurs twice"),
    (
        "monkey_business",
        text("MATH_x.json", b'[{"samples": ["\xff"]}]'),
        "after row 0: is not valid UTF-8 (near byte 15)",
    ),
    ("monkey_business", text("MATH_x.json", "[1, 2"), "row 1: the row: "),
    ("monkey_business", text("MATH_x.json", "[] x"), "something follows the list"),
    ("monkey_business", text("MATH_x.parquet", "no"), "is not a whole Parquet file"),
    ("llmonk", program(is_corrects=[True]), "9.yaml: is_corrects: has 1 verdicts on 2 samples"),
    ("llmonk", program(samples=None), "9.yaml: samples: input should be a valid list"),
    ("llmonk", text("x.yaml", "samples: [a"), "x.yaml: broken YAML"),
    ("llmonk", text("x.yaml", "samples: !!python/object/apply:os.getcwd []"), "x.yaml: broken YAML"),
    ("llmonk", text("x.yaml", b"samples: ['\xff']"), "x.yaml: broken YAML"),
    ("inspect_ai", log(epoch=0), "l.json, samples.1: epoch: input should be greater than or equal to 1"),
    ("inspect_ai", log(id=0), "samples.1: index 0 of problem '0' occurs twice"),
    ("inspect_ai", log(output={"completion": 3}), "samples.1: output.completion: input should be a valid string"),
    ("inspect_ai", text("l.json", '{"version": 2, "samples": null}'), "samples: is not a list"),
    ("inspect_ai", text("l.eval", "no zip"), "l.eval: is not a whole .eval log (File is not a zip file)"),
    (
        "lm_eval",
        lines({**tools.lm_eval_row(0, [], "none", 1.0), "resps": [[["-1.5", "False"]]]}),
        "line 1: resps: holds no generated",
    ),
    ("lm_eval", lines({"doc_id": 0, "resps": "x"}), "line 1: resps: input should be a valid list"),
    (
        "lm_eval",
        lines({**tools.lm_eval_row(0, ["a"], "none", 1.0), "resps": [["a"], ["b"]]}),
        "line 1: resps: has 2 requests for one problem",
    ),
    (
        "plain",
        lines({"problem_id": "a", "text": "", "correct": True, "verdict": "wrong"}),
        "line 1: correct: is true, and verdict is wrong; keep one",
    ),
    ("plain", lines({"problem_id": "a", "text": "", "turns": [{"role": "user"}]}), "turns.0.content: field required"),
    ("plain", lines({"problem_id": "a", "text": "", "turns": "["}), "line 1: turns: value error, Expecting value"),
    (
        "lm_eval",
        lines(tools.lm_eval_row(0, ["a"], "none", 1.0), tools.lm_eval_row(0, ["a"], "none", 1.0)),
        "line 2: index 0 of problem '0' occurs twice",
    ),
]


@pytest.mark.parametrize(
    ("format_", "write", "message"), CASES, ids=[f"{at}-{each[0]}" for at, each in enumerate(CASES)]
)
def test_a_malformed_file_is_reported_in_one_line_and_nothing_is_written(
    tmp_path: Path, format_: str, write: Write, message: str
) -> None:
    source = write(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError) as caught:
        convert(importer(format_, [source]), [source], output=tmp_path / "o.jsonl", counts=tmp_path / "c.csv")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_a_verdict_that_the_file_does_not_have_is_refused(tmp_path: Path) -> None:
    def fault(format_: str, path: Path, verdict: str) -> str:
        with pytest.raises(UserError) as caught:
            convert(importer(format_, [path]), [path], output=tmp_path / "o.jsonl", counts=None, verdict=verdict)
        return str(caught.value)

    assert "--verdict x: plain carries one verdict for each sample" in fault(
        "plain", tools.lines(tmp_path / "p.jsonl", tools.PLAIN), "x"
    )
    assert "it has 'match', 'judge'" in fault("inspect_ai", tools.inspect_json(tmp_path / "l.json"), "x")  # words: ok
    samples = tools.lines(tmp_path / tools.LM_EVAL_NAME, tools.LM_EVAL)
    assert "it has 'exact_match,strict-match', 'exact_match,flexible-extract'" in fault("lm_eval", samples, "x")
    assert "evalplus has plus" in fault("evalplus", tools.lines(tmp_path / "e.jsonl", tools.EVALPLUS), "x")


def test_counts_of_samples_without_verdicts_are_refused(tmp_path: Path) -> None:
    path = tools.lines(tmp_path / "e.jsonl", tools.EVALPLUS)
    with pytest.raises(UserError, match="has no verdicts"):
        convert(importer("auto", [path]), [path], output=tmp_path / "o.jsonl", counts=tmp_path / "c.csv")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("output", ["none/o.jsonl", "o.csv", "folder.jsonl"])
def test_an_output_that_cannot_be_written_is_reported_in_one_line(tmp_path: Path, output: str) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    path = tools.lines(tmp_path / "s.jsonl", tools.PLAIN)
    with pytest.raises(UserError, match="--output"):
        convert(importer("auto", [path]), [path], output=tmp_path / output, counts=None)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "folder.jsonl", path]


def test_a_file_that_is_imported_is_not_overwritten(tmp_path: Path) -> None:
    path = tools.lines(tmp_path / "s.jsonl", tools.PLAIN)
    folder = tools.llmonk(tmp_path / "folder")
    whole = path.read_bytes()
    for source, output, counts in (
        (path, path, None),
        (path, None, tmp_path / "." / "s.jsonl"),
        (folder, folder / "out.jsonl", None),
    ):
        with pytest.raises(
            UserError, match=r"--(output|counts) .*: is one of the imported files, or in an imported folder"
        ):
            convert(importer("auto", [source]), [source], output=output, counts=counts)
    assert path.read_bytes() == whole
    assert not (folder / "out.jsonl").exists()


def test_a_file_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    path = tools.lines(tmp_path / "h.jsonl", tools.HUMAN_EVAL)
    with pytest.raises(UserError, match="is named twice"):
        convert(importer("auto", [path]), [path, tmp_path / "." / "h.jsonl"], output=tmp_path / "o.jsonl", counts=None)


def test_a_score_that_is_nan_is_not_a_verdict(tmp_path: Path) -> None:
    rows = [tools.lm_eval_row(0, ["1"], "none", float("nan")), tools.lm_eval_row(1, ["1"], "none", 1.0)]
    path = tools.lines(tmp_path / "samples.jsonl", rows)
    assert convert(importer("auto", [path]), [path], output=tmp_path / "o.jsonl", counts=None).graded == 1
    sample = tools.inspect_sample(1, 1, "", "I") | {"scores": {"match": {"value": float("nan")}}}
    log = tools.inspect_json(tmp_path / "l.json", [sample])
    assert convert(importer("auto", [log]), [log], output=tmp_path / "o.jsonl", counts=None).graded == 0


def test_a_log_in_which_every_sample_failed_is_refused(tmp_path: Path) -> None:
    path = tools.inspect_json(tmp_path / "l.json", [tools.inspect_sample(1, 1, "", "I", error={"message": "x"})])
    with pytest.raises(UserError, match="holds no sample: all 1 failed in the tool itself"):
        convert(importer("auto", [path]), [path], output=tmp_path / "o.jsonl", counts=None)


@pytest.mark.parametrize("at", [80, 40])
def test_a_damaged_member_packed_by_zstandard_is_refused(tmp_path: Path, at: int) -> None:
    path = tools.inspect_eval_by_zstandard(tmp_path / "l.eval")
    data = bytearray(path.read_bytes())
    start = data.index(b"\x28\xb5\x2f\xfd")
    data[start + at] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"is not a whole \.eval log"):
        convert(importer("auto", [path]), [path], output=tmp_path / "o.jsonl", counts=None)


def test_a_damaged_member_of_a_log_is_refused(tmp_path: Path) -> None:
    path = tools.inspect_eval(tmp_path / "l.eval")
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("samples/1_epoch_1.json").header_offset + 80
    data = bytearray(path.read_bytes())
    data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"is not a whole \.eval log"):
        convert(importer("auto", [path]), [path], output=tmp_path / "o.jsonl", counts=None)
