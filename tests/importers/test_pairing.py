"""Samples are never graded by another problem than the one that they were drawn for."""

import gzip
import json
from pathlib import Path

import pytest

from tasks.engines.recorded import RecordedConfig
from tasks.errors import UserError
from tasks.importers.convert import convert
from tasks.importers.formats import importer
from tasks.importers.pairing import MIN_SHARE, asked, shared
from tasks.importers.problem_ids import row_of_subject
from tasks.records import Problem
from tests.importers import other_tools as tools

SHARED = Path(__file__).parents[3] / "shared/data"
AREA = "What is the area of the triangle with sides 3, 4 and 5?"
ROOTS = r"Find the sum of the roots of $x^2 - 7x + 3 = 0$ over the complex numbers."
DATE = "2024-11-05T10-12-30.123456"


def minerva(folder: Path, subject: str, *rows: tuple[int, str]) -> Path:
    found = [tools.lm_eval_row(doc_id, ["x"], "none", 1.0, problem=text, question=None) for doc_id, text in rows]
    return tools.lines(folder / f"samples_minerva_math_{subject}_{DATE}.jsonl", found)


def ids_of(path: Path, ids: str | None) -> list[str]:
    output = path.parent / "out.jsonl"
    convert(importer("auto", [path]), [path], output=output, counts=None, ids=ids)
    return [json.loads(line)["problem_id"] for line in output.read_text().splitlines()]


@pytest.mark.parametrize("ids", [None, "math/{row:04d}"])
def test_a_row_of_one_subject_is_counted_in_all_of_math(tmp_path: Path, ids: str | None) -> None:
    assert ids_of(minerva(tmp_path, "algebra", (0, AREA)), ids) == ["math/0000"]
    assert ids_of(minerva(tmp_path, "geometry", (0, AREA), (478, ROOTS)), ids) == ["math/1661", "math/2139"]
    assert ids_of(minerva(tmp_path, "num_theory", (3, AREA)), ids) == ["math/3046"]
    assert ids_of(minerva(tmp_path, "precalc", (545, AREA)), ids) == ["math/4999"]


def test_rows_of_a_part_that_is_not_known_are_not_rows_of_the_whole(tmp_path: Path) -> None:
    rows = [tools.lm_eval_row(0, ["x"], "none", 1.0, problem=AREA)]
    for task in ("leaderboard_math_geometry_hard", "minerva_math_geometry_fr", "hendrycks_math_geometry"):
        path = tools.lines(tmp_path / f"samples_{task}_{DATE}.jsonl", rows)
        if task == "hendrycks_math_geometry":
            assert ids_of(path, "math/{row:04d}") == ["math/1661"]
            continue
        assert ids_of(path, None) == ["0"]
        assert ids_of(path, "geometry/{id:03d}") == ["geometry/000"]
        with pytest.raises(UserError, match=r"a part of a dataset, whose rows are not those of the whole; [^\n]*$"):
            ids_of(path, "math/{row:04d}")
    with pytest.raises(UserError, match="whose rows are not those of the whole"):
        ids_of(minerva(tmp_path, "geometry", (479, AREA)), "math/{row:04d}")


def test_tasks_that_share_a_beginning_with_gsm8k_are_not_gsm8k(tmp_path: Path) -> None:
    for task, expected in (("gsm8k", "gsm8k/0007"), ("gsm8k_cot", "gsm8k/0007"), ("gsm8k_platinum_cot", "7")):
        path = tools.lines(tmp_path / f"samples_{task}_{DATE}.jsonl", [tools.lm_eval_row(7, ["x"], "none", 1.0)])
        assert ids_of(path, None) == [expected]


def test_rows_of_the_train_split_are_not_those_of_the_test_split(tmp_path: Path) -> None:
    rows = [{**tools.MONKEY_BUSINESS[0], "orig_dset_split": "train"}]
    assert ids_of(tools.document(tmp_path / "MATH_x.json", rows), None) == ["train/82"] * 3


def test_subjects_make_up_all_of_math() -> None:
    assert row_of_subject("precalculus", 545) == 4999
    assert row_of_subject("precalculus", 546) is None
    assert row_of_subject("calculus", 0) is None


