"""Each format's small file becomes the samples, verdicts and provenance that it holds."""

import json
import zipfile
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


def test_a_folder_of_llmonk_is_imported_in_the_order_of_its_rows(tmp_path: Path) -> None:
    imports, rows = imported(tools.llmonk(tmp_path / "samples"))
    assert rows == [
        ("gsm8k/0009", 0, " 9 first\n#### 1"),
        ("gsm8k/0009", 1, " 9 second\n#### 2"),
        ("gsm8k/0010", 0, " 10 first\n#### 1"),
        ("gsm8k/0010", 1, " 10 second\n#### 2"),
    ]
    assert tallies(imports) == {"gsm8k/0009": (2, 0), "gsm8k/0010": (2, 1)}
    assert imports.provenance == {"tool": "llmonk", "task": "gsm8k"}


def test_a_folder_of_llmonk_without_verdicts_has_none(tmp_path: Path) -> None:
    imports, _ = imported(tools.llmonk(tmp_path / "samples", graded=False))
    assert (imports.samples, imports.graded) == (4, 0)


def test_llmonks_graded_contests_have_no_suffix_and_names_with_dots(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    problem = {"samples": ["```x```"], "solutions": ["x"], "is_corrects": [True], "test_cases": {"input": []}}
    (tmp_path / "s" / "1575_A. Another Sorting Problem").write_text(yaml.dump(problem))
    _, rows = imported(tmp_path / "s", format_="llmonk")
    assert rows == [("1575_A. Another Sorting Problem", 0, "```x```")]


@pytest.mark.parametrize("name", ["MATH_Pythia-12B.json", "MATH_Pythia-12B.jsonl", "MATH_Pythia-12B.parquet"])
def test_the_released_rows_are_imported_in_every_format(tmp_path: Path, name: str) -> None:
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
def test_human_eval_samples_are_numbered_in_order(tmp_path: Path, name: str) -> None:
    imports, rows = imported(tools.lines(tmp_path / name, tools.HUMAN_EVAL))
    assert imports.format == "human_eval"
    assert rows == [
        ("HumanEval/0", 0, "    return 1\n"),
        ("HumanEval/1", 0, "    return 2\n"),
        ("HumanEval/0", 1, "    pass\n"),
    ]
    assert tallies(imports) == {"HumanEval/0": (2, 1), "HumanEval/1": (1, 0)}


def test_evalplus_samples_are_imported_with_model_and_temperature(tmp_path: Path) -> None:
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
def test_evalplus_results_are_correct_by_base_and_plus_tests_or_by_base_alone(
    tmp_path: Path, verdict: str | None, correct: tuple[int, int]
) -> None:
    path = tools.document(tmp_path / "m_vllm_temp_0.8_eval_results.json", tools.EVALPLUS_RESULTS)
    imports, rows = imported(path, verdict=verdict)
    assert imports.format == "evalplus"
    assert [row[2] for row in rows] == ["a", "b", "c", "d"]
    assert tallies(imports) == {"HumanEval/0": (2, correct[0]), "HumanEval/1": (2, correct[1])}
    assert imports.provenance["sampling"] == {"temperature": 0.8}


def test_an_evalplus_folder_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    imports, rows = imported(tools.evalplus_folder(tmp_path / "m_hf_temp_0.2"))
    assert rows == [("HumanEval/2", 0, "x"), ("HumanEval/2", 1, "y"), ("HumanEval/2", 2, "z")]
    assert imports.renumbered == 1


def test_mbpp_problems_get_the_ids_of_this_project(tmp_path: Path) -> None:
    path = tools.lines(tmp_path / "e.jsonl", [{"task_id": "Mbpp/2", "solution": "x"}])
    assert imported(path)[1] == [("MBPP/2", 0, "x")]
    rows = [tools.lm_eval_row(0, ["x"], "none", 1.0, task_id=11)]
    path = tools.lines(tmp_path / "samples_mbpp_2024-11-05T10-12-30.123456.jsonl", rows)
    assert imported(path)[1] == [("MBPP/11", 0, "x")]


@pytest.mark.parametrize("kind", ["json", "eval", "unfinished", "zstandard"])
def test_a_log_of_inspect_ai_is_imported_from_every_kind_of_file(tmp_path: Path, kind: str) -> None:
    if kind == "json":
        path = tools.inspect_json(tmp_path / "log.json")
    elif kind == "zstandard":
        path = tools.inspect_eval_by_zstandard(tmp_path / "log.eval")
    else:
        header = "header.json" if kind == "eval" else "_journal/start.json"
        path = tools.inspect_eval(tmp_path / "log.eval", header=header)
    imports, rows = imported(path, verdict="match")
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
        "graded_by": "match",
    }
    row = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])
    assert (row["prompt_tokens"], row["tokens"], row["finish_reason"]) == (11, 5, "stop")


