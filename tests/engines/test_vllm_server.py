"""vLLM's server under the watchdog, replaced by one that hangs and ignores SIGTERM."""

import os
import socket
import sys
import threading
from pathlib import Path

import pytest

from tasks.engines.supervised.vllm_process import Installation, Setting, log_file
from tasks.engines.supervised.vllm_server import ServerStart
from tasks.engines.supervised.watchdog import SupervisedEngine
from tests.engines.deadline import in_thread
from tests.engines.openai_client import REQUESTS, keys, sampling


def _start(tmp_path: Path, port: int | None = None) -> ServerStart:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.engines.misbehaving_vllm "$@"\n')
    python.chmod(0o755)
    environment = dict(os.environ) | {"LIVES": str(tmp_path / "lives")}
    installed = Installation(str(python), "0", on_cpu=True)
    setting = Setting(installed, {"served_model_name": "m"}, environment, log_file(str(tmp_path / "logs")), 60.0)
    return ServerStart(setting, port, replicas=1)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_a_server_that_loses_requests_is_replaced_once_its_port_is_free(tmp_path, port):
    engine = SupervisedEngine(
        _start(tmp_path, port),
        what="vLLM's server",
        log=tmp_path,
        version="0",
        deterministic=True,
        max_concurrent_calls=2,
        stall_timeout_s=3.0,
        max_restarts=2,
    )
    with engine:
        calls = [in_thread(lambda each: list(engine.sample([each], sampling())), each) for each in REQUESTS]
        drawn = [sample for call in calls for samples in call.result(timeout=90) for sample in samples]
    assert {(sample.problem_id, sample.index) for sample in drawn} == keys()
    assert len((tmp_path / "lives").read_text().splitlines()) == 2


def test_an_ended_server_has_no_heartbeat_and_can_be_ended_again(tmp_path):
    process = _start(tmp_path)(threading.Event())
    assert process.heartbeat() == (False, 7)
    process.end("it is late")
    assert process.heartbeat() is None
    process.end("again")
