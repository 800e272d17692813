"""The real vLLM, killed, stopped or wrongly configured: each sample arrives once and equals the undisturbed one, or
there is one line that says what to do."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.engines import Engine
from tasks.errors import EngineFailedError, SamplingCancelledError, UserError
from tests.vllm.real import SUPERVISOR, config, draw, processes, request, sampling

MODES = ["in_process", "server"]
REQUESTS = [request(problem, 0, 100) for problem in range(12)]
"""More samples than the engine's batch has room for, so that the first ones arrive long before the last."""


def _core(mode: str) -> list[int]:
    """The ids of the processes in which the engine draws."""
    running = processes()
    if mode == "in_process":
        return [pid for pid, args in running.items() if "vllm_worker.py" in args and SUPERVISOR not in args]
    return [pid for pid, args in running.items() if "EngineCore" in args]


@pytest.mark.parametrize("signal_sent", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("mode", MODES)
def test_each_sample_arrives_once_and_equals_the_undisturbed_one(tmp_path, undisturbed, mode, signal_sent):
    with config(mode, tmp_path, stall_timeout_s=15).open() as engine:
        drawn = {}
        struck: list[int] = []
        for samples in engine.sample(REQUESTS, sampling()):
            for sample in samples:
                assert (sample.problem_id, sample.index) not in drawn
                drawn[sample.problem_id, sample.index] = sample
            if not struck:
                struck = _core(mode)
                assert struck, f"none among {processes()}"
                for pid in struck:
                    os.kill(pid, signal_sent)
        assert drawn == undisturbed
        assert not set(struck) & processes().keys()
    assert processes() == {}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    with config("in_process", tmp_path_factory.mktemp("logs")).open() as engine:
        return draw(engine, REQUESTS)


@pytest.mark.parametrize("mode", MODES)
def test_both_modes_draw_the_same_samples(tmp_path, undisturbed, mode):
    with config(mode, tmp_path).open() as engine:
        assert draw(engine, REQUESTS) == undisturbed
        assert engine.version.startswith("vllm ")
        assert engine.deterministic == engine.version.endswith("(cpu)")
    assert processes() == {}


def test_cancelling_and_closing_leave_no_process(tmp_path):
    with config("in_process", tmp_path).open() as engine:
        drawing = engine.sample(REQUESTS, sampling())
        next(drawing)
        drawing.close()
        assert len(draw(engine, REQUESTS[:1])) == 100
        drawing = engine.sample(REQUESTS, sampling())
        next(drawing)
        engine.cancel()
        with pytest.raises(SamplingCancelledError):
            list(drawing)
    assert processes() == {}


@pytest.mark.parametrize("mode", MODES)
def test_an_argument_that_vllm_refuses_is_reported_in_one_line(tmp_path, mode):
    with pytest.raises(UserError) as wrong:
        config(mode, tmp_path, engine_args={"no_such_argument": 1}).open()
    line = str(wrong.value)
    assert line.startswith("engine: vLLM does not start: ")
    assert "no" in line and "such" in line and "argument" in line
    assert "\n" not in line
    assert Path(line.rsplit("its log: ", 1)[1]).read_text()
    assert processes() == {}


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"engine_args": {"kv_cache_memory_bytes": 300_000}}, "lower engine.max_model_len"),
        ({"environment": {"VLLM_CPU_KVCACHE_SPACE": "1000000"}}, "lower VLLM_CPU_KVCACHE_SPACE (GiB)"),
    ],
)
def test_the_error_about_too_little_memory_names_the_setting_to_change(tmp_path, monkeypatch, changes, advice):
    for name, value in changes.pop("environment", {"VLLM_CPU_KVCACHE_SPACE": ""}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as wrong:
        config("in_process", tmp_path, **changes).open()
    assert str(wrong.value).startswith("engine: vLLM has too little memory: ")
    assert advice in str(wrong.value)
    assert "\n" not in str(wrong.value)
    assert processes() == {}


def test_repeated_crashes_are_reported_in_one_line(tmp_path):
    with (
        config("in_process", tmp_path, max_restarts=1).open() as engine,
        pytest.raises(EngineFailedError) as failed,
    ):
        _kill_every_life(engine)
    line = str(failed.value)
    cause = "it was killed (signal 9), perhaps because memory ran out"
    assert line.startswith(f"vLLM failed 2 times in a row: {cause}; its log: ")
    assert processes() == {}


def _kill_every_life(engine: Engine) -> None:
    import threading

    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.05):
            for pid in _core("in_process"):
                os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        draw(engine, REQUESTS)
    finally:
        over.set()
        killer.join()


@pytest.mark.parametrize("mode", MODES)
def test_no_process_is_left_when_this_one_is_killed(tmp_path, mode):
    program = (
        "import sys; from pathlib import Path\n"
        "from tests.vllm.real import config, processes\n"
        "engine = config(sys.argv[1], Path(sys.argv[2])).open()\n"
        "print(*processes(), flush=True)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, mode, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = {int(pid) for pid in process.stdout.readline().split()}
        assert len(left) >= (2 if mode == "in_process" else 3)
        process.kill()
    deadline = time.monotonic() + 60
    while left & _all_processes():
        assert time.monotonic() < deadline, "processes outlive their parent"
        time.sleep(0.1)


def _all_processes() -> set[int]:
    return {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}


def test_the_error_about_a_port_in_use_names_it(tmp_path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"^engine\.port: {port} cannot be used"):
            config("server", tmp_path, port=port).open()
