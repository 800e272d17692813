import html
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from flows.command_line.views.view import Start
from tasks.errors import UserError
from tasks.report.sweep.publish import publish
from tasks.store.fsspec_store import FsspecStore
from tests.flows.command import monkeys
from tests.store.stored import fill


@contextmanager
def viewing(*arguments, cwd):
    """A process of the command, and the address that it printed."""
    command = [sys.executable, "-m", "monkeys", *arguments, "--no-browser"]
    with subprocess.Popen(
        command, cwd=cwd, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+/\S*\btoken=\S+", first)
            assert address is not None, first
            yield process, address[0]
        finally:
            process.kill()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_an_address_with_a_token_serves_the_store_and_ends_quietly(tmp_path, ending):
    name = fill(FsspecStore(str(tmp_path / "runs")), problems=3, k=5).samples.identity.name
    with viewing("view", "runs", cwd=tmp_path) as (process, address):
        assert "/?token=" in address
        with httpx.Client(follow_redirects=True, timeout=120) as client:
            assert name in client.get(address).text
        process.send_signal(ending)
        _, errors = process.communicate(timeout=120)
    assert "Traceback" not in errors
    assert "resume" not in errors
    assert process.returncode == 0


def test_the_command_that_a_report_gives_opens_the_page_of_its_sample(tmp_path):
    sweep = fill(FsspecStore(str(tmp_path / "runs")), problems=3, k=5)
    names = sweep.samples.identity.name, sweep.grading.verdicts.identity.name
    page = Path(publish(sweep.grading, results := sweep.results(), results.summarise(), "").page).read_text()
    given = [html.unescape(each) for each in re.findall("<code>(monkeys view [^<]*)</code>", page)]
    first, *of_samples = map(shlex.split, given)
    assert first == ["monkeys", "view", str(tmp_path / "runs"), "--set", names[0], "--verdicts", names[1]]
    command = next(each for each in of_samples if "arithmetic/002" in each)
    client = httpx.Client(follow_redirects=True, timeout=120)
    with viewing(*command[1:], cwd=tmp_path) as (_, address), client:
        opened = client.get(address)
    assert opened.url.path == f"/sets/{names[0]}/2/{command[-1]}"
    assert opened.url.params["verdicts"] == names[1]
    assert f"Sample {command[-1]}:" in opened.text


def test_the_page_to_open_is_named_by_the_options(tmp_path):
    store = FsspecStore(str(tmp_path))
    sweep = fill(store, problems=3, k=5)
    name, verdicts = sweep.samples.identity.name, sweep.grading.verdicts.identity.name
    assert Start().address(store) == "/"
    assert Start("arith").address(store) == f"/sets/{name}"
    assert Start("arith", "final").address(store) == f"/sets/{name}?verdicts={verdicts}"
    assert Start("arith", None, "arithmetic/001").address(store) == f"/sets/{name}/1"
    assert Start("arith", None, "arithmetic/001", 4).address(store) == f"/sets/{name}/1/4"


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (Start(verdicts="final"), "need --set"),
        (Start(problem="arithmetic/001"), "need --set"),
        (Start(index=0), "need --set"),
        (Start("arith", index=0), "--index needs --problem"),
        (Start("none"), "no sample set"),
        (Start("arith", "none"), "no verdict set"),
        (Start("arith", None, "none"), "has no problem 'none'"),
    ],
)
def test_options_that_name_no_page_are_one_line(tmp_path, start, message):
    store = FsspecStore(str(tmp_path))
    fill(store, problems=2, k=2)
    with pytest.raises(UserError, match=message) as error:
        start.address(store)
    assert len(str(error.value).splitlines()) == 1


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
