"""Audits find the faults that were planted, and no others."""

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path
from typing import Any

import pytest

from flows.config.audit import AuditGradersConfig, AuditTestsConfig
from flows.setup.audit import audit_graders, audit_tests
from sandboxes import SandboxUnavailableError
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.datasets.exclusions import read_exclusions
from tasks.errors import UserError
from tasks.graders.code_contests import CodeContestsGrader
from tasks.graders.gsm8k_tolerant import Gsm8kTolerantGrader
from tasks.graders.stdio import StdioGrader
from tasks.graders.stdio_exact import StdioExactGrader
from tasks.records import Verdict
from tests.datasets.files import Rows, written
from tests.flows.command import MONKEYS, monkeys

RIGHT = "print(sum(map(int, input().split())))"
TOLERANT = f"gsm8k_tolerant v{Gsm8kTolerantGrader.version}"
FLAKY = "import time; print(3 if time.time_ns() // 1000 % 2 else 4)"


def sums(name: str, output: str = "3\n", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "question": "Add.",
        "tests": [{"input": "1 2\n", "output": output}],
        "solutions": [RIGHT],
        **more,
    }


def config(folder: Path, rows: Rows, **fields: Any) -> dict[str, Any]:
    return {"dataset": {"name": "custom", "path": written(folder / "own.jsonl", rows)}, **fields}


@pytest.fixture(autouse=True)
def _sandbox() -> None:
    try:
        BubblewrapConfig().check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))


def test_tests_that_reject_a_correct_program_accept_a_wrong_one_or_are_flaky_are_found(tmp_path: Path) -> None:
    rows = [
        sums("sound"),
        sums("1_A. rejects", "12\n"),
        sums("flaky", solutions=[RIGHT, FLAKY]),
        sums("unknown", solutions=[]),
    ]
    samples = [
        {"problem_id": "sound", "text": "print(3)", "correct": False},
        {"problem_id": "sound", "text": "print(5)", "correct": False},
    ]
    labelled = written(tmp_path / "labelled.jsonl", samples)
    # A coin that falls 12 times on one side: 1 in 2,048.
    asked = config(tmp_path, rows, labelled=labelled, repeats=12, output=tmp_path / "out.jsonl")
    audits = {each.problem_id: each for each in audit_tests(AuditTestsConfig.model_validate(asked))}
    sound, rejects, flaky, unknown = (audits[name] for name in ("sound", "1_A. rejects", "flaky", "unknown"))
    assert (sound.correct, sound.rejected, sound.wrong, sound.accepted, sound.reason) == (1, 0, 2, 1, None)
    assert rejects.rejected == 1
    assert rejects.reason == "rejects 1 of 1 known-correct: wrong (test 1 of 1: expected '12', got '3')"
    assert (flaky.correct, flaky.rejected, flaky.flaky) == (2, 0, 1)
    assert (unknown.correct, unknown.reason) == (0, None)
    left_out = read_exclusions(str(tmp_path / "out.jsonl"), AuditTestsConfig.model_validate(asked).dataset.load())
    assert list(left_out) == ["1_A. rejects", "flaky"]


def test_an_agreement_lists_false_positives_and_false_negatives(tmp_path: Path) -> None:
    rows = [{"id": f"p{number}", "question": "?", "answer": f"{number}"} for number in (1, 2)]
    labelled = [
        {"problem_id": "p1", "text": "#### 1", "correct": True},
        {"problem_id": "p1", "text": "The answer is 1.", "correct": True},
        {"problem_id": "p2", "text": "#### 2", "correct": False},
        {"problem_id": "p2", "text": "#### 3", "correct": False},
        {"problem_id": "elsewhere", "text": "#### 3", "correct": False},
    ]
    asked = config(tmp_path, rows, labelled=written(tmp_path / "l.jsonl", labelled), grader="gsm8k")
    result = audit_graders(AuditGradersConfig.model_validate(asked))
    gold, of_labelled = result.agreements
    assert (gold.source, gold.samples, gold.rate) == ("gold answers", 2, 1)
    assert (of_labelled.samples, of_labelled.agreed, of_labelled.rate) == (4, 2, 0.5)
    (positive,), (negative,) = of_labelled.false_positives, of_labelled.false_negatives
    assert (positive.sample.text, positive.gold, positive.verdict) == ("#### 2", "2", Verdict.CORRECT)
    assert (negative.sample.text, negative.verdict) == ("The answer is 1.", Verdict.NO_ANSWER)
    assert result.sound


