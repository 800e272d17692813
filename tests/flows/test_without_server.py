"""Prefect's server goes away during a run: what the user waits for does not depend on it."""

import http.server
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock
from uuid import uuid4

import httpx
import pytest
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed

from flows.command_line.running import one_line
from flows.runtime import deployment_runs
from flows.runtime.deployment_runs import _states
from tasks.progress import NullProgress, progress
from tasks.steps import server
from tests.flows.command import MONKEYS, environment
from tests.flows.counted_sweep import CountedSweep, blocks, counted_sweep, descendants, graded, stored, wait_until
from tests.servers import free_port, prefect_server

SAYS = "does not answer"
ENDS_IN_S = 300
"""Prefect by itself retries for a quarter of an hour. A server that is frozen is waited for once, for a minute; most
of this limit is for a busy machine."""


@contextmanager
def losing_its_server(folder: Path, how: int) -> Iterator[tuple[str, Callable[[], None]]]:
    """A Prefect server's URL, and what sends a signal to all of its processes."""
    (folder / "prefect").mkdir()
    with prefect_server(folder / "prefect") as url:
        port = url.removesuffix("/api").rpartition(":")[2]
        listing = subprocess.run(
            ["pgrep", "-f", f"prefect server start --port {port}"], capture_output=True, check=True
        )
        (first, *_) = map(int, listing.stdout.split())

        def send(signal_number: int) -> None:
            for pid in (first, *descendants(first)):
                os.kill(pid, signal_number)

        try:
            yield url, lambda: send(how)
        finally:
            if how == signal.SIGSTOP:
                send(signal.SIGCONT)


@pytest.fixture
def sweep(tmp_path: Path) -> CountedSweep:
    return counted_sweep(tmp_path, seconds=0.3)


def told(out: str) -> list[str]:
    return [line for line in out.splitlines() if SAYS in line]


@pytest.mark.server
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_a_sweep_whose_server_goes_away_ends_with_its_report_and_summary(how: int, sweep: CountedSweep) -> None:
    runs = sweep.folder / "runs"
    with losing_its_server(sweep.folder, how) as (url, lose):
        process = sweep.start(PREFECT_API_URL=url)
        wait_until(lambda: len(blocks(runs, "verdicts")) >= 2, "something is graded", running=process)
        lose()
        out, err = process.communicate(timeout=ENDS_IN_S)
    assert (process.returncode, err) == (0, ""), out
    assert len(told(out)) == 1, out
    assert ("is busy" in out) == (how == signal.SIGSTOP), "one that is killed is not waited for"
    assert "k = 110 samples solve" in out
    assert stored(runs) == sweep.recorded()
    assert len(graded(runs)) == len(sweep.recorded())
    page = out.rpartition("report: ")[2].strip()
    assert Path(page).is_file()
    assert sweep.drawn_again() == 0


@pytest.mark.server
def test_a_sweep_without_its_server_still_ends_on_a_signal(sweep: CountedSweep) -> None:
    runs = sweep.folder / "runs"
    slow = CountedSweep(sweep.folder, seconds=3.0)
    with losing_its_server(sweep.folder, signal.SIGKILL) as (url, lose):
        process = slow.start(command=["env", "--default-signal=TERM,INT"], PREFECT_API_URL=url)
        wait_until(slow.calls, "it draws", running=process)
        lose()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=ENDS_IN_S)
    assert process.returncode == 143
    assert err.strip() == "monkeys: interrupted. Finished work is saved; run the same command again to resume."
    assert not list((runs / "claims").rglob("*.json"))


@pytest.mark.server
def test_a_study_whose_server_goes_away_runs_the_other_sweeps_and_compares(sweep: CountedSweep) -> None:
    runs = sweep.folder / "runs"
    shutil.copy(sweep.folder / "samples.jsonl", sweep.folder / "others.jsonl")
    other = (sweep.folder / "sweep.yaml").read_text().replace("samples.jsonl", "others.jsonl")
    (sweep.folder / "other.yaml").write_text(other)
    with losing_its_server(sweep.folder, signal.SIGKILL) as (url, lose):
        process = subprocess.Popen(
            [MONKEYS, "study", "sweep.yaml", "other.yaml", "--k", "20"],
            cwd=sweep.folder,
            env=environment(**sweep.environment, PREFECT_API_URL=url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: len(blocks(runs, "verdicts")) >= 1, "something is graded", running=process)
        lose()
        out, err = process.communicate(timeout=ENDS_IN_S)
    assert (process.returncode, err) == (0, ""), out
    assert len(told(out)) == 1, out
    assert out.count("report: ") == 2
    assert "arithmetic-others minus arithmetic-samples, in percentage points" in out
    assert len(list((runs / "samples").iterdir())) == 2


def status(code: int) -> PrefectHTTPStatusError:
    """What Prefect's client raises for an answer with this status."""
    request = httpx.Request("GET", "http://prefect/api")
    return PrefectHTTPStatusError(str(code), request=request, response=httpx.Response(code, request=request))


class Told(NullProgress):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


BREAKS = 0
"""In the place of a status: the connection is closed without an answer."""


@contextmanager
def answering(*statuses: int) -> Iterator[str]:
    """A server that answers with these statuses in turn, and with the last one from then on."""
    left = list(statuses)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = left.pop(0) if len(left) > 1 else left[0]
            if status == BREAKS:
                self.close_connection = True
                return
            self.send_response(status)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}/api"
        httpd.shutdown()


