"""Small files as other tools write them, after their documented forms."""

import gzip
import json
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml


def lines(path: Path, rows: Iterable[Any]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def document(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def llmonk(folder: Path, *, graded: bool = True) -> Path:
    """Two problems of GSM8K; 10 sorts after 9 as a number."""
    folder.mkdir()
    for row, corrects in ((10, [True, False]), (9, [False, False])):
        problem: dict[str, Any] = {
            "prompt": f"Question: {row}?\nAnswer:",
            "question": f"{row}?",
            "samples": [f" {row} first\n#### 1", f" {row} second\n#### 2"],
            "gt_answer": "so\n#### 1",
        }
        if graded:
            problem["is_corrects"] = corrects
        (folder / f"{row}.yaml").write_text(yaml.dump(problem, sort_keys=True))
    return folder


MONKEY_BUSINESS = [
    {
        "question": "1 + 1?",
        "prompt": "Problem:\n1 + 1?\n\nSolution:",
        "samples": [" 2", " 3", " 2"],
        "is_corrects": [True, False, True],
        "gt_answer": r"\boxed{2}",
        "orig_dset_split": "test",
        "orig_dset_idx": 82,
    },
    {
        "question": "2 + 2?",
        "prompt": "Problem:\n2 + 2?\n\nSolution:",
        "samples": ["5", "", "é\n"],
        "is_corrects": [False, False, False],
        "gt_answer": r"\boxed{4}",
        "orig_dset_split": "test",
        "orig_dset_idx": 4999,
    },
]

HUMAN_EVAL = [
    {"task_id": "HumanEval/0", "completion": "    return 1\n", "result": "passed", "passed": True},
    {"task_id": "HumanEval/1", "completion": "    return 2\n", "result": "failed: ", "passed": False},
    {"task_id": "HumanEval/0", "completion": "    pass\n", "result": "timed out", "passed": False},
]

SWE_BENCH: list[dict[str, Any]] = [
    {"instance_id": "django__django-1", "model_patch": "diff --git a/x b/x\n", "model_name_or_path": "m"},
    {"instance_id": "django__django-2", "model_patch": None, "model_name_or_path": "m"},
]

EVALPLUS = [
    {"task_id": "HumanEval/0", "solution": "def f():\n    return 1\n"},
    {"task_id": "HumanEval/0", "solution": "def f():\n    return 2\n"},
    {"task_id": "HumanEval/1", "completion": "    return 3\n"},
]

EVALPLUS_RESULTS = {
    "date": "2024-05-01 10:00",
    "hash": "fe585eb4df8c88d844eeb463ea4d0302",
    "eval": {
        "HumanEval/0": [
            {"task_id": "HumanEval/0", "solution": "a", "base_status": "pass", "plus_status": "fail"},
            {"task_id": "HumanEval/0", "solution": "b", "base_status": "pass", "plus_status": "pass"},
        ],
        "HumanEval/1": [
            {"task_id": "HumanEval/1", "solution": "c", "base_status": "timeout", "plus_status": "fail"},
            {"task_id": "HumanEval/1", "solution": "d", "base_status": "pass", "plus_status": None},
        ],
    },
}


def evalplus_folder(folder: Path) -> Path:
    for problem, number, text in (("HumanEval_2", 0, "x"), ("HumanEval_2", 10, "z"), ("HumanEval_2", 9, "y")):
        (folder / problem).mkdir(parents=True, exist_ok=True)
        (folder / problem / f"{number}.py").write_text(text)
    return folder


INSPECT_HEADER = {
    "version": 2,
    "status": "success",
    "eval": {
        "run_id": "r",
        "created": "2025-03-01T10:00:00+00:00",
        "task": "gsm8k",
        "task_id": "t",
        "model": "openai/gpt-4o-mini",
        "dataset": {"name": "gsm8k", "samples": 2},
        "model_generate_config": {"temperature": 0.8, "top_p": 0.95},
        "config": {"epochs": 2},
        "packages": {"inspect_ai": "0.3.70"},
    },
    "plan": {"name": "plan", "steps": [], "config": {"max_tokens": 256, "seed": 7, "stop_seqs": ["Q:"]}},
}


def inspect_sample(id_: str | int, epoch: int, text: str, value: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "epoch": epoch,
        "input": "?",
        "target": "1",
        "messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": text}],
        "output": {
            "model": "gpt-4o-mini",
            "choices": [{"message": {"role": "assistant", "content": text}, "stop_reason": "stop"}],
            "completion": text,
            "usage": {"input_tokens": 11, "output_tokens": 5, "total_tokens": 16},
        },
        "scores": {"match": {"value": value, "answer": "1"}, "judge": {"value": 0.5}},  # words: ok
        "attachments": {},
        **more,
    }


