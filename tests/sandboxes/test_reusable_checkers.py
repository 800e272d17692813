"""One process that runs a checker for many programs: nothing of one run reaches the next, in either direction.

A checker here breaks the promise on purpose: it leaves a mark in a module, which tells its process from a new one.
"""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandboxes import CheckedOutcome, Limits, Sandbox, Status
from tests.sandboxes.conftest import SHORT, Attacker, descendants, traces

MARK = "import string\nprint(hasattr(string, 'mark'))\nstring.mark = 1\n"
IDLE = "import os\nos.read(3, 1)\n"
AMPLE = Limits(cpu_s=2.0, memory_mb=256)


def check(sandbox: Sandbox, checker: str, program: str = IDLE, limits: Limits = AMPLE) -> CheckedOutcome:
    return sandbox.run_checked(checker, program, limits, reusable_process=True)


def stays(sandbox: Sandbox) -> bool:
    """Whether a form keeps the process of a checker at all."""
    return sandbox.name == "bubblewrap"


@pytest.fixture
def keeping(sandbox: Sandbox) -> Sandbox:
    if not stays(sandbox):
        pytest.skip("it keeps no process")
    return sandbox


def marks(sandbox: Sandbox, checker: str = MARK) -> list[bytes]:
    outcomes = [check(sandbox, checker).checker for _ in range(3)]
    assert {outcome.status for outcome in outcomes} == {Status.OK}, outcomes
    return [outcome.stdout.split()[0] for outcome in outcomes]


def test_a_process_is_used_again_only_for_a_reusable_checker(sandbox: Sandbox) -> None:
    later = b"True" if stays(sandbox) else b"False"
    assert marks(sandbox) == [b"False", later, later]
    for _ in range(2):
        assert sandbox.run_checked(MARK, IDLE, AMPLE).checker.stdout == b"False\n"
    assert marks(sandbox)[0] == b"False"


@pytest.mark.parametrize("between", ["a program", "another checker", "other limits"])
def test_anything_else_in_between_ends_it(keeping: Sandbox, between: str) -> None:
    marks(keeping)
    if between == "a program":
        assert keeping.run("print(1)", b"", AMPLE).stdout == b"1\n"
    elif between == "another checker":
        assert check(keeping, MARK + "# another").checker.stdout == b"False\n"
    else:
        assert check(keeping, MARK, limits=SHORT).checker.stdout == b"False\n"
    assert check(keeping, MARK).checker.stdout == b"False\n"


def test_each_run_has_its_own_names_output_and_descriptors(keeping: Sandbox) -> None:
    checker = """
import os
print("kept" in globals(), __name__, __file__, len(os.listdir("/proc/self/fd")), flush=True)
kept = [os.open("/dev/null", os.O_WRONLY) for _ in range(9)]
os.dup2(kept[0], 1)
print("to nobody")
"""
    said = [check(keeping, checker).checker.stdout for _ in range(4)]
    assert said[0].startswith(b"False program /proc/self/fd/4"), said
    assert len(set(said)) == 1, said


@pytest.mark.parametrize(
    "end",
    [
        "raise SystemExit(0)",
        "1 / 0",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\nos._exit(1)",
        "import os\nos._exit(0)",
        "while True: pass",
        "import time\ntime.sleep(100)",
        "x = b'x' * (1 << 30)",
        "import threading\nthreading.Thread(target=print).start()",
        "import string\nstring.kept = ['x' * 1000 + str(n) for n in range(30_000)]",
        "import time\nwhile time.process_time() < 1.2: pass",
    ],
)
@pytest.mark.slow
def test_a_run_that_ends_otherwise_is_the_last_of_its_process(keeping: Sandbox, end: str) -> None:
    limits = Limits(cpu_s=1.5, wall_s=1.7, memory_mb=256)
    before = traces(keeping)
    for _ in range(2):
        outcome = check(keeping, MARK + f"print('', flush=True)\n{end}", limits=limits).checker
        assert outcome.stdout.startswith(b"False"), outcome
    assert not traces(keeping).more_than(before)