def test_a_grader_that_rejects_a_gold_answer_is_not_sound(tmp_path: Path) -> None:
    rows = [{"id": "p", "question": "?", "answer": "no number"}]
    asked = config(tmp_path, rows, grader="gsm8k")
    assert not audit_graders(AuditGradersConfig.model_validate(asked)).sound


def test_a_dataset_or_file_that_cannot_be_audited_is_one_line(tmp_path: Path) -> None:
    rows = [sums("p", solutions=[])]
    with pytest.raises(UserError, match="custom has no known solutions; give a file of labelled programs"):
        audit_tests(AuditTestsConfig.model_validate(config(tmp_path, rows)))
    with pytest.raises(UserError, match="dataset: custom has problem 'p' more than once"):
        audit_tests(AuditTestsConfig.model_validate(config(tmp_path, [sums("p"), sums("p")])))
    written(tmp_path / "own.jsonl", rows)
    labelled = written(tmp_path / "l.jsonl", [{"problem_id": "q", "text": "", "correct": True}])
    with pytest.raises(UserError, match="has no sample of any of the 1 problems"):
        audit_tests(AuditTestsConfig.model_validate(config(tmp_path, rows, labelled=labelled)))
    whole = (tmp_path / "own.jsonl").read_text()
    for output, fault in (
        (tmp_path / "none" / "out.jsonl", "there is no folder"),
        (tmp_path / "out.csv", "does not end in .jsonl"),
        (tmp_path / "." / "own.jsonl", "is what is audited"),
    ):
        with pytest.raises(UserError, match=fault):
            audit_tests(AuditTestsConfig.model_validate(config(tmp_path, rows, output=output)))
    assert (tmp_path / "own.jsonl").read_text() == whole


def test_the_table_of_agreements_fits_a_terminal_of_80_columns(tmp_path: Path) -> None:
    rows = [{"id": f"p{number}", "question": "?", "answer": f"{number}"} for number in range(100)]
    path = written(tmp_path / "own.jsonl", rows)
    samples = [{"problem_id": row["id"], "text": "none", "correct": True} for row in rows]
    labelled = written(tmp_path / "l.jsonl", samples)
    command = [MONKEYS, "audit", "graders", "--set", "dataset.name=custom", "--labelled", labelled]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    environment |= {"TERM": "xterm", "NO_COLOR": "1"}
    more = ["--set", f"dataset.path={path}", "--set", "grader=gsm8k_tolerant", "--examples", "1"]
    with subprocess.Popen([*command, *more], stdout=theirs, stderr=theirs, env=environment) as running:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal
            while data := os.read(ours, 1 << 16):
                shown += data
    os.close(ours)
    assert running.returncode == 0, shown.decode()
    lines = [re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", line) for line in shown.decode().split("\n")]
    (row,) = [line for line in lines if TOLERANT in line and "gold answers" in line]
    assert row.split()[-4:] == ["100", "100.00%", "0", "0"]
    assert any(f"{TOLERANT}, labelled: 99 false negatives more" in line for line in lines)


@pytest.mark.slow
def test_audit_tests_and_audit_graders_run_from_the_command_line(tmp_path: Path) -> None:
    written(tmp_path / "own.jsonl", [sums("sound"), sums("rejects", "12\n")])
    (tmp_path / "s.yaml").write_text(
        "dataset: {name: custom, path: own.jsonl}\nengine: {name: recorded, path: none.jsonl}\nk: 7\n"
    )
    tests = monkeys("audit", "tests", "s.yaml", "-r", "2", "-o", "out.jsonl", cwd=tmp_path)
    assert (tests.code, tests.err) == (0, "")
    assert "rejects" in tests.out
    assert "out.jsonl: 1 to exclude" in tests.out
    assert json.loads((tmp_path / "out.jsonl").read_text())["problem_id"] == "rejects"
    graders = monkeys("audit", "graders", "s.yaml", "--json", cwd=tmp_path)
    assert graders.code == 0, graders.err
    names = [each["grader"] for each in json.loads(graders.out)["agreements"]]
    assert names == [f"{each().name} v{each.version}" for each in (StdioGrader, StdioExactGrader, CodeContestsGrader)]
    bad = monkeys("audit", "tests", "--set", "dataset=nosuch", cwd=tmp_path)
    assert (bad.code, len(bad.err.splitlines())) == (2, 1)
    assert "dataset.name: 'nosuch' is unknown" in bad.err
