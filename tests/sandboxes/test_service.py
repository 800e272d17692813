"""What an honest program may count on."""

import textwrap
import threading

import pytest

from sandboxes import Limits, Outcome, Sandbox, Status
from tests.sandboxes.conftest import SUM


def run(sandbox: Sandbox, program: str, stdin: bytes = b"", limits: Limits | None = None) -> Outcome:
    return sandbox.run(textwrap.dedent(program), stdin, limits or Limits())


def test_input_and_output(sandbox: Sandbox) -> None:
    outcome = run(sandbox, SUM, b"3 4\n")
    assert (outcome.status, outcome.stdout, outcome.exit_code) == (Status.OK, b"7\n", 0)
    assert 0 < outcome.cpu_s < 1
    assert outcome.wall_s > 0


def test_every_way_to_read(sandbox: Sandbox) -> None:
    program = """
        import os, sys
        print(input(), sys.stdin.readline().strip(), next(sys.stdin).strip(), sys.stdin.read().split())
        print(sys.stdin.read() == "", open(0, closefd=False).read() == "")
    """
    assert run(sandbox, program, b"a\nb\nc\nd e\n").stdout == b"a b c ['d', 'e']\nTrue True\n"
    assert run(sandbox, "import os; print(os.read(0, 100))", b"raw").stdout == b"b'raw'\n"
    assert run(sandbox, "import sys; print(sys.stdin.buffer.read())", b"\xff").stdout == b"b'\\xff'\n"
    assert run(sandbox, "input()").status is Status.ERROR


def test_exit_codes(sandbox: Sandbox) -> None:
    assert run(sandbox, "import sys; print(1); sys.exit()").status is Status.OK
    assert run(sandbox, "raise SystemExit(0)").status is Status.OK
    failed = run(sandbox, "import sys; sys.exit(3)")
    assert (failed.status, failed.exit_code) == (Status.ERROR, 3)
    said = run(sandbox, "import sys; sys.exit('so long')")
    assert (said.status, said.exit_code, said.stderr) == (Status.ERROR, 1, b"so long\n")


def test_the_names_of_an_interactive_session(sandbox: Sandbox) -> None:
    assert run(sandbox, "print(1); exit()").status is Status.OK
    assert run(sandbox, "quit(2)").exit_code == 2


@pytest.mark.parametrize(
    "end",
    [
        *("sys.stdout.close()", "sys.stdout.flush(); sys.stdout = None", "sys.stdout.flush(); del sys.stdout"),
        *("sys.stderr.close()", "sys.stderr = None", "sys.stdout = os.fdopen(1, 'w'); sys.stdout.close()"),
        *("os._exit = None", "sys.exit = None", "sys.stdin.close()"),
    ],
)
def test_a_program_may_close_what_it_needs_no_more(sandbox: Sandbox, end: str) -> None:
    outcome = run(sandbox, f"import os, sys\nprint('done', flush=True)\n{end}")
    assert (outcome.status, outcome.stdout, outcome.exit_code) == (Status.OK, b"done\n", 0), outcome


def test_output_that_cannot_be_written_is_an_error(sandbox: Sandbox) -> None:
    assert run(sandbox, "import os\nprint('lost')\nos.close(1)").exit_code == 120


def test_files_that_nobody_closed_are_written(sandbox: Sandbox) -> None:
    program = """
        import io, sys
        out = open(1, "w")
        out.write("a")
        sys.stdout = io.TextIOWrapper(sys.stdout.buffer)
        print("b")
    """
    assert sorted(run(sandbox, program).stdout) == sorted(b"ab\n")
    assert run(sandbox, "f = open('/dev/stdout', 'w'); print('x', file=f)").stdout == b"x\n"


def test_the_standard_streams_by_their_path(sandbox: Sandbox) -> None:
    assert run(sandbox, "print(open('/dev/stdin').read())", b"abc").stdout == b"abc\n"


def test_traceback_begins_with_the_program(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "def f():\n    return 1 / 0\nf()")
    assert outcome.status is Status.ERROR
    lines = outcome.stderr.decode().splitlines()
    assert lines[:2] == ["Traceback (most recent call last):", '  File "main.py", line 3, in <module>']
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_it_is_the_main_module(sandbox: Sandbox) -> None:
    program = """
        import sys
        from dataclasses import dataclass
        import pickle
        @dataclass
        class Point:
            x: int
        print(__name__, sys.argv, len(sys.modules["__main__"].__dict__) > 0, globals() is vars(sys.modules["__main__"]))
        print(pickle.loads(pickle.dumps(Point(3))))
    """
    outcome = run(sandbox, program)
    assert outcome.stdout == b"__main__ ['main.py'] True True\nPoint(x=3)\n", outcome.stderr


