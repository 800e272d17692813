"""Time, output, processes, memory and disk beyond what is allowed: one attack a test (see `conftest.Attacker`)."""

import pytest

from sandboxes import Limits, Status
from tests.sandboxes.conftest import Attacker, attack


def test_infinite_loop(attacker: Attacker) -> None:
    # A clock that leaves a busy machine the time to get there.
    outcome = attack(attacker, "while True: pass", Limits(cpu_s=0.5, wall_s=20.0, memory_mb=256))
    assert outcome.status is Status.TIME_LIMIT
    assert 0.5 <= outcome.cpu_s < 1.5


def test_sleeping_beyond_the_clock(attacker: Attacker) -> None:
    outcome = attack(attacker, "import time; time.sleep(1000)")
    assert outcome.status is Status.TIME_LIMIT
    assert outcome.cpu_s < 0.5


def test_stopping_itself(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
        """
        import os, signal, time
        if os.fork() == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
        os.wait()
        """,
    )
    assert outcome.status is Status.TIME_LIMIT


def test_flood_of_stdout(attacker: Attacker) -> None:
    outcome = attack(attacker, "while True: print('x' * 10**6)")
    assert outcome.status is Status.OUTPUT_LIMIT


def test_flood_that_ignores_its_errors(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
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


def test_flood_of_stderr(attacker: Attacker) -> None:
    outcome = attack(attacker, "import sys\nwhile True: sys.stderr.write('x' * 10**6)")
    assert outcome.status is Status.OUTPUT_LIMIT
    assert len(outcome.stderr) <= 2000


def test_output_of_just_the_limit_is_allowed(attacker: Attacker) -> None:
    limits = Limits(output_bytes=1000)
    assert attack(attacker, "print('x' * 999)", limits).stdout == b"x" * 999 + b"\n"
    assert attack(attacker, "print('x' * 1000)", limits).status is Status.OUTPUT_LIMIT


def test_one_enormous_line(attacker: Attacker) -> None:
    outcome = attack(attacker, "print('x' * (4 * 1024 * 1024 - 1))")
    assert (outcome.status, len(outcome.stdout)) == (Status.OK, 4 * 1024 * 1024)


def test_fork_bomb(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
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


def test_a_thousand_threads(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
        """
        import threading, time
        for _ in range(1000):
            threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
        """,
    )
    assert outcome.status is Status.ERROR
    assert b"can't start new thread" in outcome.stderr


def test_four_gigabytes(attacker: Attacker) -> None:
    # Touching memory up to the limit takes half a CPU second on a slow machine.
    assert attack(attacker, "x = bytearray(4 << 30)", Limits(cpu_s=10)).status is Status.MEMORY_LIMIT


def test_memory_bit_by_bit(attacker: Attacker) -> None:
    outcome = attack(attacker, "x = []\nwhile True: x.append(bytearray(1 << 20))", Limits(memory_mb=128))
    assert outcome.status is Status.MEMORY_LIMIT


def test_memory_of_many_processes(attacker: Attacker) -> None:
    """No process of it holds more than the limit; together they would hold five times as much."""
    if attacker.sandbox.memory_bound == "rlimits":
        pytest.skip("this user can make no control group here")
    outcome = attack(
        attacker,
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


def test_claiming_to_be_out_of_memory_is_an_error(attacker: Attacker) -> None:
    outcome = attack(attacker, "import sys; print('MemoryError', file=sys.stderr); sys.exit(1)")
    assert outcome.status is Status.ERROR


def test_deep_recursion(attacker: Attacker) -> None:
    assert attack(attacker, "def f(): f()\nf()").status is Status.ERROR
    outcome = attack(attacker, "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()")
    # Which of the three depends on the interpreter's version.
    assert outcome.status in {Status.ERROR, Status.MEMORY_LIMIT, Status.TIME_LIMIT}


def test_recursion_that_overflows_the_c_stack(attacker: Attacker) -> None:
    outcome = attack(attacker, "x = ()\nfor _ in range(10**6): x = (x,)\nprint(hash(x) == 1)", Limits())
    assert outcome.status in {Status.ERROR, Status.OK}


def test_filling_the_disk(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
        """
        for i in range(10**6):
            with open(f"/tmp/{i}", "wb") as file:
                file.write(bytes(10**6))
        """,
        Limits(cpu_s=5.0, memory_mb=256),
    )
    assert outcome.status in {Status.ERROR, Status.MEMORY_LIMIT}
    assert b"No space left" in outcome.stderr


def test_raising_its_own_limits(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
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
