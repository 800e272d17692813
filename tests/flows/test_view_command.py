import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from tasks.store.fsspec_store import FsspecStore
from tests.flows.command import monkeys
from tests.store.stored import fill


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_an_address_with_a_token_serves_the_store_and_ends_quietly(tmp_path, ending):
    name = fill(FsspecStore(str(tmp_path / "runs")), problems=3, k=5).samples.identity.name
    command = [sys.executable, "-m", "monkeys", "view", "runs", "--no-browser"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", first)
            assert address is not None, first
            with httpx.Client(follow_redirects=True, timeout=120) as client:
                assert name in client.get(address[0]).text
            process.send_signal(ending)
            _, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    assert "Traceback" not in errors
    assert "resume" not in errors
    assert process.returncode == 0


def test_a_store_that_does_not_exist_and_a_port_that_is_taken_are_one_line(tmp_path):
    ended = monkeys("view", "nowhere", "--no-browser", cwd=tmp_path)
    assert ended.code == 2
    assert "nowhere" in ended.err
    (tmp_path / "runs").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = monkeys("view", "runs", "--no-browser", "--port", str(port), cwd=tmp_path)
    assert ended.code == 2
    assert f"--port {port}" in ended.err
    assert len(ended.err.strip().splitlines()) == 1