def test_the_server_keeps_no_sources_for_programs(sandbox: Sandbox) -> None:
    program = "import sys; print(sum(map(len, getattr(sys, 'orig_argv', [])[1:])))"
    assert run(sandbox, program).stdout == b"0\n"


def test_each_program_has_its_own_resource_limits(sandbox: Sandbox) -> None:
    program = "from resource import *; print(getrlimit(RLIMIT_CPU)[0], getrlimit(RLIMIT_FSIZE)[0])"
    for seconds, size in ((3, 1000), (3, 1000), (7, 2000), (3, 2000), (7, 1000), (7, 1000)):
        limits = Limits(cpu_s=seconds, output_bytes=size)
        assert run(sandbox, program, limits=limits).stdout.split() == [b"%d" % (seconds + 2), b"%d" % (size + 1)]


def test_threads_and_exit_functions_finish(sandbox: Sandbox) -> None:
    program = """
        import atexit, threading, time
        def late():
            time.sleep(0.2)
            print("thread")
        atexit.register(print, "exit")
        threading.Thread(target=late).start()
        print("main")
    """
    assert run(sandbox, program).stdout == b"main\nthread\nexit\n"


def test_recursion_in_a_thread_with_a_large_stack(sandbox: Sandbox) -> None:
    program = """
        import sys, threading
        sys.setrecursionlimit(10**6)
        threading.stack_size(1 << 27)
        def depth(n):
            return 0 if n == 0 else 1 + depth(n - 1)
        thread = threading.Thread(target=lambda: print(depth(50_000)))
        thread.start()
        thread.join()
    """
    assert run(sandbox, program).stdout == b"50000\n"


def test_worker_processes(sandbox: Sandbox) -> None:
    program = """
        import multiprocessing
        with multiprocessing.Pool(2) as pool:
            print(pool.map(abs, [1, -2]))
    """
    outcome = run(sandbox, program)
    assert outcome.stdout == b"[1, 2]\n", outcome.stderr


def test_order_of_sets_is_the_same_in_every_run(sandbox: Sandbox) -> None:
    first, second = (run(sandbox, "print({str(i) for i in range(50)})").stdout for _ in range(2))
    assert first == second


def test_random_numbers_differ_from_run_to_run(sandbox: Sandbox) -> None:
    first, second = (run(sandbox, "import random, os; print(random.random(), os.urandom(4))").stdout for _ in range(2))
    assert first != second


def test_unicode(sandbox: Sandbox) -> None:
    assert run(sandbox, "print(input()[::-1], 'ß')", "äöü😀\n".encode()).stdout == "😀üöä ß\n".encode()


def test_cpu_time_of_worker_processes_counts(sandbox: Sandbox) -> None:
    program = """
        import os, time
        if os.fork() == 0:
            while time.process_time() < 0.5:
                pass
            os._exit(0)
        os.wait()
    """
    assert run(sandbox, program).cpu_s > 0.5


def test_limits_are_those_of_each_call(sandbox: Sandbox) -> None:
    program = "x = bytearray(150 * 1024 * 1024); print(len(x))"
    assert run(sandbox, program, limits=Limits(memory_mb=64)).status is Status.MEMORY_LIMIT
    assert run(sandbox, program, limits=Limits(memory_mb=256)).status is Status.OK
    assert run(sandbox, program, limits=Limits(memory_mb=64)).status is Status.MEMORY_LIMIT


def test_many_threads_at_once(sandbox: Sandbox) -> None:
    outcomes: dict[int, Outcome] = {}

    def serve(first: int) -> None:
        for number in range(first, first + 5):
            outcomes[number] = sandbox.run(SUM, f"{number} {number}".encode(), Limits())

    threads = [threading.Thread(target=serve, args=(5 * i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: outcome.stdout for number, outcome in outcomes.items()} == {
        number: f"{2 * number}\n".encode() for number in range(30)
    }


@pytest.mark.parametrize("limits", [Limits(cpu_s=1e9), Limits(cpu_s=1e300), Limits(memory_mb=10**25)])
def test_limits_beyond_what_the_system_allows_count_as_unlimited(sandbox: Sandbox, limits: Limits) -> None:
    assert run(sandbox, SUM, b"20 22", limits).stdout == b"42\n"
