"""Commands of the machine under bubblewrap, with Python in the place of a prover."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandboxes import SandboxUnavailableError, Status
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.confined_command import Allowance, ConfinedCommand, Finished
from sandboxes.linux.interpreter import find_interpreter

PYTHON = find_interpreter(None).command


@pytest.fixture(autouse=True, scope="module")
def _bubblewrap() -> None:
    try:
        BubblewrapConfig().check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))


def run(code: str, writable: Path | None = None, cpu_s: float = 10.0) -> Finished:
    return ConfinedCommand((*PYTHON, "-c", code), (), 256, writable).run(cpu_s, 100_000)


@pytest.mark.parametrize(
    "code",
    [
        "open('/etc/passwd')",
        f"open({__file__!r})",
        "open('/monkeys', 'w')",
        "import socket; socket.socket()",
        "import os; os.setuid(0); os.listdir('/root')",
        "import os; os.kill(1, 9); import time; time.sleep(1); raise OSError",
    ],
)
def test_a_command_sees_and_reaches_nothing_of_the_machine(code: str) -> None:
    finished = run(code)
    assert finished.exit_code == 1
    assert "Error" in finished.stderr


def test_a_command_writes_to_its_folder_alone_and_its_exit_status_is_known(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    finished = run("open('made', 'w').write('text'); print('said'); raise SystemExit(7)", own)
    assert (finished.exit_code, finished.stdout, finished.limit) == (7, b"said\n", None)
    assert (own / "made").read_text() == "text"


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("while True: pass", Status.TIME_LIMIT),
        ("x = bytearray(10**9); print(len(x))", Status.MEMORY_LIMIT),
        ("while True: print('x' * 10_000)", Status.OUTPUT_LIMIT),
    ],
)
def test_a_command_that_exceeds_a_limit_is_ended(code: str, limit: Status) -> None:
    finished = run(code, cpu_s=1.0)
    assert finished.limit is limit or (limit is Status.MEMORY_LIMIT and "MemoryError" in finished.stderr)


def test_a_command_runs_where_more_than_1024_files_are_open() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("the hard limit on open files is below 2,048")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        process = ConfinedCommand((*PYTHON, "-c", "print(input())"), (), 256).start()
        with process:
            allowed = Allowance(process, 10.0)
            process.write(b"read and written\n", allowed)
            assert process.read(allowed) == b"read and written\n"
            assert process.wait() == 0
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_command_may_have_as_many_threads_as_a_prover_starts() -> None:
    """Lean starts one for each core, and some more."""
    finished = run(
        "import threading, time, os\n"
        "for _ in range(40 + 2 * os.cpu_count()): threading.Thread(target=time.sleep, args=(0.5,)).start()"
    )
    assert finished.exit_code == 0, finished.stderr


def test_a_command_ends_when_its_controller_is_killed(tmp_path: Path) -> None:
    controller = (
        "import sys, time; from sandboxes.confined_command import ConfinedCommand\n"
        f"process = ConfinedCommand({(*PYTHON, '-c', 'import time; time.sleep(600)')!r}, (), 256).start()\n"
        "print(process._pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", controller], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        inside = Path("/proc") / started.stdout.readline().strip()
        assert inside.exists()
        started.kill()
    until = time.monotonic() + 60
    while inside.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not inside.exists()


@pytest.mark.parametrize(("work", "asleep"), [("while True: pass", False), ("time.sleep(60)", True)])
def test_a_process_is_asleep_if_all_of_its_threads_are(work: str, asleep: bool) -> None:
    code = f"import threading, time\ndef work():\n    {work}\nthreading.Thread(target=work).start()\nprint(flush=True)"
    with ConfinedCommand((*PYTHON, "-c", code), (), 256).start() as process:
        process.read(Allowance(process, 10.0))
        until = time.monotonic() + 60
        while process.is_asleep() is not asleep and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.2)
        assert process.is_asleep() is asleep


@pytest.mark.parametrize("failing", ["subprocess.Popen", "os.chown", "sandboxes.confined_command.filter_program"])
def test_a_start_that_fails_leaves_no_descriptor_open(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("it fails")

    run("pass")  # What is opened once and kept.
    before = sorted(Path("/proc/self/fd").iterdir())
    monkeypatch.setattr(failing, fail)
    if failing == "os.chown" and os.geteuid() != 0:
        pytest.skip("folders are only given away by root")
    with pytest.raises((OSError, SandboxUnavailableError)):
        ConfinedCommand((*PYTHON, "-c", "pass"), (), 256, tmp_path).start()
    assert sorted(Path("/proc/self/fd").iterdir()) == before
