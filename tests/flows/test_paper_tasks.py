"""Each dataset from its upstream rows to a report, with samples that another tool drew."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from flows.config.sweep import SweepConfig
from flows.setup.sweep import prepare
from tests.datasets.files import Rows, written
from tests.datasets.test_mbpp import ROWS as MBPP
from tests.datasets.test_paper_tasks import CONTEST, MATH_ROWS, SUMS
from tests.flows.command import monkeys


class Case(NamedTuple):
    """A dataset's fields, its files, two samples for each of its problems, and how many are correct of all."""

    dataset: dict[str, Any]
    files: dict[str, Rows]
    samples: dict[str, tuple[str, str]]
    correct: int


ADD = "```\nprint(sum(map(int, input().split())))\n```"
CASES = {
    "gsm8k": Case(
        {"path": "test.jsonl", "train_path": "train.jsonl"},
        {"test.jsonl": SUMS[:2], "train.jsonl": SUMS[2:]},
        {"gsm8k/0000": (" 1\n#### 1", "#### 7"), "gsm8k/0001": ("none", "#### 2\n\nQuestion: x #### 9")},
        2,
    ),
    "math": Case(
        {"path": "test.parquet"},
        {"test.parquet": MATH_ROWS[1:]},
        {
            "math/0000": (
                "Final Answer: The final answer is $\\frac12$. I hope it is correct.",
                "Final Answer: The final answer is $9^{9^{9}}x$. I hope it is correct.",
            )
        },
        1,
    ),
    "math500": Case(
        {"path": "test.jsonl"},
        {"test.jsonl": [{**MATH_ROWS[1], "answer": "x^2-1", "unique_id": "test/algebra/1.json"}]},
        {"test/algebra/1.json": ("Final Answer: The final answer is $(x-1)(x+1)$. I hope it is correct.", "7" * 10**6)},
        1,
    ),
    "code_contests": Case(
        {"path": "test.jsonl", "shots": 0},
        {"test.jsonl": CONTEST[:1]},
        {"1_A. Sum": (ADD, "```\nprint(3)\n```")},
        1,
    ),
    "mbpp": Case(
        {"path": "mbpp.jsonl"},
        {"mbpp.jsonl": MBPP},
        {
            "MBPP/11": ("def add(x):\n    return x + 11\n[DONE]", "def add(x):\n    return x\n"),
            "MBPP/12": ("def add(x):\n    return 12 + x", "```python\ndef add(x):\n    return x - -12\n```"),
        },
        3,
    ),
    "custom": Case(
        {"path": "own.jsonl"},
        {"own.jsonl": [{"id": "p", "question": "Add.", "tests": [{"input": "1 2", "output": "3"}]}]},
        {"p": (ADD, "print(12)")},
        1,
    ),
}


def laid_out(folder: Path, name: str, **fields: Any) -> None:
    case = CASES[name]
    for file, rows in case.files.items():
        written(folder / file, rows)
    samples = [
        {"problem_id": problem, "index": index, "text": text}
        for problem, texts in case.samples.items()
        for index, text in enumerate(texts)
    ]
    written(folder / "samples.jsonl", samples)
    config = {
        "dataset": {"name": name, **case.dataset},
        "engine": {"name": "recorded", "path": "samples.jsonl"},
        "k": 2,
        **fields,
    }
    (folder / "s.yaml").write_text(yaml.safe_dump(config))


def swept(folder: Path, **fields: Any) -> tuple[int, dict[str, int]]:
    """What the flow does, without Prefect: how many samples are drawn, and the verdicts that count."""
    document = yaml.safe_load((folder / "s.yaml").read_text()) | {"store": str(folder / "runs"), **fields}
    config = SweepConfig.model_validate(document)
    sweep = prepare(config)
    drawn = 0
    with sweep.grading.claims, config.engine.open() as engine, config.sandbox.open() as sandbox:
        for block in sweep.missing_samples():
            drawn += sum(part.samples for part in sweep.draw(block, engine) or [])
        for block in sweep.grading.pending_verdicts():
            sweep.grading.grade(block, sandbox)
    return drawn, sweep.results().tally.verdicts


