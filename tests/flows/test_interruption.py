"""A sweep that is told to stop says so at once, stops within seconds, and goes on when it is run again: a real process,
stopped in each of its stages, with each kind of grader."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from flows.command_line.interruption import PATIENCE_S
from tests.flows.command import MONKEYS, environment, monkeys
from tests.flows.counted_sweep import blocks, wait_until
from tests.servers import s3_of, serving

MESSAGE = "monkeys: interrupted. Finished work is saved; run the same command again to resume."
SECONDS = PATIENCE_S + 50
"""For Prefect and a busy machine. What the sweeps here do would take minutes longer."""
HERE = Path(__file__).parent

STDIO = {"tests": [{"input": "", "output": "2\n"}] * 20}
FUNCTION = {"function": {"entry_point": "f", "test": "def check(candidate):\n    assert candidate() == 2"}}
SLEEPING = "import time\ntime.sleep(8)\nprint(2)"


class Case(NamedTuple):
    """What is graded, by which grader, and how long a grader in this process takes for each sample, in seconds."""

    check: Mapping[str, object]
    text: str
    grader: str | None = None
    seconds: float = 0.0


GRADERS = {
    "a sandbox": Case(STDIO, SLEEPING),
    "a function": Case(FUNCTION, "def f():\n    import time\n    time.sleep(8)\n    return 2"),
    "algebra": Case({"answer": "2"}, r"\boxed{\int_0^1 \sin(x^{x^{x}})^{x^x} dx}", "math_tolerant", 0.2),
    "text": Case({"answer": "2"}, "#### 2", "gsm8k_tolerant", 0.2),
    "one that never looks up": Case({"answer": "2"}, "#### 2", "gsm8k_tolerant", 600.0),
}


def write(folder: Path, case: Case, samples: int = 100, **fields: object) -> None:
    """A sweep over one problem, drawn from a file."""
    rows = [{"problem_id": "p", "index": i, "text": f"{case.text}\n# {i}"} for i in range(samples)]
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "problems.jsonl").write_text(json.dumps({"id": "p", "question": "?", **case.check}) + "\n")
    sweep = {
        "dataset": {"name": "custom", "path": "problems.jsonl"},
        **({"grader": case.grader} if case.grader else {}),
        "engine": {"name": "recorded", "path": "samples.jsonl"},
        "k": samples,
        **fields,
    }
    (folder / "sweep.yaml").write_text(json.dumps(sweep))


def start(folder: Path, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        # A job in the background, as tests may be, hands an ignored SIGINT on.
        ["env", "--default-signal=INT,TERM", MONKEYS, "sweep", "sweep.yaml"],
        cwd=folder,
        env=environment(PYTHONPATH=str(HERE / "slowed"), **variables),
        stdout=subprocess.PIPE,
        stderr=(folder / "stderr").open("w"),
        text=True,
    )


def stop(process: subprocess.Popen[str], folder: Path, number: signal.Signals = signal.SIGTERM) -> None:
    """Send the signal; the message must come first, and the process be gone soon."""
    process.send_signal(number)
    wait_until(lambda: MESSAGE in (folder / "stderr").read_text(), "it says that it stops", seconds=SECONDS)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + number
    assert (folder / "stderr").read_text().strip() == MESSAGE


def is_grading(folder: Path) -> Callable[[], bool]:
    """Whether samples have been stored, and some time has passed in which a grader has started."""

    def started() -> bool:
        stored = blocks(folder / "runs")
        return bool(stored) and time.time() - stored[0].stat().st_mtime > 2

    return started


@pytest.mark.parametrize("kind", GRADERS)
def test_a_sweep_that_is_told_to_stop_while_it_grades_stops(kind: str, tmp_path: Path, prefect_url: str) -> None:
    case = GRADERS[kind]
    write(tmp_path, case)
    process = start(tmp_path, PREFECT_API_URL=prefect_url, SECONDS_A_SAMPLE=str(case.seconds))
    wait_until(is_grading(tmp_path), "it grades", 200, running=process)
    stop(process, tmp_path)
    assert not blocks(tmp_path / "runs", "verdicts"), "a block that is not graded in full is not stored"
    drawn = [path.read_bytes() for path in blocks(tmp_path / "runs")]
    if kind == "text":
        assert monkeys("sweep", "sweep.yaml", cwd=tmp_path, PREFECT_API_URL=prefect_url).code == 0
        assert blocks(tmp_path / "runs", "verdicts")
        assert [path.read_bytes() for path in blocks(tmp_path / "runs")] == drawn, "nothing is drawn again"


def test_ctrl_c_while_a_sweep_grades_stops_it(tmp_path: Path, prefect_url: str) -> None:
    write(tmp_path, GRADERS["a sandbox"])
    process = start(tmp_path, PREFECT_API_URL=prefect_url)
    wait_until(is_grading(tmp_path), "it grades", 200, running=process)
    stop(process, tmp_path, signal.SIGINT)


def test_a_second_signal_ends_a_sweep_at_once(tmp_path: Path, prefect_url: str) -> None:
    write(tmp_path, GRADERS["one that never looks up"])
    process = start(tmp_path, PREFECT_API_URL=prefect_url, SECONDS_A_SAMPLE="600", PATIENCE_S="600")
    wait_until(is_grading(tmp_path), "it grades", 200, running=process)
    process.send_signal(signal.SIGTERM)
    wait_until(lambda: MESSAGE in (tmp_path / "stderr").read_text(), "it says that it stops", seconds=SECONDS)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("stage", ["drawing", "measuring", "reporting"])
def test_a_sweep_that_is_told_to_stop_in_another_stage_stops(stage: str, tmp_path: Path, prefect_url: str) -> None:
    """Each is made to take ten minutes, in a call that nothing interrupts."""
    write(tmp_path, Case({"answer": "2"}, "#### 2", "gsm8k_tolerant"), samples=4)
    process = start(tmp_path, PREFECT_API_URL=prefect_url, SLOW_STAGE=stage, STAGE_STARTED=str(tmp_path / "started"))
    wait_until((tmp_path / "started").exists, stage, 200, running=process)
    stop(process, tmp_path)
    assert monkeys("sweep", "sweep.yaml", cwd=tmp_path, PREFECT_API_URL=prefect_url).code == 0


def test_a_sweep_that_is_told_to_stop_while_it_waits_for_its_store_stops(tmp_path: Path, prefect_url: str) -> None:
    s3 = s3_of(tmp_path / "s3" / "buckets")
    with serving(s3):
        bucket = s3.new_bucket()
        runs = s3.root / bucket / "runs"
        write(tmp_path, GRADERS["text"], store=f"s3://{bucket}/runs")
        process = start(tmp_path, PREFECT_API_URL=prefect_url, SECONDS_A_SAMPLE="0.2", **s3.environment)
        wait_until(lambda: bool(blocks(runs)), "samples are stored", 200, running=process)
    time.sleep(30)
    stop(process, tmp_path)


def test_processes_that_a_sweep_has_started_end_with_it(tmp_path: Path, prefect_url: str) -> None:
    """Also where it did not get to end them itself."""
    write(tmp_path, GRADERS["a sandbox"])
    process = start(tmp_path, PREFECT_API_URL=prefect_url)
    wait_until(is_grading(tmp_path), "it grades", 200, running=process)
    below = _below(process.pid)
    assert below
    for _ in range(2):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    process.communicate(timeout=SECONDS)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below), "its processes end")


def _below(pid: int) -> list[int]:
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return children + [grand for child in children for grand in _below(child)]
