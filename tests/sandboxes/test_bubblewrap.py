"""The configuration, what is said where bubblewrap cannot work, and work as an ordinary user."""

import math
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic import ValidationError

from sandboxes import Limits, SandboxUnavailableError, Status
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.controller.forkserver import Ending, Execution, ForkServer, ServerGoneError
from sandboxes.linux.cgroup import ControlGroup, new_group
from sandboxes.linux.interpreter import find_interpreter
from sandboxes.settings import EffectiveLimits
from tests.sandboxes.conftest import own_groups
from tests.sandboxes.ordinary_user import as_ordinary_user

PROJECT = Path(__file__).resolve().parents[2]


def test_limits_are_the_problems_own_or_the_configured() -> None:
    config = BubblewrapConfig(time_limit_s=3, time_multiplier=2, memory_limit_mb=100, processes=7)
    output_bytes = 4 * 1024 * 1024
    assert config.effective(Limits()) == EffectiveLimits(6, 23, 100, 7, output_bytes)
    assert config.effective(Limits(cpu_s=1.5, memory_mb=64)) == EffectiveLimits(3, 14, 64, 7, output_bytes)
    own = Limits(cpu_s=1.5, wall_s=2, memory_mb=64, processes=3, output_bytes=10)
    assert config.effective(own) == EffectiveLimits(3, 2, 64, 3, 10)


@pytest.mark.parametrize(
    "field",
    [
        *({"workers": 0}, {"time_limit_s": 0}, {"memory_limit_mb": 1}, {"processes": 0}, {"nonsense": 1}),
        *({"time_multiplier": math.inf}, {"time_limit_s": math.nan}),
    ],
)
def test_what_makes_no_sense_is_refused(field: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        BubblewrapConfig.model_validate(field)


def test_missing_bubblewrap_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailableError, match="apt-get install bubblewrap") as error:
        BubblewrapConfig().check()
    assert "\n" not in str(error.value)


def test_forbidden_namespaces_are_said_with_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A `bwrap` that may not make namespaces fails like this one."""
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(SandboxUnavailableError, match="No permissions to create new namespace") as error:
        BubblewrapConfig().check()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "No such file"),
        ("exit 3", "exit status 3"),
        ("echo first >&2; echo last words >&2; exit 1", "(last words)"),
        ("true", "its output is not that of a Python"),
        ("echo hello", "its output is not that of a Python"),
    ],
)
def test_an_interpreter_that_cannot_be_run_is_named(tmp_path: Path, script: str | None, reason: str) -> None:
    path = tmp_path / "such-a-python"
    if script is not None:
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    with pytest.raises(SandboxUnavailableError) as error:
        find_interpreter(path)
    said = str(error.value)
    assert "such-a-python" in said
    assert reason in said
    assert "\n" not in said
    assert len(said) < 400 + len(str(path)), said


@pytest.fixture
def environment_with_a_package() -> Iterator[Path]:
    """A virtual environment outside of /tmp, with a module `kept`; the path of its interpreter."""
    with TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        venv.create(folder, symlinks=True, with_pip=False)
        (packages,) = Path(folder).glob("lib/python*/site-packages")
        (packages / "kept.py").write_text("answer = 42\n")
        yield Path(folder) / "bin" / "python"


def test_a_named_interpreter_keeps_its_packages(environment_with_a_package: Path) -> None:
    """The checkout still cannot be imported."""
    with BubblewrapConfig(workers=1, python=environment_with_a_package).open() as sandbox:
        assert sandbox.run("import kept; print(kept.answer)", b"", Limits()).stdout == b"42\n"
        assert sandbox.run("import sandboxes", b"", Limits()).status is Status.ERROR


def test_an_interpreter_where_programs_have_their_own_folder_is_refused(tmp_path: Path) -> None:
    if not tmp_path.is_relative_to("/tmp"):
        pytest.skip("temporary folders lie elsewhere here")
    venv.create(tmp_path, symlinks=True, with_pip=False)
    with pytest.raises(SandboxUnavailableError, match="set `python` to one that is installed elsewhere") as error:
        BubblewrapConfig(workers=1, python=tmp_path / "bin" / "python").open()
    assert "\n" not in str(error.value)


_AS_USER = """
import os
from sandboxes import Limits
from sandboxes.bubblewrap import BubblewrapConfig
with BubblewrapConfig(workers=1).open() as sandbox:
    outcome = sandbox.run("import os; print(int(input()) + 1, os.getuid() != 0)", b"41", Limits())
    print(os.geteuid(), sandbox.name, outcome.status.value, outcome.stdout)
    outcome = sandbox.run("while True: pass", b"", Limits(cpu_s=0.5))
    print(outcome.status.value)
    print(sandbox.run("open('/etc/passwd')", b"", Limits()).status.value)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_as_an_ordinary_user() -> None:
    lines = said_as_user(_AS_USER)
    assert len(lines) == 3, lines
    assert lines[0].startswith("65534 bubblewrap")
    assert lines[0].endswith(r"ok b'42 True\n'")
    assert lines[1:] == ["time_limit", "error"]