@pytest.mark.parametrize("name", CASES)
def test_each_dataset_is_sampled_and_graded_from_its_rows(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name.startswith("math"):
        pytest.importorskip("math_verify", reason="the math extra is not installed")
    laid_out(tmp_path, name)
    monkeypatch.chdir(tmp_path)
    drawn, found = swept(tmp_path)
    assert drawn == sum(found.values()) == 2 * len(CASES[name].samples)
    assert found["correct"] == CASES[name].correct, found
    assert "infrastructure" not in found


def test_a_sweep_of_math_runs_from_the_command_line(tmp_path: Path, prefect_url: str) -> None:
    pytest.importorskip("math_verify", reason="the math extra is not installed")
    laid_out(tmp_path, "math")
    ended = monkeys("sweep", "s.yaml", cwd=tmp_path, PREFECT_API_URL=prefect_url)
    assert ended.code == 0, ended.err
    (summary,) = (tmp_path / "runs" / "reports").rglob("summary.json")
    assert json.loads(summary.read_text())["verdicts"] == {"correct": 1, "time_limit": 1}


def test_excluded_problems_are_neither_drawn_nor_counted_until_included_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out(tmp_path, "mbpp")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out.jsonl").write_text('{"problem_id": "MBPP/11", "reason": "flaky"}\n')
    assert swept(tmp_path, exclude="out.jsonl") == (2, {"correct": 2})
    assert swept(tmp_path) == (2, {"correct": 3, "wrong": 1}), "only those of the problem that was left out are drawn"
    assert swept(tmp_path, exclude="out.jsonl") == (0, {"correct": 2})


def test_a_report_says_which_problems_were_left_out(tmp_path: Path, prefect_url: str) -> None:
    laid_out(tmp_path, "mbpp")
    (tmp_path / "out.jsonl").write_text('{"problem_id": "MBPP/11", "reason": "flaky"}\n')
    ended = monkeys("sweep", "s.yaml", "--set", "exclude=out.jsonl", cwd=tmp_path, PREFECT_API_URL=prefect_url)
    assert ended.code == 0, ended.err
    assert "1 problem (1 excluded by out.jsonl) × 2 samples" in ended.out
    (report,) = (tmp_path / "runs" / "reports").rglob("report.html")
    assert "1 of 2 problems is left out by" in report.read_text()
    assert "1 of 2 problems is left out by" in ended.out


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("gsm8k", {"exclude": "none.jsonl"}, "exclude: none.jsonl: cannot be read"),
        ("gsm8k", {"dataset": {"name": "gsm8k", "path": "none.parquet"}}, "dataset.path: none.parquet: cannot be read"),
        (
            "gsm8k",
            {"dataset": {"name": "gsm8k", "path": "test.jsonl", "subset": "paper"}},
            "dataset.subset: the paper's",
        ),
        ("gsm8k", {"grader": "stdio"}, "grader: stdio cannot grade problem 'gsm8k/0000' (and 1 more)"),
        ("custom", {"grader": "math"}, "grader: math cannot grade problem 'p': it has no gold answer"),
        ("custom", {"chat": {"tokenizer": "nowhere"}}, "chat.tokenizer: nowhere has no chat template"),
        (
            "custom",
            {"dataset": {"name": "custom", "path": "own.jsonl", "template": "t.txt"}},
            "dataset.template: t.txt cannot be",
        ),
    ],
)
@pytest.mark.slow
def test_what_only_the_user_can_fix_is_reported_in_one_line_and_nothing_is_written(
    tmp_path: Path, name: str, fields: dict[str, Any], message: str
) -> None:
    laid_out(tmp_path, name, **fields)
    before = sorted(tmp_path.rglob("*"))
    ended = monkeys("sweep", "s.yaml", cwd=tmp_path)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert message in ended.err
    assert sorted(tmp_path.rglob("*")) == before