@pytest.mark.parametrize("kind", ["imported", "lm_eval", "plain", "plain prompt", "rows"])
def test_samples_of_another_question_are_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    """With ids by hand, as they were paired silently: geometry's first problem as algebra's."""
    path = minerva(tmp_path, "geometry", (0, AREA))
    config = RecordedConfig(path=str(path), format="lm_eval", ids="math/{id:04d}")
    if kind == "imported":
        convert(importer("auto", [path]), [path], output=tmp_path / "o.jsonl", counts=None, ids="math/{id:04d}")
        config = RecordedConfig(path=str(tmp_path / "o.jsonl"))
    elif kind != "lm_eval":
        said = {"prompt": f"Solve it.\nProblem: {AREA}\nSolution:"} if kind == "plain prompt" else {"question": AREA}
        path = tools.lines(tmp_path / "s.jsonl", [{"problem_id": "math/0000", "index": 0, "text": "x", **said}])
        config = RecordedConfig(path=str(path), format="plain" if kind.startswith("plain") else None)
    config.check([Problem("math/0000", AREA)], 1)
    with pytest.raises(UserError) as caught:
        config.check([Problem("math/0000", ROOTS)], 1)
    start = "Solve it. Problem: What is the" if kind == "plain prompt" else "What is the area"
    assert f"1 of 1 problems were drawn for other questions: those of 'math/0000' for '{start}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_what_was_asked_is_not_an_ingredient_of_a_set(tmp_path: Path) -> None:
    from tests.importers.test_conversion import SAMPLING

    path = minerva(tmp_path, "geometry", (0, AREA))
    convert(importer("auto", [path]), [path], output=tmp_path / "o.jsonl", counts=None)
    assert AREA in (tmp_path / "o.jsonl.provenance.json").read_text()
    assert AREA not in json.dumps(RecordedConfig(path=str(tmp_path / "o.jsonl")).ingredients(SAMPLING, ""))


def test_files_of_two_models_are_not_one_set(tmp_path: Path) -> None:
    names = ("A--a_vllm_temp_0.8.jsonl", "A--b_vllm_temp_0.8.jsonl", "A--a_vllm_temp_0.2.jsonl")
    paths = [tools.lines(tmp_path / name, tools.EVALPLUS) for name in names]
    faults = ('model: is "A/b", and that of ', 'sampling: is {"temperature": 0.2}')
    for other, message in zip(paths[1:], faults, strict=True):
        with pytest.raises(UserError) as caught:
            convert(importer("auto", paths), [paths[0], other], output=tmp_path / "o.jsonl", counts=None)
        assert str(caught.value).startswith(f"{other}: {message}")
    assert not (tmp_path / "o.jsonl").exists()


def test_a_question_is_recognized_in_its_prompt_in_the_messages_of_a_chat_and_with_other_spaces() -> None:
    question = {"role": "user", "content": [{"type": "text", "text": ROOTS}]}
    messages = [{"role": "system", "content": "Be brief."}, question]
    for text in (ROOTS, ROOTS.replace(" ", "\n  "), f"Q: {AREA}\nA: 6\nQ: {ROOTS}\nA:"):
        assert shared(ROOTS, text) == 1
    assert shared(ROOTS, asked(None, "", json.dumps(messages)) or "") == 1
    assert shared(ROOTS, asked(messages) or "") == 1
    assert shared(ROOTS, AREA) < 0.2
    assert shared("", ROOTS) == 1


@pytest.mark.parametrize("change", ["attachments", "arguments", "input"])
def test_a_lone_surrogate_anywhere_in_what_is_written_is_reported_in_one_line(tmp_path: Path, change: str) -> None:
    call = {"id": "1", "function": "f", "arguments": {"x": "\ud800" if change == "arguments" else "x"}}
    messages = [{"role": "assistant", "content": f"attachment://{'0' * 32}", "tool_calls": [call]}]
    more = {"attachments": {"0" * 32: "\ud800" if change == "attachments" else "x"}, "messages": messages}
    sample = tools.inspect_sample(1, 1, "t", "C", **more) | ({"input": "\ud800"} if change == "input" else {})
    path = tools.inspect_json(tmp_path / "l.json", [sample])
    with pytest.raises(UserError, match=r"l.json, samples.0: (input: )?is not valid Unicode \(a lone surrogate\)$"):
        convert(importer("auto", [path]), [path], output=tmp_path / "o.jsonl", counts=None)
    assert not (tmp_path / "o.jsonl").exists()


@pytest.mark.skipif(not SHARED.exists(), reason="needs GSM8K's and MATH's problems, which are not part of the project")
def test_no_two_problems_of_math_or_gsm8k_pass_for_one_another() -> None:
    """On the half that the threshold was not chosen on."""
    math = [json.loads(line)["problem"] for line in (SHARED / "math/math500_first200.jsonl").open()][1::2][:60]
    with gzip.open(SHARED / "gsm8k/train.jsonl.gz") as file:
        gsm8k = [json.loads(line)["question"] for line, _ in zip(file, range(60), strict=False)]
    for questions in (math, gsm8k):
        shares = [shared(one, other) for one in questions for other in questions if one is not other]
        assert sum(share >= MIN_SHARE for share in shares) <= 1e-4 * len(shares)