@contextmanager
def telling(url: str) -> Iterator[Told]:
    listener = Told()
    token = progress.set(listener)
    try:
        with temporary_settings({PREFECT_API_URL: url}):
            yield listener
    finally:
        progress.reset(token)


@pytest.mark.parametrize(("status", "answers"), [(200, True), (401, True), (404, True), (502, False), (503, False)])
def test_a_refusal_is_an_answer_and_a_gateway_without_a_server_is_not(status: int, answers: bool) -> None:
    with answering(status) as url, telling(url):
        assert (server.unreachable(patience_s=0) is None) == answers


@pytest.mark.parametrize("first", [(503, 503), (429,), (BREAKS, BREAKS, 502)], ids=str)
def test_a_busy_server_is_waited_for_and_the_wait_is_said_once(first: tuple[int, ...]) -> None:
    with answering(*first, 200) as url, telling(url) as listener:
        assert server.unreachable() is None
    (line,) = listener.lines
    assert "is busy" in line


def test_a_server_that_refuses_connections_is_away_at_once_and_one_known_to_be_away_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slept(_: float) -> None:
        raise AssertionError("it waits")

    monkeypatch.setattr(time, "sleep", slept)
    with telling(f"http://127.0.0.1:{free_port()}/api"):
        assert server.unreachable() is not None
    with answering(503) as url, telling(url):
        server.tell_unreachable("it was away")
        assert server.unreachable() is not None


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("disconnected"),
        httpx.ConnectError("restarted"),
        status(503),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_states_that_a_busy_server_does_not_give_at_first_are_asked_for_again(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment_runs, "POLL_EVERY_S", 0.01)
    monkeypatch.setattr(deployment_runs, "_TRIES", 3)
    with answering(200) as url, telling(url) as listener:
        client = Mock(read_flow_run=Mock(side_effect=[fault, fault, Mock(state=Completed())]))
        assert [state.is_completed() for state in _states(client, [uuid4()]) or ()] == [True]
        assert listener.lines == []
        assert _states(Mock(read_flow_run=Mock(side_effect=fault)), [uuid4()]) is None
    (line,) = listener.lines
    assert SAYS in line


def test_a_refusal_of_the_states_is_an_error() -> None:
    with answering(200) as url, telling(url), pytest.raises(httpx.HTTPStatusError):
        _states(Mock(read_flow_run=Mock(side_effect=status(404))), [uuid4()])


@pytest.mark.parametrize(
    ("error", "of_the_server"),
    [(httpx.ReadTimeout("slow"), True), (status(503), True), (status(429), True), (status(404), False)],
    ids=str,
)
def test_the_command_line_says_that_the_server_does_not_respond_in_one_line(
    error: Exception, of_the_server: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://prefect/api")
    line = one_line(error)
    assert (line is not None) == of_the_server
    assert line is None or "PREFECT_API_URL: http://prefect/api does not respond" in line


def test_an_unreachable_server_is_reported_once_and_not_tried_again() -> None:
    tried = []
    with telling(f"http://127.0.0.1:{free_port()}/api") as listener:
        began = time.monotonic()
        for _ in range(3):
            server.show("the report", lambda: tried.append(1))
        assert time.monotonic() - began < 200
    assert tried == []
    (line,) = listener.lines
    assert SAYS in line


def test_an_artifact_that_the_server_refuses_is_reported_and_ends_nothing() -> None:
    def refused() -> None:
        raise ValueError("too large\nby far")

    with answering(200) as url, telling(url) as listener:
        server.show("the report", refused)
    (line,) = listener.lines
    assert "cannot show the report (too large by far); it is stored nevertheless" in line
