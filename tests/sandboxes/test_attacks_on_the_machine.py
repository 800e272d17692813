"""The network, files, privileges and users of the machine: one attack a test (see `conftest.Attacker`)."""

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from sandboxes import Limits, Status
from tests.sandboxes.conftest import Attacker, attack, process_table
from tests.sandboxes.ordinary_user import OrdinaryUser


@pytest.mark.parametrize("path", ["/", "/usr", "/dev", "/lib", "/proc", "/sys", "/root", "/etc"])
def test_nothing_else_can_be_written(attacker: Attacker, path: str) -> None:
    assert attack(attacker, f"open({path!r} + '/monkeys-was-here', 'w')").status is Status.ERROR
    assert not os.path.exists(f"{path}/monkeys-was-here")  # noqa: PTH110 - as False where it may not be asked, too


def test_the_network(attacker: Attacker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        outcome = attack(
            attacker,
            f"""
            import socket
            try:
                socket.create_connection(("127.0.0.1", {port}), 1)
                print("connected")
            except OSError as error:
                print(type(error).__name__)
            """,
        )
    assert outcome.stdout == b"PermissionError\n"


def test_reading_the_machine(attacker: Attacker, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    project = Path(__file__).resolve().parents[2] / "pyproject.toml"
    paths = ["/etc/passwd", "/etc/shadow", "/home", "/var", "/run/lock", str(secret), str(project), __file__]
    outcome = attack(
        attacker,
        f"""
        import os
        for path in {paths!r}:
            if os.path.exists(path):
                print("visible", path)
        """,
    )
    assert (outcome.status, outcome.stdout) == (Status.OK, b"")
    assert project.exists()


def test_executing_other_programs(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
        """
        import os, subprocess
        for command in ("sh", "/bin/sh", "/usr/bin/env", "/bin/ls", "/usr/bin/bwrap"):
            try:
                subprocess.run([command, "-c", "echo ran"])
                print("ran", command)
            except OSError:
                pass
        """,
    )
    assert (outcome.status, outcome.stdout) == (Status.OK, b"")


def test_new_namespaces(attacker: Attacker) -> None:
    """No user namespace, in which a program would be root again, and none of the others."""
    outcome = attack(
        attacker,
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000):
            print(libc.unshare(flag), end=" ")
            pid = libc.syscall(56, flag | 17, 0, 0, 0, 0)
            if pid == 0:
                print("cloned", flush=True)
                os._exit(0)
        print(libc.mount(b"none", b"/tmp", b"tmpfs", 0, 0), libc.syscall(425, 8, 0))
        """,
    )
    assert outcome.stdout == b"-1 -1 -1 -1 -1 -1\n"


def test_privileges(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
        """
        import os
        print(os.getuid() != 0, os.geteuid() != 0)
        for change in (os.setuid, os.seteuid, os.setgid):
            try:
                change(0)
                print("became root")
            except OSError:
                pass
        try:
            with open("/proc/self/status") as file:
                for line in file:
                    if line.startswith(("CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp:")):
                        print(line.strip())
        except OSError:
            pass
        """,
    )
    lines = outcome.stdout.decode().splitlines()
    assert lines[0] == "True True"
    assert "became root" not in lines
    for line in lines[1:]:
        name, value = line.split(":")
        assert int(value, 16) == {"NoNewPrivs": 1, "Seccomp": 2}.get(name, 0), line


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's programs change their user id")
def test_outside_a_program_is_nobody_known(attacker: Attacker) -> None:
    """While a program sleeps, look for it from outside: it is neither root nor anybody else whom the machine knows."""
    expected = range(65536, 1 << 32)
    if isinstance(attacker.sandbox, OrdinaryUser):
        expected = range(attacker.sandbox.uid, attacker.sandbox.uid + 1)
    before = set(process_table())
    program = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(1) # seen'])"
    thread = threading.Thread(target=attacker.sandbox.run, args=(program, b"", Limits(cpu_s=1.0, wall_s=5.0)))
    thread.start()
    seen: list[int] = []
    deadline = time.monotonic() + 60
    while not seen and time.monotonic() < deadline:
        seen = [pid for pid in set(process_table()) - before if b"time.sleep(1) # seen" in _command(pid)]
    assert [Path(f"/proc/{pid}").stat().st_uid in expected for pid in seen] == [True]
    thread.join()


def _command(pid: int) -> bytes:
    """The last argument of a process, or b"" if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").rpartition(b"\0")[2]
    except OSError:
        return b""


def test_the_environment(attacker: Attacker, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = attack(attacker, "import os; print(sorted(os.environ))")
    names = set(eval(outcome.stdout))
    assert names <= {"HOME", "PATH", "PWD", "TMPDIR", "PYTHONHASHSEED", "PYTHONUTF8", "LC_CTYPE", "HOSTNAME"}


def test_modules_of_the_grader(attacker: Attacker) -> None:
    for module in ("pydantic", "numpy", "sandboxes", "pytest"):
        outcome = attack(attacker, f"import {module}")
        assert outcome.status is Status.ERROR
        assert b"ModuleNotFoundError" in outcome.stderr
