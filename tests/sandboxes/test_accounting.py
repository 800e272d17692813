"""What a program uses is charged to that program, all of it, and nothing else: one attack or misfortune a test."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from sandboxes import Limits, Outcome, Sandbox, SandboxUnavailableError, Status
from sandboxes.bubblewrap import BubblewrapConfig
from tests.sandboxes.conftest import SUM, Attacker, attack, open_sandbox

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
FORMS = ["bubblewrap", "bubblewrap-spawn", "bubblewrap as ordinary user"]


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
