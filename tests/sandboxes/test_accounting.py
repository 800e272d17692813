"""What a program uses is charged to that program, all of it, and nothing else: one attack or misfortune a test."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandboxes import Limits, Outcome, Sandbox, SandboxUnavailableError, Status
from sandboxes.bubblewrap import BubblewrapConfig
from tests.sandboxes.conftest import SUM, Attacker, attack, open_sandbox
from tests.sandboxes.ordinary_user import PROJECT

# Together they hold four times the limit, each less than half of it; the program itself ends well.
GREEDY_CHILDREN = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        x = bytearray(os.urandom(1 << 20) * 60)
        time.sleep(0.5)
        os._exit(0)
for _ in range(8):
    os.wait()
print(2)
"""
FAILING = 'print(2)\nraise ValueError("mine")'
SMALL = Limits(cpu_s=5.0, wall_s=60.0, memory_mb=128)
MEMORY_IS_SHARED = {"rlimits": Status.OK}  # Only a control group bounds all processes together.


def run(sandbox: Sandbox, program: str, limits: Limits) -> Outcome:
    return sandbox.run(textwrap.dedent(program), b"", limits)


# --- memory ----------------------------------------------------------------------------------------------------------


def test_children_killed_for_want_of_memory_are_charged_to_their_own_program(sandbox: Sandbox) -> None:
    greedy = run(sandbox, GREEDY_CHILDREN, SMALL)
    assert greedy.status is MEMORY_IS_SHARED.get(sandbox.memory_bound, Status.MEMORY_LIMIT), greedy
    failing = run(sandbox, FAILING, SMALL)
    assert (failing.status, failing.stdout) == (Status.ERROR, b"2\n"), failing
    assert run(sandbox, "print(2)", SMALL).status is Status.OK


def test_a_lower_memory_limit_than_that_of_the_program_before_fails_nobody(sandbox: Sandbox) -> None:
    """What the first left in /tmp must not count towards the second's memory."""
    fill = "open('/tmp/x', 'wb').write(b'x' * (3 << 20)); x = bytearray(300 << 20); print(2)"
    limits = Limits(cpu_s=5.0, wall_s=60.0, memory_mb=512)
    for _ in range(3):
        assert run(sandbox, fill, limits).status is Status.OK
        outcome = run(sandbox, "x = bytearray(40 << 20); print(2)", Limits(wall_s=60.0, memory_mb=64))
        assert outcome.status is Status.OK, outcome


def two_at_once() -> Sandbox:
    try:
        config = BubblewrapConfig(workers=2)
        config.check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    return config.open()


def test_children_killed_for_want_of_memory_are_not_charged_to_a_neighbour() -> None:
    with two_at_once() as sandbox, ThreadPoolExecutor(1) as other:
        greedy = other.submit(run, sandbox, GREEDY_CHILDREN, SMALL)
        neighbours: list[Status] = []
        while not greedy.done():
            neighbours.append(run(sandbox, FAILING + "\n#" + "x" * len(neighbours), SMALL).status)
        assert greedy.result().status is MEMORY_IS_SHARED.get(sandbox.memory_bound, Status.MEMORY_LIMIT)
    assert set(neighbours) == {Status.ERROR}


_IN_A_SMALL_GROUP = """
from sandboxes import Limits
from sandboxes.bubblewrap import BubblewrapConfig
with BubblewrapConfig(workers=1).open() as sandbox:
    outcome = sandbox.run("x = bytearray(400 << 20)", b"", Limits(cpu_s=10.0, wall_s=100.0, memory_mb=512))
    print(outcome.status.value, outcome.detail)
"""


def test_a_program_killed_for_want_of_the_machines_memory_is_a_failure_of_the_machine() -> None:
    """The group above the sandbox's has less memory than the program may use: to the program, that is the machine."""
    folder = Path(f"/sys/fs/cgroup/memory/monkeys_test_{os.getpid()}")
    if os.geteuid() != 0 or not folder.parent.is_dir():
        pytest.skip("needs root, and control groups of version 1")
    folder.mkdir()
    try:
        (folder / "memory.limit_in_bytes").write_text(str(300 << 20))
        join = ["sh", "-c", 'echo $$ >"$0"; exec "$@"', str(folder / "cgroup.procs")]
        command = [*join, sys.executable, "-B", "-c", _IN_A_SMALL_GROUP]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.stdout.startswith("infrastructure "), done
        assert "out of memory" in done.stdout
    finally:
        for path in (*folder.glob("monkeys-*"), folder):
            path.rmdir()