_LONG = "0123456789abcdef" * 2
INSPECT_SAMPLES = [
    inspect_sample(1, 2, "second", "I"),
    inspect_sample(1, 1, "first", "C"),
    inspect_sample("two", 1, f"attachment://{_LONG}", "C", attachments={_LONG: "long text"}),
    inspect_sample("two", 2, "", "I", error={"message": "timeout", "traceback": "", "traceback_ansi": ""}),
    inspect_sample("two", 3, "third", "P"),
]


def inspect_json(path: Path, samples: Iterable[Any] = INSPECT_SAMPLES) -> Path:
    return document(path, {**INSPECT_HEADER, "results": {"total_samples": 2}, "samples": list(samples)})


def inspect_eval(path: Path, samples: Iterable[Any] = INSPECT_SAMPLES, header: str = "header.json") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/summaries/1.json", "[]")
        for sample in samples:
            archive.writestr(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", json.dumps(sample))
        archive.writestr(header, json.dumps(INSPECT_HEADER))
    return path


def inspect_eval_by_zstandard(path: Path) -> Path:
    """As inspect_ai packs its logs ; zipfile writes the directory, which alone says how."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        members = {f"samples/{each['id']}_epoch_{each['epoch']}.json": each for each in INSPECT_SAMPLES}
        for name, value in {**members, "header.json": INSPECT_HEADER}.items():
            data = json.dumps(value).encode()
            archive.writestr(name, pa.compress(data, codec="zstd", asbytes=True))
            info = archive.filelist[-1]
            info.compress_type, info.file_size, info.CRC = 93, len(data), zlib.crc32(data)
    return path


def lm_eval_row(doc_id: int, answers: list[str], filter_: str | None, match: float, **doc: Any) -> dict[str, Any]:
    row = {
        "doc_id": doc_id,
        "doc": {"question": "?", "answer": "#### 1", **doc},
        "target": "#### 1",
        "arguments": {
            "gen_args_0": {
                "arg_0": "Question: ?\nAnswer:",
                "arg_1": {"until": ["Question:"], "do_sample": True, "temperature": 0.7, "max_gen_toks": 256},
            }
        },
        "resps": [answers],
        "filtered_resps": ["1"],
        "doc_hash": "d",
        "prompt_hash": "p",
        "target_hash": "t",
        "exact_match": match,
    }
    return row if filter_ is None else {**row, "filter": filter_, "metrics": ["exact_match"]}


LM_EVAL = [
    lm_eval_row(0, ["#### 1"], "strict-match", 1.0),
    lm_eval_row(1, ["is 1"], "strict-match", 0.0),
    lm_eval_row(0, ["#### 1"], "flexible-extract", 1.0),
    lm_eval_row(1, ["is 1"], "flexible-extract", 1.0),
]
LM_EVAL_NAME = "samples_gsm8k_2024-11-05T10-12-30.123456.jsonl"


def lm_eval_results(folder: Path) -> Path:
    return document(
        folder / "results_2024-11-05T10-12-30.123456.json",
        {
            "config": {
                "model": "hf",
                "model_args": "pretrained=EleutherAI/pythia-160m",
                "random_seed": 0,
                "torch_seed": 1234,
            },
            "lm_eval_version": "0.4.5",
            "model_name": "EleutherAI/pythia-160m",
        },
    )


PLAIN = [
    {"problem_id": "a", "index": 1, "text": "1", "verdict": "wrong", "tokens": 7},
    {"problem_id": "a", "index": 0, "text": "0", "verdict": "correct", "finish_reason": "stop"},
    {"problem_id": "b", "index": 0, "text": "2", "verdict": "infrastructure"},
]