@pytest.mark.parametrize(
    ("value", "correct"),
    [
        *(("C", True), ("I", False), ("P", False), ("N", False)),
        *((1, True), (1.0, True), (0.5, False), (True, True), (False, False), ([1], None), (7, None), (None, None)),
        *(("yes", True), ("Yes", True), ("true", True), ("1", True), ("1.0", True)),
        *(("no", False), ("FALSE", False), ("0", False), ("0.5", False)),
        *(("", None), ("A", None), ("c", None), ("7", None), ("²", None)),
    ],
)
def test_inspect_ai_scores_are_read_as_its_own_accuracy_reads_them(
    tmp_path: Path, value: Any, correct: bool | None
) -> None:
    log = tools.inspect_json(tmp_path / "l.json", [tools.inspect_sample("a", 1, "t", value)])
    imports, _ = imported(log, verdict="match")
    assert tallies(imports) == {"a": (0, 0) if correct is None else (1, int(correct))}


def test_of_several_verdicts_one_has_to_be_chosen(tmp_path: Path) -> None:
    several = {"exact_match": 0.0, "math_verify": 1.0, "metrics": ["exact_match", "math_verify"]}
    rows = [tools.lm_eval_row(number, ["x"], "none", 0.0) | several for number in range(2)]
    files = {
        tools.inspect_json(tmp_path / "log.json"): ("match", "judge"),  # words: ok
        tools.lines(tmp_path / "two_filters.jsonl", tools.LM_EVAL): (
            "exact_match,strict-match",
            "exact_match,flexible-extract",
        ),
        tools.lines(tmp_path / "two_metrics.jsonl", rows): ("exact_match,none", "math_verify,none"),
    }
    for path, choices in files.items():
        chosen = importer("auto", [path])
        with pytest.raises(UserError) as caught:
            convert(chosen, [path], output=None, counts=tmp_path / "c.csv")
        names = ", ".join(map(repr, choices))
        assert str(caught.value) == (
            f"--counts: {path} has several verdicts on a sample; choose one with --verdict: {names}"
        )
        imports, _ = imported(path)
        assert (imports.graded, tuple(imports.choices), "graded_by" in imports.provenance) == (0, choices, False)
        assert imported(path, verdict=choices[0])[0].graded
    metrics = tmp_path / "two_metrics.jsonl"
    assert imported(metrics, verdict="math_verify")[0].correct == 2
    with pytest.raises(UserError, match="--verdict none: is more than one: 'exact_match,none', 'math_verify,none'"):
        imported(metrics, verdict="none")


def test_a_metric_that_is_not_a_share_is_not_a_verdict(tmp_path: Path) -> None:
    rows = [{**tools.lm_eval_row(0, ["x"], "none", 0.0), "metrics": ["bleu"], "bleu": 37.5}]
    assert imported(tools.lines(tmp_path / "s.jsonl", rows))[0].graded == 0


def test_a_member_that_occurs_twice_in_a_log_counts_once_with_its_last_content(tmp_path: Path) -> None:
    path = tools.inspect_eval(tmp_path / "l.eval", [tools.inspect_sample(1, 1, "first", "I")])
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("samples/1_epoch_1.json", json.dumps(tools.inspect_sample(1, 1, "again", "C")))
    imports, rows = imported(path, verdict="match")
    assert (rows, imports.correct) == ([("1", 0, "again")], 1)


def test_inspect_ai_messages_of_an_agent_are_turns(tmp_path: Path) -> None:
    long = "0123456789abcdef" * 2
    call = {"id": "call-1", "function": "bash", "arguments": {"cmd": "ls"}, "type": "function"}
    messages = [
        {"role": "user", "content": "Fix it.", "source": "input"},
        {"role": "assistant", "content": [{"type": "text", "text": "I look."}], "tool_calls": [call]},
        {"role": "tool", "content": f"attachment://{long}", "tool_call_id": "call-1", "function": "bash"},
        {"role": "assistant", "content": "done", "source": "generate"},
    ]
    sample = tools.inspect_sample(1, 1, "done", "C", messages=messages, attachments={long: "a.py"})
    log = tools.inspect_json(tmp_path / "log.json", [sample])
    imported(log)
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert row["turns"] == [
        {"role": "user", "content": "Fix it."},
        {
            "role": "assistant",
            "content": "I look.",
            "calls": [{"name": "bash", "arguments": '{"cmd": "ls"}', "id": "call-1"}],
        },
        {"role": "tool", "content": "a.py", "call_id": "call-1"},
        {"role": "assistant", "content": "done"},
    ]
    assert "tokens" not in row, "the log's usage is of the last request alone"


def test_examples_in_the_input_of_a_single_completion_are_not_turns(tmp_path: Path) -> None:
    messages = [
        *({"role": role, "content": "x", "source": "input"} for role in ("user", "assistant", "user")),
        {"role": "assistant", "content": "t"},
    ]
    imported(tools.inspect_json(tmp_path / "l.json", [tools.inspect_sample(1, 1, "t", "C", messages=messages)]))
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert (row.get("turns"), row["tokens"]) == (None, 5)


def test_inspect_ai_prompt_tokens_contain_the_cached_ones(tmp_path: Path) -> None:
    sample = tools.inspect_sample(1, 1, "t", "C")
    sample["output"]["usage"] |= {"input_tokens_cache_read": 64, "input_tokens_cache_write": 0}
    imported(tools.inspect_json(tmp_path / "l.json", [sample]))
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert (row["prompt_tokens"], row["cached_prompt_tokens"]) == (75, 64)