# As a program of another server can have them, whose user is the same.
_IN_FLIGHT = """
import array, resource, socket, threading
from sandboxes import Limits
from sandboxes.bubblewrap import BubblewrapConfig
with BubblewrapConfig(workers=1).open() as sandbox:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    a, b = socket.socketpair()
    a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 200))])
    try:
        a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
    except OSError as error:
        print(error.strerror)
    threading.Timer(0.5, b.close).start()
    outcome = sandbox.run("print(42)", b"", Limits())
    print(outcome.status.value, outcome.stdout, outcome.detail)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_descriptors_that_the_user_has_on_their_way_are_waited_for() -> None:
    assert said_as_user(_IN_FLIGHT) == ["Too many references: cannot splice", r"ok b'42\n' "]


def said_as_user(script: str) -> list[str]:
    """What a script prints that an ordinary user runs."""
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    done = subprocess.run(
        as_ordinary_user(sys.executable, "-B", "-c", script),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "HOME": "/"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_death_of_the_controller_ends_everything(tmp_path: Path) -> None:
    """SIGKILL in the middle of an execution: bubblewrap and the program go with it."""
    import signal
    import time

    script = """
import sys, threading
from sandboxes import Limits
from sandboxes.bubblewrap import BubblewrapConfig
sandbox = BubblewrapConfig(workers=1).open()
print("open", flush=True)
sandbox.run("import time; time.sleep(1000)", b"", Limits(cpu_s=1, wall_s=1000))
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=PROJECT)
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"
    time.sleep(0.5)
    below = _below(process.pid)
    assert below
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in below) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in below if Path(f"/proc/{pid}").exists()] == []


def _below(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children] + [grand for child in children for grand in _below(int(child))]


def test_no_control_group_is_left() -> None:
    group = new_group()
    if group is None:
        pytest.skip("this machine lets this user make no control group")
    before = own_groups()
    with BubblewrapConfig(workers=2).open() as opened:
        assert opened.run("print(1)", b"", Limits()).status is Status.OK
        assert own_groups() > before
    assert own_groups() == before
    group.close()
    assert own_groups() < before


def cpu_time_of(group: ControlGroup) -> int | None:
    """The CPU time that its file says, in the file's unit; None: it is not counted."""
    words = os.pread(group.files.descriptors[3], 4096, 0).split()
    return int(next(word for word in words if word.isdigit())) if words else None


def test_a_control_group_counts_and_bounds_processes() -> None:
    group = new_group(processes=5)
    if group is None:
        pytest.skip("this machine lets this user make no control group")
    try:
        forks = "import os\nfor _ in range(9):\n    if os.fork() == 0:\n        import time; time.sleep(1); os._exit(0)"
        used = cpu_time_of(group)
        done = subprocess.run([*group.command(), sys.executable, "-c", forks], capture_output=True, check=False)
        after = cpu_time_of(group)
        assert (used is None) == (after is None)
        assert used is None or after is None or after > used
        if any((path / "pids.max").exists() for path in own_groups()):
            assert b"BlockingIOError" in done.stderr
        time.sleep(1.5)
    finally:
        group.close()


def test_a_second_server_that_fails_says_nothing_about_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Program and checker each have a server where namespaces cannot be nested."""
    run = ForkServer.run

    def failing(
        self: ForkServer, executions: Sequence[Execution], wall_s: float, channels: Sequence[int] = (), **more: bool
    ) -> list[Ending]:
        if executions[0].text == "the program":
            for channel in channels:
                os.close(channel)
            raise ServerGoneError("it went away")
        return run(self, executions, wall_s, channels, **more)

    monkeypatch.setattr(ForkServer, "run", failing)
    with BubblewrapConfig(workers=1).open_pool(isolated=False) as sandbox:
        checked = sandbox.run_checked("print('fails')", "the program", Limits())
    assert [(outcome.status, outcome.detail) for outcome in checked] == [(Status.INFRASTRUCTURE, "it went away")] * 2
