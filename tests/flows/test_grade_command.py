"""`monkeys grade` and `monkeys doctor` as a person runs them."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandboxes import SandboxUnavailableError
from sandboxes.bubblewrap import BubblewrapConfig
from tests.flows.command import MONKEYS, environment, monkeys

PROBLEM = {"id": "sum", "tests": [{"input": f"{a} 1\n", "output": f"{a + 1}\n"} for a in range(3)], "time_limit_s": 1}
RIGHT = "a, b = map(int, input().split())\nprint(a + b)"
WRONG = "a, b = map(int, input().split())\nprint(a + b if a else 0)"

try:
    BubblewrapConfig().check()
except SandboxUnavailableError as unavailable:
    pytestmark = pytest.mark.skip(reason=str(unavailable))

GRADE = ("grade", "problems.jsonl", "samples.jsonl", "-o", "verdicts.jsonl")


def write(folder: Path, programs: list[str]) -> None:
    (folder / "problems.jsonl").write_text(json.dumps(PROBLEM) + "\n")
    rows = ({"problem_id": "sum", "index": n, "text": program} for n, program in enumerate(programs))
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def verdicts(folder: Path) -> list[str]:
    return [json.loads(line)["verdict"] for line in (folder / "verdicts.jsonl").read_text().splitlines()]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_grade_writes_verdicts_and_prints_a_summary(tmp_path: Path) -> None:
    write(tmp_path, [RIGHT, WRONG, RIGHT, "while True: pass", "", "1/0"])
    ended = monkeys(*GRADE, cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert verdicts(tmp_path) == ["correct", "wrong", "correct", "time_limit", "no_answer", "error"]
    assert "deduplicated: 1 programs are identical to another one for the same problem; 3 executions saved" in ended.out
    assert "memory limited by" in ended.out
    assert [line.split() for line in ended.out.splitlines() if line.strip().startswith("correct")] == [
        ["correct", "2", "33.3%"]
    ]
    assert names(tmp_path) == {"problems.jsonl", "samples.jsonl", "verdicts.jsonl"}
    again = monkeys(*GRADE, cwd=tmp_path)
    assert (again.code, len(again.err.splitlines())) == (2, 1)
    assert "already exists" in again.err


@pytest.mark.slow
def test_options_of_grade_and_its_json_summary(tmp_path: Path) -> None:
    slow = "import time\nwhile time.process_time() < 1.3: pass\n" + RIGHT
    write(tmp_path, [WRONG, slow, "x = bytearray(200 << 20)\n" + RIGHT])
    ended = monkeys(
        *(*GRADE, "--json", "--all-tests", "--workers", "1", "--time-multiplier", "3", "--set", "memory_limit_mb=128"),
        cwd=tmp_path,
    )
    document = json.loads(ended.out)
    assert document["verdicts"] == {"correct": 1, "wrong": 1, "memory_limit": 1}
    assert document["executions"] == 9
    assert document["sandbox"].startswith("bubblewrap")
    assert verdicts(tmp_path) == ["wrong", "correct", "memory_limit"]


def test_programs_are_extracted_from_chat_answers_on_request(tmp_path: Path) -> None:
    drafts = f"<think>```python\n{WRONG}\n```</think>Draft:\n```python\n{WRONG}\n```\nFinal:\n```python\n{RIGHT}\n```\n"
    write(tmp_path, [drafts, RIGHT, f"```\n{WRONG}\n```"])
    assert monkeys(*GRADE, cwd=tmp_path).code == 0
    assert verdicts(tmp_path) == ["error", "correct", "error"]
    (tmp_path / "verdicts.jsonl").unlink()
    assert monkeys(*GRADE, "--extract-code", cwd=tmp_path).code == 0
    assert verdicts(tmp_path) == ["correct", "correct", "wrong"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--sandbox", "nonsense"), "sandbox"),
        (("--set", "nonsense=1"), "sandbox.nonsense"),
        (("--set", "memory_limit_mb"), "not of the form"),
        (("--time-multiplier", "0"), "sandbox.time_multiplier"),
        (("--python", "/no/such/python"), "/no/such/python"),
    ],
)
def test_unusable_files_and_options_are_reported_in_one_line_and_nothing_is_written(
    tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    write(tmp_path, [RIGHT])
    ended = monkeys(*GRADE, *options, cwd=tmp_path)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert message in ended.err
    assert names(tmp_path) == {"problems.jsonl", "samples.jsonl"}


def test_a_malformed_last_line_is_found_before_any_work(tmp_path: Path) -> None:
    write(tmp_path, [RIGHT] * 5)
    with (tmp_path / "samples.jsonl").open("a") as file:
        file.write('{"problem_id": "sum", "index": 5}\n')
    ended = monkeys(*GRADE, cwd=tmp_path)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "samples.jsonl, line 6: text: " in ended.err
    assert names(tmp_path) == {"problems.jsonl", "samples.jsonl"}


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.slow
def test_grading_that_was_stopped_is_resumed(tmp_path: Path, ending: signal.Signals) -> None:
    write(tmp_path, [f"import time; time.sleep(0.1) # {n}\n" + RIGHT for n in range(30)])
    # A job in the background, as tests may be, hands an ignored SIGINT on.
    command = ["env", "--default-signal=INT", MONKEYS, *GRADE]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 300
    while _log_lines(tmp_path) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(ending)
    process.wait()
    kept = _log_lines(tmp_path)
    assert kept >= 3
    assert "verdicts.jsonl" not in names(tmp_path)
    ended = monkeys(*GRADE, "--json", cwd=tmp_path)
    document = json.loads(ended.out)
    assert document["earlier"] >= kept - 1
    assert document["executions"] == 3 * (30 - document["earlier"])
    assert verdicts(tmp_path) == ["correct"] * 30
    assert names(tmp_path) == {"problems.jsonl", "samples.jsonl", "verdicts.jsonl"}


STATEMENTS = [
    {"id": "add", "theorem": {"prover": "rocq", "statement": "Theorem add : forall n : nat, n + 0 = n."}},
    {"id": "one", "theorem": {"prover": "rocq", "statement": "Theorem one : 1 + 1 = 2."}},
    {"id": "bad", "theorem": {"prover": "rocq", "statement": "Theorem bad : no_such_thing = 2."}},
]
PROOFS = [
    ("one", "reflexivity."),
    ("add", "reflexivity."),
    ("add", "induction n; simpl; congruence."),
    ("one", "reflexivity."),
    ("one", "Admitted."),
]
GRADE_PROOFS = ("grade", "statements.jsonl", "proofs.jsonl", "-o", "verdicts.jsonl", "--prover", "rocq")


def write_proofs(folder: Path, proofs: list[tuple[str, str]]) -> None:
    (folder / "statements.jsonl").write_text("".join(json.dumps(row) + "\n" for row in STATEMENTS))
    rows = ({"problem_id": problem, "text": text} for problem, text in proofs)
    (folder / "proofs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


needs_rocq = pytest.mark.skipif(shutil.which("coqc") is None, reason="Rocq is not installed: `make provers`")


@needs_rocq
def test_proofs_of_a_file_of_statements_are_confirmed(tmp_path: Path) -> None:
    write_proofs(tmp_path, PROOFS)
    ended = monkeys(*GRADE_PROOFS, cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert verdicts(tmp_path) == ["correct", "error", "correct", "correct", "no_answer"]
    rows = [json.loads(line) for line in (tmp_path / "verdicts.jsonl").read_text().splitlines()]
    assert [(row["problem_id"], row["index"]) for row in rows] == [
        *(("one", 0), ("add", 0), ("add", 1), ("one", 1), ("one", 2))
    ]
    assert "deduplicated: 1 samples are identical to another one for the same problem" in ended.out
    assert "proof, version" in ended.out
    assert "not confirmed" not in ended.out


@needs_rocq
def test_proofs_that_are_not_confirmed_are_marked(tmp_path: Path) -> None:
    write_proofs(tmp_path, PROOFS[:2])
    ended = monkeys(*GRADE_PROOFS, "--set", "grader.prover.confirm=false", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "Correct proofs are not confirmed" in ended.out
    details = [json.loads(line)["detail"] for line in (tmp_path / "verdicts.jsonl").read_text().splitlines()]
    assert details[0] == "not confirmed"


@needs_rocq
def test_a_statement_that_does_not_load_leaves_its_proofs_pending_and_no_others(tmp_path: Path) -> None:
    write_proofs(tmp_path, [("bad", f"reflexivity. (* {number} *)") for number in range(25)] + PROOFS[:1])
    ended = monkeys(*GRADE_PROOFS, "--set", "grader.prover.confirm=false", "--json", cwd=tmp_path)
    assert ended.code == 1
    assert json.loads(ended.out)["verdicts"] == {"correct": 1, "infrastructure": 25}
    assert "1 of 2 theorems cannot be graded, because they do not load" in ended.err


@needs_rocq
def test_proofs_of_bundled_theorems_are_graded_by_the_usual_grader_with_its_settings(tmp_path: Path) -> None:
    (tmp_path / "proofs.jsonl").write_text('{"problem_id": "theorems/00/0", "text": "lia."}\n')
    command = ("grade", "theorems", "proofs.jsonl", "-o", "verdicts.jsonl")
    ended = monkeys(*command, cwd=tmp_path)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    first = re.search(r"is not one of the 96 problems; the first is '(.+)'", ended.err)
    assert first is not None, ended.err
    (tmp_path / "proofs.jsonl").write_text(json.dumps({"problem_id": first[1], "text": "idtac."}) + "\n")
    assert monkeys(*command, "--set", "grader.prover.time_limit_s=5", cwd=tmp_path).code == 0
    assert verdicts(tmp_path) == ["error"]


def test_brackets_in_paths_are_shown_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "[").mkdir()
    row = {"id": "p", "question": "1 + 1?", "answer": "2"}
    (tmp_path / "problems.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "[/b].jsonl").write_text('{"problem_id": "p", "text": "#### 2"}\n')
    command = ("grade", "problems.jsonl", "[/b].jsonl", "-o", "v[b].jsonl", "--grader", "final_answer")
    ended = monkeys(*command, cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "monkeys grade [/b].jsonl\n" in ended.out
    assert "verdicts: v[b].jsonl\n" in ended.out


def test_a_folder_with_the_name_of_a_dataset_does_not_hide_it(tmp_path: Path) -> None:
    (tmp_path / "theorems").mkdir()
    (tmp_path / "proofs.jsonl").write_text('{"problem_id": "absent", "text": "lia."}\n')
    ended = monkeys("grade", "theorems", "proofs.jsonl", "-o", "verdicts.jsonl", cwd=tmp_path)
    assert (ended.code, "'absent' is not one of the 96 problems" in ended.err) == (2, True), ended.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("no_such_dataset",), "dataset.name: 'no_such_dataset' is unknown"),
        (("statements.jsonl", "--prover", "coq"), "grader.prover.name: 'coq' is unknown; one of"),
        (("statements.jsonl", "--grader", "math", "--prover", "rocq"), "only the grader proof has a prover, not math"),
        (("statements.jsonl", "--grader", "math"), "grader: math"),
        (("statements.jsonl",), "tests: field required"),
        (("statements.jsonl", "--prover", "rocq", "--all-tests"), "--all-tests: is for a file of programs' tests"),
        (("statements.jsonl", "--prover", "rocq", "--workers", "2"), "--workers: the grader proof runs no programs"),
        (("statements.jsonl", "--prover", "rocq", "--set", "memory_limit_mb=256"), "--set memory_limit_mb: the grader"),
        (("statements.jsonl", "--prover", "rocq", "--set", "grader.prover.time=9"), "grader.prover.time"),
    ],
)
def test_what_cannot_be_graded_by_a_dataset_is_one_line(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    write_proofs(tmp_path, PROOFS)
    ended = monkeys("grade", options[0], "proofs.jsonl", "-o", "verdicts.jsonl", *options[1:], cwd=tmp_path)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1), ended.err
    assert message in ended.err
    assert names(tmp_path) == {"statements.jsonl", "proofs.jsonl"}


def _log_lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("*.part"))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_samples(tmp_path: Path) -> None:
    """The files differ by 60 megabytes; the smaller one is large enough to fill all buffers."""
    peaks = []
    for count in (15_000, 45_000):
        folder = tmp_path / str(count)
        folder.mkdir()
        write(folder, [RIGHT + "\n#" + "x" * 2000] * count)
        peaks.append(_peak_bytes(folder))
        assert verdicts(folder) == ["correct"] * count
    assert peaks[1] - peaks[0] < 15 << 20


_PEAK = """
import atexit
from flows.command_line.cli import main
def tell():
    print([line for line in open("/proc/self/status") if line.startswith("VmHWM")][0].split()[1])
