"""One attack a test. `Range.attack` adds to each that the next honest program is served and nothing is left."""

import os
import socket
import textwrap
import threading
import time
from pathlib import Path

import pytest

from sandboxes import Limits, Outcome, Status
from tests.sandboxes.conftest import SHORT, Range, process_table
from tests.sandboxes.ordinary_user import OrdinaryUser


def attack(shooting: Range, program: str, limits: Limits = SHORT, stdin: bytes = b"") -> Outcome:
    return shooting.attack(textwrap.dedent(program), stdin, limits)


def test_infinite_loop(shooting: Range) -> None:
    # A clock that leaves a busy machine the time to get there.
    outcome = attack(shooting, "while True: pass", Limits(cpu_s=0.5, wall_s=20.0, memory_mb=256))
    assert outcome.status is Status.TIME_LIMIT
    assert 0.5 <= outcome.cpu_s < 1.5


def test_sleeping_beyond_the_clock(shooting: Range) -> None:
    outcome = attack(shooting, "import time; time.sleep(1000)")
    assert outcome.status is Status.TIME_LIMIT
    assert outcome.cpu_s < 0.5


def test_stopping_itself(shooting: Range) -> None:
    outcome = attack(
        shooting,
        """
        import os, signal, time
        if os.fork() == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
        os.wait()
        """,
    )
    assert outcome.status is Status.TIME_LIMIT


def test_flood_of_stdout(shooting: Range) -> None:
    outcome = attack(shooting, "while True: print('x' * 10**6)")
    assert outcome.status is Status.OUTPUT_LIMIT


def test_flood_that_ignores_its_errors(shooting: Range) -> None:
    outcome = attack(
        shooting,
        """
        import os
        while True:
            try:
                os.write(1, b'x' * 10**6)
            except OSError:
                pass
        """,
    )
    assert outcome.status is Status.OUTPUT_LIMIT


def test_flood_of_stderr(shooting: Range) -> None:
    outcome = attack(shooting, "import sys\nwhile True: sys.stderr.write('x' * 10**6)")
    assert outcome.status is Status.OUTPUT_LIMIT
    assert len(outcome.stderr) <= 2000


def test_output_of_just_the_limit_is_allowed(shooting: Range) -> None:
    limits = Limits(output_bytes=1000)
    assert attack(shooting, "print('x' * 999)", limits).stdout == b"x" * 999 + b"\n"
    assert attack(shooting, "print('x' * 1000)", limits).status is Status.OUTPUT_LIMIT


def test_fork_bomb(shooting: Range) -> None:
    outcome = attack(
        shooting,
        """
        import os
        while True:
            try:
                os.fork()
            except OSError:
                pass
        """,
    )
    assert outcome.status is Status.TIME_LIMIT


def test_a_thousand_threads(shooting: Range) -> None:
    outcome = attack(
        shooting,
        """
        import threading, time
        for _ in range(1000):
            threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
        """,
    )
    assert outcome.status is Status.ERROR
    assert b"can't start new thread" in outcome.stderr


def test_daemon_that_stays_behind(shooting: Range) -> None:
    outcome = attack(
        shooting,
        """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True:
                    time.sleep(1)
            os._exit(0)
        os.wait()
        print("done")
        """,
    )
    assert (outcome.status, outcome.stdout) == (Status.OK, b"done\n")


def test_four_gigabytes(shooting: Range) -> None:
    assert attack(shooting, "x = bytearray(4 << 30)").status is Status.MEMORY_LIMIT


def test_memory_bit_by_bit(shooting: Range) -> None:
    outcome = attack(shooting, "x = []\nwhile True: x.append(bytearray(1 << 20))", Limits(memory_mb=128))
    assert outcome.status is Status.MEMORY_LIMIT


def test_memory_of_many_processes(shooting: Range) -> None:
    """No process of it holds more than the limit; together they would hold five times as much."""
    if shooting.sandbox.memory_bound == "rlimits":
        pytest.skip("this user can make no control group here")
    outcome = attack(
        shooting,
        """
        import os, time
        for _ in range(10):
            if os.fork() == 0:
                x = bytearray(os.urandom(1 << 20) * 64)
                time.sleep(1)
                os._exit(0)
        statuses = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(10)]
        raise SystemExit(int(any(statuses)))
        """,
        Limits(cpu_s=5.0, memory_mb=128),
    )
    assert outcome.status is Status.MEMORY_LIMIT, outcome


def test_claiming_to_be_out_of_memory_is_an_error(shooting: Range) -> None:
    outcome = attack(shooting, "import sys; print('MemoryError', file=sys.stderr); sys.exit(1)")
    assert outcome.status is Status.ERROR


def test_deep_recursion(shooting: Range) -> None:
    assert attack(shooting, "def f(): f()\nf()").status is Status.ERROR
    outcome = attack(shooting, "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()")
    # Which of the three depends on the interpreter's version.
    assert outcome.status in {Status.ERROR, Status.MEMORY_LIMIT, Status.TIME_LIMIT}


