"""How processes recognize each other, and end together."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sandboxes.linux.process_identity import ProcessIdentity

PROJECT = Path(__file__).resolve().parents[2]
SLEEP = "import time; time.sleep(600)"


def identity_of(pid: int) -> ProcessIdentity:
    """That of a living process of this machine."""
    start = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return replace(ProcessIdentity.here(), process=f"{pid}:{start}")


def test_an_identity_survives_being_written_as_text() -> None:
    here = ProcessIdentity.here()
    assert ProcessIdentity.parse(str(here)) == here == ProcessIdentity(**here.to_dict()) == identity_of(os.getpid())
    assert not ProcessIdentity.parse(str(here)).has_ended


@pytest.mark.parametrize("text", ["", "nonsense", "another-machine 12 345", "one two three four"])
def test_text_that_names_no_process_never_counts_as_ended(text: str) -> None:
    assert not ProcessIdentity.parse(text).has_ended


def test_a_killed_process_has_ended_even_before_it_is_reaped() -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEP]) as process:
        identity = identity_of(process.pid)
        assert not identity.has_ended
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert Path(f"/proc/{process.pid}").exists()
        assert identity.has_ended
    assert identity.has_ended


def test_a_child_that_asked_for_it_dies_with_its_parent() -> None:
    parent = """
        import os, signal, time
        from sandboxes.linux.prctl import die_with_parent
        pid = os.fork()
        if pid == 0:
            die_with_parent(signal.SIGTERM)
            os.write(1, b"%d\\n" % os.getpid())
            time.sleep(600)
        time.sleep(600)
    """
    code = "\n".join(line[8:] for line in parent.splitlines())
    with subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        child = identity_of(int(process.stdout.readline()))
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not child.has_ended and time.monotonic() < deadline:
        time.sleep(0.05)
    assert child.has_ended