atexit.register(tell)
main()
"""


def _peak_bytes(folder: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *GRADE], cwd=folder, env=environment(), capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1]) * 1024


@pytest.mark.slow
def test_doctor_shows_which_sandboxes_work(tmp_path: Path) -> None:
    document = json.loads(monkeys("doctor", "--json", cwd=tmp_path).out)
    states = {state["name"]: state for state in document["sandboxes"]}
    works = states["bubblewrap"] if states["bubblewrap"]["works"] else states["bubblewrap-spawn"]
    assert set(works["isolates"]) == {"processes", "files", "network", "system calls", "privileges"}
    assert works["memory_bound"] in {"cgroup v1", "cgroup v2", "rlimits"}
    provers = {state["name"]: state for state in document["provers"]}
    assert provers["rocq"]["works"] is (shutil.which("coqc") is not None)
    ended = monkeys("doctor", cwd=tmp_path)
    assert ended.code == 0
    assert "bubblewrap" in ended.out
    assert works["memory_bound"] in ended.out
    assert names(tmp_path) == set()


def test_doctor_says_what_to_install(tmp_path: Path) -> None:
    ended = monkeys("doctor", cwd=tmp_path, PATH=str(tmp_path), DOCKER_HOST="unix:///nonexistent")
    assert ended.code == 1
    assert "apt-get install bubblewrap" in ended.out
    assert "make provers" in ended.out
    assert "prover rocq: does not work: " in ended.out
    assert "prover kimina: not tried" in ended.out


def test_the_former_name_of_grade_still_works_and_is_hidden(tmp_path: Path) -> None:
    old = monkeys("judge", "--help", cwd=tmp_path)  # words: ok
    assert (old.code, "SAMPLES.jsonl" in old.out) == (0, True)
    shown = monkeys("--help", cwd=tmp_path).out
    assert "grade" in shown
    assert "judge" not in shown  # words: ok