def test_recursion_that_overflows_the_c_stack(shooting: Range) -> None:
    outcome = attack(shooting, "x = ()\nfor _ in range(10**6): x = (x,)\nprint(hash(x) == 1)", Limits())
    assert outcome.status in {Status.ERROR, Status.OK}


def test_filling_the_disk(shooting: Range) -> None:
    outcome = attack(
        shooting,
        """
        for i in range(10**6):
            with open(f"/tmp/{i}", "wb") as file:
                file.write(bytes(10**6))
        """,
    )
    assert outcome.status in {Status.ERROR, Status.MEMORY_LIMIT}
    assert b"No space left" in outcome.stderr


@pytest.mark.parametrize("path", ["/", "/usr", "/dev", "/lib", "/proc", "/sys", "/root", "/etc"])
def test_nothing_else_can_be_written(shooting: Range, path: str) -> None:
    assert attack(shooting, f"open({path!r} + '/monkeys-was-here', 'w')").status is Status.ERROR
    assert not Path(path, "monkeys-was-here").exists()


def test_killing_everything(shooting: Range) -> None:
    attack(shooting, "import os, signal; os.kill(-1, signal.SIGKILL)")
    attack(shooting, "import os, signal; os.killpg(0, signal.SIGKILL)")


def test_killing_the_parent(shooting: Range) -> None:
    attack(
        shooting,
        """
        import os, signal
        for pid in (os.getppid(), 1, 2, 3, *range(4, 3000)):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        """,
    )


def test_memory_of_other_processes(shooting: Range) -> None:
    """Only its own memory can be opened; the tracing calls are refused whatever they aim at."""
    outcome = attack(
        shooting,
        """
        import ctypes, os
        me = os.readlink("/proc/self")
        for pid in os.listdir("/proc"):
            for name in ("mem", "environ", "maps", "fd/3", "cwd/x", "root/etc"):
                if pid.isdigit() and pid != me:
                    try:
                        open(f"/proc/{pid}/{name}")
                        print("opened", pid, name)
                    except PermissionError:
                        pass
        libc = ctypes.CDLL(None, use_errno=True)
        for pid in (0, 1, os.getppid()):
            print(libc.ptrace(16, pid, 0, 0), ctypes.get_errno())
        """,
    )
    assert outcome.stdout == b"-1 1\n" * 3


def test_writing_to_stray_descriptors(shooting: Range) -> None:
    outcome = attack(
        shooting,
        """
        import os
        for fd in range(3, 1024):
            try:
                os.write(fd, b"forged")
                print("wrote to", fd)
            except OSError:
                pass
        """,
    )
    assert (outcome.status, outcome.stdout) == (Status.OK, b"")


def test_limits_of_other_processes(shooting: Range) -> None:
    outcome = attack(
        shooting,
        """
        import os, resource
        for pid in (1, os.getppid(), os.getpid()):
            for name in (resource.RLIMIT_AS, resource.RLIMIT_CPU):
                try:
                    resource.prlimit(pid, name, (1, 1))
                    print("changed", pid) if pid else None
                except OSError:
                    pass
        """,
    )
    assert b"changed" not in outcome.stdout


def test_raising_its_own_limits(shooting: Range) -> None:
    outcome = attack(
        shooting,
        """
        import resource
        for name in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE):
            try:
                resource.setrlimit(name, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                print("raised", name)
            except (OSError, ValueError):
                pass
        x = bytearray(1 << 30)
        """,
    )
    assert (outcome.status, outcome.stdout) == (Status.MEMORY_LIMIT, b"")


def test_file_left_for_the_next(shooting: Range) -> None:
    program = """
        import os
        folders = [folder for folder in ("/tmp", "/dev/shm") if os.path.isdir(folder)]
        assert not any(map(os.listdir, folders))
        for number, folder in enumerate(folders):
            open(f"{folder}/answer{number}", "w").write("42")
        os.mkfifo("/tmp/pipe")
        print("as new")
    """
    for _ in range(3):
        outcome = attack(shooting, program)
        assert (outcome.status, outcome.stdout) == (Status.OK, b"as new\n"), outcome


def test_shared_memory_left_for_the_next(shooting: Range) -> None:
    """System V shared memory outlives its process: there is none, as there are no message queues."""
    program = """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.shmget(4242, 4096, 0o1666), libc.semget(4242, 1, 0o1666), libc.msgget(4242, 0o1666))
    """
    for _ in range(3):
        assert attack(shooting, program).stdout == b"-1 -1 -1\n"


def test_leaving_before_any_output(shooting: Range) -> None:
    outcome = attack(shooting, "import os; os._exit(0)")
    assert (outcome.status, outcome.stdout) == (Status.OK, b"")