def test_a_scorer_of_inspect_ai_is_chosen_by_name(tmp_path: Path) -> None:
    imports, _ = imported(tools.inspect_json(tmp_path / "log.json"), verdict="judge")  # words: ok
    assert imports.correct == 0
    assert imports.provenance["graded_by"] == "judge"  # words: ok


def test_text_parts_of_an_inspect_ai_message_are_joined(tmp_path: Path) -> None:
    sample = tools.inspect_sample("a", 1, "", "C")
    parts = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    sample["output"]["choices"][0]["message"]["content"] = parts
    _, rows = imported(tools.inspect_json(tmp_path / "log.json", [sample]))
    assert rows == [("a", 0, "one\ntwo")]


@pytest.mark.parametrize(
    ("filter_", "correct"), [("strict-match", 1), ("exact_match,strict-match", 1), ("flexible-extract", 2)]
)
def test_lm_eval_samples_are_imported_with_the_verdict_that_is_named(
    tmp_path: Path, filter_: str, correct: int
) -> None:
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
        "graded_by": filter_,
        "sampling": {"temperature": 0.7, "max_tokens": 256, "stop": ["Question:"], "seed": 1234},
    }


def test_lm_eval_files_without_filter_names_give_each_answer_once(tmp_path: Path) -> None:
    rows = [tools.lm_eval_row(0, ["1"], None, 0.0), tools.lm_eval_row(0, ["1"], None, 1.0)]
    imports, found = imported(tools.lines(tmp_path / "samples.jsonl", rows))
    assert (found, imports.correct) == ([("0", 0, "1")], 0)


def test_lm_eval_repeats_are_samples_without_verdicts(tmp_path: Path) -> None:
    rows = [tools.lm_eval_row(0, ["1", "2"], "none", 1.0, task_id="HumanEval/7")]
    imports, found = imported(tools.lines(tmp_path / "samples.jsonl", rows))
    assert found == [("HumanEval/7", 0, "1"), ("HumanEval/7", 1, "2")]
    assert imports.graded == 0
    assert "graded_by" not in imports.provenance


def test_plain_rows_keep_their_indices_and_verdicts(tmp_path: Path) -> None:
    imports, rows = imported(tools.lines(tmp_path / "s.jsonl", tools.PLAIN))
    assert imports.format == "plain"
    assert rows == [("a", 1, "1"), ("a", 0, "0"), ("b", 0, "2")]
    assert tallies(imports) == {"a": (2, 1), "b": (0, 0)}
    first, second, _ = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert (first["tokens"], second["finish_reason"]) == (7, "stop")


def test_problem_ids_follow_the_template(tmp_path: Path) -> None:
    path = tools.document(tmp_path / "CodeContests_Gemma-7B.json", tools.MONKEY_BUSINESS)
    assert {row[0] for row in imported(path)[1]} == {"82", "4999"}
    assert {row[0] for row in imported(path, ids="mine/{id:05d}")[1]} == {"mine/00082", "mine/04999"}
    with pytest.raises(UserError, match=r"--ids \{x\}: does not fit 82"):
        imported(path, ids="{x}")
    with pytest.raises(UserError, match=r"--ids same: gives 82 and 4999 the same id, 'same'"):
        imported(path, ids="same")


def test_rows_in_a_template_count_from_0_whatever_the_tool_counts_from(tmp_path: Path) -> None:
    log = tools.inspect_json(tmp_path / "l.json", [tools.inspect_sample(number, 1, "", "I") for number in (1, 2)])
    assert {row[0] for row in imported(log, ids="gsm8k/{row:04d}")[1]} == {"gsm8k/0000", "gsm8k/0001"}
    path = tools.document(tmp_path / "GSM8K_Gemma-7B.json", tools.MONKEY_BUSINESS)
    assert {row[0] for row in imported(path, ids="gsm8k/{row:04d}")[1]} == {"gsm8k/0082", "gsm8k/4999"}


def test_each_file_is_recognized_by_one_format(tmp_path: Path) -> None:
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
        "swe_bench": [
            tools.lines(tmp_path / "predictions.jsonl", tools.SWE_BENCH),
            tools.document(tmp_path / "preds.json", {row["instance_id"]: row for row in tools.SWE_BENCH}),
        ],
        "plain": [tools.lines(tmp_path / "p.jsonl", tools.PLAIN)],
    }
    assert set(files) == {each.name for each in FORMATS}
    for name, paths in files.items():
        for path in paths:
            assert [each.name for each in FORMATS if each.recognises(path, first_row(path))] == [name]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"question": "?", "solutions": []}\n', "unrecognized format (its first row has question"),
        ("", "no named fields"),
    ],
)
def test_a_file_of_no_known_format_is_reported_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "s.jsonl").write_text(text)
    with pytest.raises(UserError) as caught:
        importer("auto", [tmp_path / "s.jsonl"])
    assert message in str(caught.value)