@pytest.mark.parametrize(
    ("files", "kills", "cpu_s"),
    [
        (("oom_kill_disable 0\nunder_oom 0\noom_kill {}\n", "999\n", "1000\n", "2500000000\n"), 3, 2.5),
        (
            (
                "low 0\nmax 9\noom 1\noom_kill {}\noom_group_kill 7\n",
                "999\n",
                "1000\n",
                "usage_usec 2500000\nuser_usec 1\n",
            ),
            3,
            2.5,
        ),
        (("oom_kill {}\n", "", "max\n", ""), 3, None),
        (("oom_kill {}\n", "500\n", "1000\n", ""), None, None),
    ],
    ids=["version 1", "version 2", "a kernel that says little", "the limit was not reached"],
)
def test_the_files_of_both_versions_of_control_groups_are_understood(
    files: tuple[str, ...], kills: int | None, cpu_s: float | None, tmp_path: Path
) -> None:
    """What the server reads, as kernels write it: three kills in a request, after four before it."""
    inside: dict[str, Any] = {}
    exec(compile((PROJECT / "sandboxes/inside/usage.py").read_text(), "usage.py", "exec"), inside)
    paths = [tmp_path / str(number) for number in range(4)]
    for path, text in zip(paths, files, strict=True):
        path.write_text(text.format(4))
    opened = [os.open(path, os.O_RDONLY) for path in paths]
    try:
        usage = inside["Usage"](opened)
        usage.begin()
        assert usage.kills() == 0
        paths[0].write_text(files[0].format(7))
        if kills is None:
            with pytest.raises(MemoryError):
                usage.kills()
        else:
            assert usage.kills() == kills
        assert (usage.group_cpu_s() if usage.cpu_file >= 0 else None) == cpu_s
    finally:
        for fd in opened:
            os.close(fd)


# --- processes -------------------------------------------------------------------------------------------------------


def test_a_fork_bomb_does_not_use_up_the_processes_of_a_neighbour() -> None:
    bomb = """
        import os, time
        while True:
            try:
                if os.fork() == 0:
                    time.sleep(100)
            except OSError:
                time.sleep(0.01)
    """
    pool = """
        import multiprocessing
        with multiprocessing.Pool(4) as pool:
            print(pool.map(abs, [1, -2]))
    """
    with two_at_once() as sandbox, ThreadPoolExecutor(1) as other:
        bombing = other.submit(run, sandbox, bomb, Limits(cpu_s=1.0, wall_s=4.0))
        while not bombing.done():
            outcome = run(sandbox, pool, Limits(cpu_s=10.0, wall_s=100.0))
            assert outcome.stdout == b"[1, 2]\n", outcome
        assert bombing.result().status is Status.TIME_LIMIT


# --- CPU time --------------------------------------------------------------------------------------------------------


def test_spinning_children_in_separate_sessions_are_ended_at_the_cpu_limit(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
        """
        import os, time
        for _ in range(30):
            if os.fork() == 0:
                os.setsid()
                while True:
                    pass
        time.sleep(1000)
        """,
        Limits(cpu_s=1.0, wall_s=100.0),
    )
    assert outcome.status is Status.TIME_LIMIT
    assert "CPU time" in outcome.detail
    # A look is due every fiftieth of a second at least; a busy machine delays it.
    assert 1.0 <= outcome.cpu_s < 1.0 + 0.5 * (os.cpu_count() or 1)
    assert outcome.wall_s < 50


def test_children_that_nobody_waits_for_count_after_they_have_ended(attacker: Attacker) -> None:
    """Each uses a tenth of the limit, and the kernel reaps it at once."""
    outcome = attack(
        attacker,
        """
        import os, signal, time
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        for _ in range(100):
            pid = os.fork()
            if pid == 0:
                while time.process_time() < 0.25:
                    pass
                os._exit(0)
            while True:
                try:
                    os.kill(pid, 0)
                    time.sleep(0.01)
                except ProcessLookupError:
                    break
        """,
        Limits(cpu_s=1.0, wall_s=100.0),
    )
    assert outcome.status is Status.TIME_LIMIT
    assert "CPU time" in outcome.detail
    assert outcome.cpu_s < 10


