"""The watchdog with processes that die, hang or return malformed data: each sample arrives once, or there is one
line."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tasks.engines.supervised.supervised_process import SupervisedProcess
from tasks.engines.supervised.vllm_direct import DirectStart
from tasks.engines.supervised.vllm_process import Installation, Setting, log_file
from tasks.engines.supervised.watchdog import EngineProcessError, Heartbeat, Missing, SupervisedEngine
from tasks.errors import EngineFailedError, SamplingCancelledError, UserError
from tasks.progress import progress
from tasks.records import Request, Sample, Sampling
from tests.engines.deadline import in_thread

WORKER = Path(__file__).with_name("misbehaving_worker.py")
SAMPLING = Sampling(temperature=1.0, top_p=1.0, max_tokens=5, stop=(), seed=0)
REQUESTS = [Request("b", "b", 0, 30), Request("a", "a", 10, 25)]
WANTED = {("b", index) for index in range(30)} | {("a", index) for index in range(10, 25)}


class Listener:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def plan(self, stage: str, total: int) -> None: ...

    def advance(self, stage: str, done: int) -> None: ...

    def say(self, line: str) -> None:
        self.lines.append(line)


def _engine(tmp_path: Path, behaviours: Sequence[str], **changes: Any) -> SupervisedEngine:
    arguments = {"lives": str(tmp_path / "lives"), "behaviours": behaviours, "pause_s": changes.pop("pause_s", 0.0)}
    timeout = changes.pop("start_timeout_s", 60.0)
    installed = Installation(changes.pop("python", sys.executable), "0", on_cpu=True)
    setting = Setting(installed, arguments, dict(os.environ), log_file(str(tmp_path / "logs")), timeout)
    usual: dict[str, Any] = {
        "what": "vLLM",
        "log": setting.log,
        "version": "0",
        "deterministic": True,
        "max_concurrent_calls": 2,
        "stall_timeout_s": 60,
        "max_restarts": 2,
    }
    return SupervisedEngine(DirectStart(setting, WORKER), **usual | changes)


def _draw(engine: SupervisedEngine, requests: Sequence[Request] = REQUESTS) -> list[Sample]:
    return [sample for samples in engine.sample(requests, SAMPLING) for sample in samples]


def _keys(samples: Sequence[Sample]) -> list[tuple[str, int]]:
    return sorted((sample.problem_id, sample.index) for sample in samples)


def _lives(tmp_path: Path) -> list[int]:
    return [int(line) for line in (tmp_path / "lives").read_text().splitlines()]


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    with _engine(tmp_path_factory.mktemp("well"), ["well"]) as engine:
        return sorted(_draw(engine), key=lambda sample: (sample.problem_id, sample.index))


def test_an_engine_that_answers_at_once_is_not_restarted(tmp_path):
    """The first samples may arrive before the call that requested them continues."""
    with _engine(tmp_path, ["well"]) as engine:
        for _ in range(1_000):
            assert len(_draw(engine, [Request("a", "a", 0, 3)])) == 3
    assert len(_lives(tmp_path)) == 1


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        ("die:17", "RuntimeError: a bit fell over"),
        ("killed:17", "it was killed (signal 9), perhaps because memory ran out"),
        ("hang:17", "it hangs: no token for 1.5 s (engine.stall_timeout_s)"),
        ("nan:17", "malformed response: sample "),
        ("other index:17", "malformed response: sample 1000000 of "),
        ("other request:17", "malformed response: {"),
        ("no text:17", "malformed response: sample "),
        ("aborted:17", "malformed response: sample "),
        ("no JSON:17", "malformed response: "),
        ("no object:17", "malformed response: "),
    ],
)
@pytest.mark.slow
def test_a_process_that_fails_is_replaced_and_each_sample_arrives_once(tmp_path, undisturbed, behaviour, cause):
    listener = Listener()
    token = progress.set(listener)
    try:
        # A busy machine must not look like an engine that hangs.
        stall_timeout_s = 1.5 if behaviour.startswith("hang") else 60
        with _engine(tmp_path, [behaviour, "well"], stall_timeout_s=stall_timeout_s) as engine:
            drawn = _draw(engine)
    finally:
        progress.reset(token)
    assert sorted(drawn, key=lambda sample: (sample.problem_id, sample.index)) == undisturbed
    assert len(_lives(tmp_path)) == 2
    assert listener.lines[0].startswith(f"vLLM restarts in 1 s: {cause}")
    assert not any(map(_running, _lives(tmp_path)))


def test_a_process_is_replaced_even_if_its_log_was_removed(tmp_path):
    with _engine(tmp_path, ["die:17", "well"]) as engine:
        (log,) = (tmp_path / "logs").iterdir()
        log.unlink()
        assert set(_keys(_draw(engine))) == WANTED
    assert len(_lives(tmp_path)) == 2


def test_the_cause_is_found_if_the_process_ends_before_anyone_looks(tmp_path, monkeypatch):
    """A process may end before the one that started it executes its next line."""

    class Late(SupervisedProcess):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            while self.status() is None:
                time.sleep(0.05)

    monkeypatch.setattr("tasks.engines.supervised.vllm_direct.SupervisedProcess", Late)
    with pytest.raises(UserError, match="vLLM does not start: /no/python: No such file or directory; its log: "):
        _engine(tmp_path, ["well"], python="/no/python")


def test_a_process_that_died_is_replaced_even_if_others_hold_its_pipe_open(tmp_path, monkeypatch):
    """A process forked in between may have inherited the other end of the pipe, and may live on."""
    held: list[int] = []

    class Held(SupervisedProcess):
        def __init__(self, command: Sequence[str], environment: Any, log: Any, descriptors: Sequence[int]) -> None:
            super().__init__(command, environment, log, descriptors)
            held.append(os.dup(descriptors[0]))

    monkeypatch.setattr("tasks.engines.supervised.vllm_direct.SupervisedProcess", Held)
    try:
        with _engine(tmp_path, ["die:17", "well"]) as engine:
            assert set(_keys(in_thread(_draw, engine).result(timeout=60))) == WANTED
    finally:
        for descriptor in held:
            os.close(descriptor)
    assert len(_lives(tmp_path)) == 2


@pytest.mark.slow
def test_time_during_which_all_processes_were_stopped_does_not_count_as_a_hang(tmp_path):
    """As in a frozen container: the clock runs on while no process does."""
    program = (
        "import sys, pathlib; from tests.engines.test_watchdog import _engine, _draw\n"
        "with _engine(pathlib.Path(sys.argv[1]), ['well'], pause_s=0.1, stall_timeout_s=4) as engine:\n"
        "    print(len(_draw(engine)))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 120
        while not (tmp_path / "lives").exists() or not _lives(tmp_path):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1)
        for each in (*_lives(tmp_path), process.pid):
            os.kill(each, signal.SIGSTOP)
            time.sleep(0.5)
        time.sleep(6)
        for each in (process.pid, *_lives(tmp_path)):
            os.kill(each, signal.SIGCONT)
            time.sleep(0.7)
        drawn, _ = process.communicate(timeout=60)
    assert int(drawn) == len(WANTED)
    assert len(_lives(tmp_path)) == 1


class Scripted:
    """A scripted engine process. The first yields two samples of problem `a`, the second of them only once it is dead;
    later ones yield none."""

    def __init__(self, number: int, late: threading.Event, taken: threading.Event) -> None:
        self.number, self.late, self.taken = number, late, taken

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        if self.number == 1 and requests[0].problem_id == "a":
            yield [Sample("a", 0, "")]
            assert self.late.wait(60)
            yield [Sample("a", 1, "")]
            self.taken.set()
        elif self.number > 1:
            self.late.set()
            assert self.taken.wait(60)
        raise EngineProcessError("it is old")

    def heartbeat(self) -> Heartbeat:
        return Heartbeat(busy=False, number=0)

    def exit_reason(self) -> str | None:
        return None

    def end(self, cause: str) -> None: ...


def test_samples_left_from_an_earlier_process_do_not_count_for_the_next_one(tmp_path):
    late, taken = threading.Event(), threading.Event()
    lives: list[Scripted] = []

    def start(_: threading.Event) -> Scripted:
        lives.append(Scripted(len(lives) + 1, late, taken))
        return lives[-1]

    settings: dict[str, Any] = {"what": "It", "log": tmp_path, "version": "0", "deterministic": True}
    with SupervisedEngine(start, max_concurrent_calls=2, stall_timeout_s=60, max_restarts=1, **settings) as engine:
        first = engine.sample([Request("a", "a", 0, 3)], SAMPLING)
        assert next(first) == [Sample("a", 0, "")]
        other = in_thread(_draw, engine, [Request("b", "b", 0, 3)])
        with pytest.raises(EngineFailedError, match="It failed 2 times in a row"):
            in_thread(list, first).result(timeout=60)
        with pytest.raises(EngineFailedError):
            other.result(timeout=60)
    assert len(lives) == 2


def test_concurrent_calls_share_one_restart(tmp_path):
    with _engine(tmp_path, ["die:20", "well"]) as engine:
        calls = [in_thread(_draw, engine, [Request(name, name, 0, 40)]) for name in "abc"]
        for name, call in zip("abc", calls, strict=True):
            assert _keys(call.result(timeout=60)) == [(name, index) for index in range(40)]
    assert len(_lives(tmp_path)) == 2


def test_failures_with_samples_between_them_do_not_add_up(tmp_path):
    # Each process yields twenty samples: more failures than `max_restarts`, but none in a row.
    with _engine(tmp_path, ["die:20"], max_restarts=1) as engine:
        assert set(_keys(_draw(engine))) == WANTED
    assert len(_lives(tmp_path)) == 3


def test_repeated_failures_end_in_one_line_after_what_was_drawn(tmp_path):
    came = []
    with _engine(tmp_path, ["die:12", "die:0"], max_restarts=2) as engine:
        with pytest.raises(EngineFailedError) as failed:
            for samples in engine.sample(REQUESTS, SAMPLING):
                came += samples
        with pytest.raises(EngineFailedError):  # for good
            _draw(engine)
    assert len(came) == 12
    assert len(_lives(tmp_path)) == 3
    line = str(failed.value)
    assert line.startswith("vLLM failed 3 times in a row: RuntimeError: a bit fell over; its log: ")
    assert "\n" not in line
    assert "good bye" in Path(line.rsplit(": ", 1)[1]).read_text()


def test_a_process_that_never_starts_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match=r"^engine: vLLM does not start: ValueError: the model is of cheese; its log: "):
        _engine(tmp_path, ["no start"])


def test_a_process_that_does_not_restart_is_an_engine_failure(tmp_path):
    with (
        _engine(tmp_path, ["die:5", "no start"], max_restarts=1) as engine,
        pytest.raises(EngineFailedError, match="failed 2 times in a row: ValueError: the model is of cheese"),
    ):
        _draw(engine)


def test_a_process_that_takes_too_long_to_start_is_ended(tmp_path):
    with pytest.raises(EngineFailedError, match=r"not loaded after 0\.5 s \(engine\.start_timeout_s\)"):
        _engine(tmp_path, ["slow start"], start_timeout_s=0.5, max_restarts=0)
    assert not any(map(_running, _lives(tmp_path)))


def test_a_slow_reader_does_not_count_as_a_hang(tmp_path):
    with _engine(tmp_path, ["well"], stall_timeout_s=3.0) as engine:
        drawing = engine.sample(REQUESTS, SAMPLING)
        came = next(drawing)
        time.sleep(5)
        assert len(came) + sum(map(len, drawing)) == len(WANTED)
    assert len(_lives(tmp_path)) == 1


def test_an_idle_process_does_not_count_as_hung(tmp_path):
    with _engine(tmp_path, ["well"], stall_timeout_s=3.0) as engine:
        time.sleep(5)
        assert set(_keys(_draw(engine))) == WANTED
    assert len(_lives(tmp_path)) == 1


@pytest.mark.parametrize("behaviour", ["well", "hang:5", "die:5"])
def test_cancel_ends_all_calls(tmp_path, behaviour):
    with _engine(tmp_path, [behaviour], pause_s=0.05) as engine:
        calls = [in_thread(_draw, engine, [Request(name, name, 0, 1000)]) for name in "ab"]
        time.sleep(0.7)
        engine.cancel()
        for call in calls:
            with pytest.raises(SamplingCancelledError):
                call.result(timeout=60)
        with pytest.raises(SamplingCancelledError):
            _draw(engine)
    assert not any(map(_running, _lives(tmp_path)))


def test_closing_one_generator_leaves_other_calls_alone(tmp_path):
    with _engine(tmp_path, ["well"], pause_s=0.005) as engine:
        first = engine.sample([Request("a", "a", 0, 100)], SAMPLING)
        next(first)
        first.close()
        assert set(_keys(_draw(engine))) == WANTED


def test_empty_requests_are_not_sent_to_the_process(tmp_path):
    with _engine(tmp_path, ["die:0"]) as engine:
        assert _draw(engine, []) == []
        assert _draw(engine, [Request("a", "a", 7, 7)]) == []
    assert len(_lives(tmp_path)) == 1


def test_no_process_is_left_when_this_one_is_killed(tmp_path):
    """Even if the engine hangs, and could not notice by itself."""
    program = (
        "import sys, pathlib; from tests.engines.test_watchdog import _engine, _draw\n"
        "engine = _engine(pathlib.Path(sys.argv[1]), ['hang:5'])\n"
        "_draw(engine)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) as process:
        deadline = time.monotonic() + 120
        while not (tmp_path / "lives").exists() or not (tmp_path / "lives").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(0.5)
        process.send_signal(signal.SIGKILL)
    (pid,) = _lives(tmp_path)
    deadline = time.monotonic() + 120
    while _running(pid):
        assert time.monotonic() < deadline, "the engine's process outlives its parent"
        time.sleep(0.1)


def test_an_engine_outlives_the_thread_that_opened_it(tmp_path):
    opened: list[SupervisedEngine] = []
    thread = threading.Thread(target=lambda: opened.append(_engine(tmp_path, ["well"])))
    thread.start()
    thread.join()
    time.sleep(0.5)
    with opened[0] as engine:
        assert set(_keys(_draw(engine))) == WANTED
    assert len(_lives(tmp_path)) == 1


def test_missing_requests_are_exactly_those_that_have_not_arrived():
    missing = Missing([Request("a", "p", 5, 12), Request("b", "q", 0, 3), Request("a", "p", 20, 22)])
    missing.take([Sample("a", index, "") for index in (5, 8, 9, 21)])
    assert missing.count == 8
    assert missing.requests() == [
        Request("a", "p", 6, 8),
        Request("a", "p", 10, 12),
        Request("b", "q", 0, 3),
        Request("a", "p", 20, 21),
    ]