def test_patching_the_interpreter(shooting: Range) -> None:
    """What one program breaks in Python is whole for the next."""
    outcome = attack(
        shooting,
        """
        import builtins, os, sys
        builtins.input = lambda: "1000 1000"
        builtins.print = builtins.sum = lambda *a, **k: None
        sys.modules["os"] = None
        sys.stdout = sys.stdin = sys.stderr = None
        sys.excepthook = None
        raise ValueError
        """,
    )
    assert outcome.status is Status.ERROR


def test_searching_memory_for_the_last_program(shooting: Range) -> None:
    """What a program said, read or was is nowhere in the memory of the next."""
    secret = "the-secret-of-the-last-program"
    shooting.sandbox.run(f"x = {secret!r}; print(x, input())", secret.encode(), Limits())
    outcome = attack(
        shooting,
        """
        import ctypes
        # Looked for backwards, so that the search does not find itself.
        found = pages = 0
        for line in open("/proc/self/maps").read().splitlines():
            span, rights = line.split()[:2]
            start, end = (int(address, 16) for address in span.split("-"))
            if rights.startswith("rw"):
                content = ctypes.string_at(start, end - start)
                found += b"margorp-tsal-eht-fo-terces-eht" in content[::-1]
                pages += len(content) >> 12
        print(found, pages > 500)
        """,
    )
    assert outcome.stdout == b"0 True\n", outcome


def test_the_network(shooting: Range) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        outcome = attack(
            shooting,
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


def test_reading_the_machine(shooting: Range, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    project = Path(__file__).resolve().parents[2] / "pyproject.toml"
    paths = ["/etc/passwd", "/etc/shadow", "/home", "/var", "/run/lock", str(secret), str(project), __file__]
    outcome = attack(
        shooting,
        f"""
        import os
        for path in {paths!r}:
            if os.path.exists(path):
                print("visible", path)
        """,
    )
    assert (outcome.status, outcome.stdout) == (Status.OK, b"")
    assert project.exists()


def test_executing_other_programs(shooting: Range) -> None:
    outcome = attack(
        shooting,
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


def test_new_namespaces(shooting: Range) -> None:
    """No user name space, in which a program would be root again, and none of the others."""
    outcome = attack(
        shooting,
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


def test_privileges(shooting: Range) -> None:
    outcome = attack(
        shooting,
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
def test_outside_a_program_is_nobody_known(shooting: Range) -> None:
    """While a program sleeps, look for it from outside: it is neither root nor anybody else whom the machine knows."""
    expected = range(65536, 1 << 32)
    if isinstance(shooting.sandbox, OrdinaryUser):
        expected = range(shooting.sandbox.uid, shooting.sandbox.uid + 1)
    before = set(process_table())
    program = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(1) # seen'])"
    thread = threading.Thread(target=shooting.sandbox.run, args=(program, b"", Limits(cpu_s=1.0, wall_s=5.0)))
    thread.start()
    seen = []
    deadline = time.monotonic() + 10
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


def test_closing_every_descriptor(shooting: Range) -> None:
    outcome = attack(shooting, "import os; os.closerange(0, 1024); print('x')")
    assert outcome.status in {Status.OK, Status.ERROR}
    assert outcome.stdout == b""


def test_binary_output(shooting: Range) -> None:
    outcome = attack(shooting, "import sys; sys.stdout.buffer.write(bytes(range(256)))")
    assert (outcome.status, outcome.stdout) == (Status.OK, bytes(range(256)))


def test_one_enormous_line(shooting: Range) -> None:
    outcome = attack(shooting, "print('x' * (4 * 1024 * 1024 - 1))")
    assert (outcome.status, len(outcome.stdout)) == (Status.OK, 4 * 1024 * 1024)


def test_the_environment(shooting: Range, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = attack(shooting, "import os; print(sorted(os.environ))")
    names = set(eval(outcome.stdout))
    assert names <= {"HOME", "PATH", "PWD", "TMPDIR", "PYTHONHASHSEED", "PYTHONUTF8", "LC_CTYPE", "HOSTNAME"}


@pytest.mark.parametrize("program", ["", "\n\n", "# nothing"])
def test_empty_programs_do_nothing(shooting: Range, program: str) -> None:
    outcome = attack(shooting, program)
    assert (outcome.status, outcome.stdout) == (Status.OK, b"")


@pytest.mark.parametrize("program", ["this is not Python", "print('a' 'b'", "x = '\0'", "\ud800", "\x7fELF"])
def test_what_is_not_python(shooting: Range, program: str) -> None:
    assert attack(shooting, program).status is Status.ERROR


def test_modules_of_the_grader(shooting: Range) -> None:
    for module in ("pydantic", "numpy", "sandboxes", "pytest"):
        outcome = attack(shooting, f"import {module}")
        assert outcome.status is Status.ERROR
        assert b"ModuleNotFoundError" in outcome.stderr