def test_what_the_program_before_used_is_not_charged(sandbox: Sandbox) -> None:
    """Nor what clearing up after it took."""
    messy = "for i in range(5_000): open(f'/tmp/{i}', 'w')\nwhile True: pass"
    for _ in range(2):
        assert run(sandbox, messy, Limits(cpu_s=0.7, wall_s=100.0)).status is Status.TIME_LIMIT
        slept = run(sandbox, "import time; time.sleep(1)", Limits(cpu_s=0.5, wall_s=100.0))
        assert slept.status is Status.OK, slept
        assert slept.cpu_s < 0.3


def test_no_lower_priority_can_be_taken(sandbox: Sandbox) -> None:
    """One that waits behind everybody else would live for ever on a busy machine. The call does nothing, and succeeds:
    a program that is polite is not wrong."""
    outcome = run(
        sandbox,
        """
        import os
        print(os.nice(19))
        os.setpriority(os.PRIO_PROCESS, 0, 10)
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0) == os.SCHED_OTHER)
        """,
        Limits(),
    )
    lines = outcome.stdout.decode().split()
    assert (outcome.status, lines) == (Status.OK, [str(os.nice(0))] * 2 + ["True"]), outcome


# --- a busy machine --------------------------------------------------------------------------------------------------


@contextmanager
def on_one_core(form: str, others: int) -> Iterator[Sandbox]:
    """A sandbox whose programs share one core with as many other processes, which compute all the time."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    hogs: list[subprocess.Popen[bytes]] = []
    try:
        with open_sandbox(form) as sandbox:
            sandbox.run(SUM, b"1 2", Limits())
            try:
                # Each in a separate session: a kernel may share a core out among sessions.
                command = [sys.executable, "-c", "while True: pass"]
                hogs += (subprocess.Popen(command, start_new_session=True) for _ in range(others))
                yield sandbox
            finally:
                for hog in hogs:
                    hog.kill()
                    hog.wait()
    finally:
        os.sched_setaffinity(0, cores)


COMPUTING = "import time\nwhile time.process_time() < 0.5: pass\nprint(2)"
COMPUTING_BY_TURNS = """
import os, time
for _ in range(5):
    if os.fork() == 0:
        while time.process_time() < 0.1: pass
        os._exit(0)
    os.wait()
print(2)
"""
COMPUTING_IN_A_THREAD = """
import threading, time
def compute():
    while time.thread_time() < 0.5: pass
thread = threading.Thread(target=compute)
thread.start()
thread.join()
print(2)
"""
FORMS = ["bubblewrap", "bubblewrap-spawn", pytest.param("bubblewrap as ordinary user", marks=pytest.mark.slow)]


@pytest.mark.parametrize("form", FORMS)
def test_time_in_which_a_program_waits_for_a_core_does_not_count(form: str) -> None:
    """Each needs half a second of CPU time, and several times that by the clock; then one that sleeps, for contrast."""
    limits = Limits(cpu_s=2.0, wall_s=0.9)
    with on_one_core(form, others=3) as sandbox:
        for program in (COMPUTING, COMPUTING_BY_TURNS, COMPUTING_IN_A_THREAD):
            outcome = run(sandbox, program, limits)
            assert (outcome.status, outcome.stdout) == (Status.OK, b"2\n"), (program, outcome)
        asleep = run(sandbox, "import time; time.sleep(1000)", limits)
    assert asleep.status is Status.TIME_LIMIT
    assert "wall-clock" in asleep.detail


def test_time_in_which_a_checker_or_its_program_waits_for_a_core_does_not_count() -> None:
    checker = "import remote, time\nf = remote.Function('f')\nprint(sum(f(n) for n in range(5)))"
    program = """
import remote, time
def f(n):
    until = time.process_time() + 0.1
    while time.process_time() < until: pass
    return n
remote.serve(f)
"""
    with on_one_core("bubblewrap", others=3) as sandbox:
        outcome = sandbox.run_checked(checker, program, Limits(cpu_s=2.0, wall_s=0.9)).checker
    assert (outcome.status, outcome.stdout) == (Status.OK, b"10\n"), outcome


@pytest.mark.slow
def test_a_program_that_gets_no_core_at_all_is_a_failure_of_the_machine() -> None:
    """It is not waited for for ever, and nobody says that it was slow."""
    with on_one_core("bubblewrap", others=40) as sandbox:
        outcome = run(sandbox, "while True: pass", Limits(cpu_s=50.0, wall_s=0.4))
    if outcome.cpu_s >= 0.4:
        pytest.skip("this machine gives a control group more than its share")
    assert outcome.status is Status.INFRASTRUCTURE, outcome
    assert "too busy" in outcome.detail
    assert outcome.wall_s < 100