def test_every_run_has_all_of_its_limits(keeping: Sandbox) -> None:
    """Together these use several times the CPU time and the memory that one may."""
    checker = """
import mmap, time
held = mmap.mmap(-1, 200 << 20)
started = time.process_time()
while time.process_time() < started + 0.4:
    pass
print("done")
"""
    for _ in range(4):
        outcome = check(keeping, checker, limits=Limits(cpu_s=1.0, wall_s=30.0, memory_mb=256)).checker
        assert (outcome.status, outcome.stdout) == (Status.OK, b"done\n"), outcome
        assert 0.4 <= outcome.cpu_s < 1.0


def test_a_run_is_stopped_at_its_own_limit(keeping: Sandbox) -> None:
    """Not before, for what others have used, and not after."""
    checker = "import os, time\nif os.read(3, 1) == b'w':\n    while True: pass\nprint('done')"
    limits = Limits(cpu_s=0.5, wall_s=30.0, memory_mb=256)
    say = "import os\nos.write(3, b'{}')\nos.read(3, 1)"
    for letter, status in (("x", Status.OK), ("x", Status.OK), ("w", Status.TIME_LIMIT), ("x", Status.OK)):
        outcome = check(keeping, checker, say.format(letter), limits).checker
        assert outcome.status is status, outcome
        assert (outcome.stdout == b"done\n") == (status is Status.OK)


def test_the_program_before_is_gone(keeping: Sandbox) -> None:
    """What it wrote without being asked, left running or holds open is nothing to the next."""
    checker = "import os\nprint(os.read(3, 100))"
    hostile = """
import os
if os.fork() == 0:
    os.setsid()
    while True:
        try:
            os.write(3, b"forged" * 1000)
        except OSError:
            pass
os.write(3, b"mine")
os.read(3, 1)
"""
    before = traces(keeping)
    for _ in range(3):
        assert check(keeping, checker, hostile).checker.stdout.strip(b"b'\n")
        assert check(keeping, checker, "import os\nos.write(3, b'honest')").checker.stdout == b"b'honest'\n"
    Attacker(keeping).still_serves(before)


def test_files_of_a_program_do_not_outlive_it(keeping: Sandbox) -> None:
    checker = "import os\nos.read(3, 1)\nprint(sorted(os.listdir('/tmp')), os.listdir('.'))"
    littering = "import os\nopen('/tmp/left', 'w').write('x')\nos.write(3, b'x')\nos.read(3, 1)"
    assert b"left" in check(keeping, checker, littering).checker.stdout
    assert check(keeping, checker, "import os\nos.write(3, b'x')").checker.stdout == b"[] []\n"


def test_one_that_was_killed_between_two_runs_is_replaced(keeping: Sandbox) -> None:
    """At whatever step of its death the next run finds it."""
    others = _waiting_elsewhere(keeping)
    for attempt in range(40):
        check(keeping, MARK)
        (waiting,) = _waiting() - others
        os.kill(waiting, signal.SIGKILL)
        time.sleep(attempt % 20 * 1e-4)
        outcome = check(keeping, MARK).checker
        assert (outcome.status, outcome.stdout) == (Status.OK, b"False\n"), outcome
        assert keeping.run("print(1)", b"", AMPLE).stdout == b"1\n"


def test_one_that_is_killed_before_it_has_heard_of_the_next_run_is_replaced(keeping: Sandbox) -> None:
    others = _waiting_elsewhere(keeping)
    check(keeping, MARK)
    (waiting,) = _waiting() - others
    os.kill(waiting, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as other:
        asked = other.submit(check, keeping, MARK)
        time.sleep(0.3)
        os.kill(waiting, signal.SIGKILL)
        outcome = asked.result().checker
    assert (outcome.status, outcome.stdout) == (Status.OK, b"False\n"), outcome


def _waiting() -> set[int]:
    """The processes that checkers have left for their next runs, in any sandbox that is open."""
    return {pid for pid in descendants() if _parent_is_a_server(pid)}


def _waiting_elsewhere(keeping: Sandbox) -> set[int]:
    """Those of other sandboxes; that of this one is ended by a program in between."""
    keeping.run("print(1)", b"", AMPLE)
    return _waiting()


def _parent_is_a_server(pid: int) -> bool:
    """Whether it is a child of a fork server: bubblewrap itself has one in its process namespace, its children two."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return any(line.startswith("NSpid:") and len(line.split()) == 4 for line in lines)
