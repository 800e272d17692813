"""A program that attacks its checker, written by somebody who has read `executor.py` and `remote.py`."""

import textwrap
import time

import pytest

from sandboxes import CheckedOutcome, Limits, Status
from tests.sandboxes.conftest import SHORT, Attacker, traces

PATIENT = Limits(cpu_s=1.0, wall_s=4.0, memory_mb=256)


def attack_checker(attacker: Attacker, checker: str, program: str, limits: Limits = PATIENT) -> CheckedOutcome:
    before = traces(attacker.sandbox)
    checked = attacker.sandbox.run_checked(textwrap.dedent(checker), textwrap.dedent(program), limits)
    assert Status.INFRASTRUCTURE not in {outcome.status for outcome in checked}, checked
    attacker.still_serves(before)
    return checked


WAIT = "import os\nos.read(3, 1)\n"


def test_modules_for_the_checker_to_import(attacker: Attacker) -> None:
    """Both may write to /tmp; the checker imports nothing from there, nor what the program left in its folder."""
    program = """
        import os
        for folder in ("/tmp", os.getcwd()):
            for name in ("colorsys", "random", "sitecustomize", "usercustomize", "json", "encodings/forged"):
                os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
                open(f"{folder}/{name}.py", "w").write("print('forged')")
        os.write(3, b"x")
        os.read(3, 1)
    """
    checker = "import os\nos.read(3, 1)\nimport colorsys, random, json\nprint(colorsys.__file__.startswith('/tmp'))"
    assert attack_checker(attacker, checker, program).checker.stdout == b"False\n"


def test_descriptors_for_the_checker(attacker: Attacker) -> None:
    """Sent along with an answer, they go nowhere."""
    program = """
        import array, os, remote, socket
        channel = socket.socket(fileno=os.dup(3))
        for _ in range(50):
            channel.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
        os.read(3, 1)
    """
    checker = """
        import os
        before = os.listdir("/proc/self/fd")
        received = b""
        while len(received) < 50:
            received += os.read(3, 1000)
        print(received == b"x" * 50, os.listdir("/proc/self/fd") == before)
    """
    assert attack_checker(attacker, checker, program).checker.stdout == b"True True\n"


def test_reaching_for_the_checker(attacker: Attacker) -> None:
    """Signals, memory, descriptors and files of every other process, while the checker waits."""
    program = """
        import os, signal
        for name in os.listdir("/proc"):
            if name.isdigit() and name != os.readlink("/proc/self"):
                for file in ("mem", "environ", "maps", "fd/1", "fd/3", "cwd/x", "root/tmp/x"):
                    try:
                        os.open(f"/proc/{name}/{file}", os.O_RDONLY)
                        print("opened", name, file)
                    except OSError:
                        pass
        for pid in range(2, 300):
            if pid != os.getpid():
                try:
                    os.kill(pid, signal.SIGKILL)
                    print("killed", pid)
                except OSError:
                    pass
        os.write(3, b"x")
        os.read(3, 1)
    """
    checked = attack_checker(attacker, "import os\nos.read(3, 1)\nprint('passed')", program)
    assert checked.checker.stdout == b"passed\n", checked
    assert checked.program.stdout == b"", checked


def test_a_handle_of_the_controller(attacker: Attacker) -> None:
    """Who made the channel is its peer, and the kernel gives out handles of peers."""
    program = """
        import os, socket
        channel = socket.socket(fileno=os.dup(3))
        print(channel.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM)
        try:
            print("handle", channel.getsockopt(socket.SOL_SOCKET, 77))
        except OSError as error:
            print(error.strerror)
        print(flush=True, end="")
        os.write(3, b"x")
        os.read(3, 1)
    """
    checked = attack_checker(attacker, "import os\nos.read(3, 1)", program)
    assert checked.program.stdout == b"True\nOperation not permitted\n", checked


def test_an_orphan_that_holds_the_channel(attacker: Attacker) -> None:
    """The program ends, and leaves the checker waiting for a process of it that will never answer."""
    program = """
        import os, time
        if os.fork() == 0:
            os.setsid()
            time.sleep(1000)
    """
    started = time.monotonic()
    checker = "import os\nprint(os.read(3, 1))"
    checked = attack_checker(attacker, checker, program, Limits(cpu_s=1.0, wall_s=5.0))
    assert checked.checker.stdout == b"b''\n", checked
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    "frame",
    [
        "bytes(8)",
        "b'\\xff' * 100",
        "struct.pack('<Q', 1 << 62)",
        "struct.pack('<Q', 9) + b'l' + struct.pack('<Q', 1 << 60)",
        "struct.pack('<Q', 9 * 3000) + (b'l' + struct.pack('<Q', 1)) * 3000",
        "struct.pack('<Q', 10) + b'd' + struct.pack('<Q', 1) + b'n'",
        "struct.pack('<Q', 27) + b'd' + struct.pack('<Q', 1) + (b'l' + struct.pack('<Q', 0)) * 2",
        "struct.pack('<Q', 11) + b'i' + struct.pack('<Q', 2) + b'zz'",
        "struct.pack('<Q', 8) + b'n'",
        "struct.pack('<Q', 9) + b'n' + bytes(8)",
    ],
)
def test_answers_that_are_none(attacker: Attacker, frame: str) -> None:
    """Whatever comes, the function calls fail as they should, and no value is made of it."""
    checker = """
        import remote
        try:
            print("value", remote.Function("f")(1))
        except remote.PeerClosedError:
            print("gone")
    """
    program = f"import os, struct\nos.read(3, 1000)\nos.write(3, {frame})"
    assert attack_checker(attacker, checker, program).checker.stdout == b"gone\n"


def test_answers_without_end(attacker: Attacker) -> None:
    """The program writes as fast as it can, and reads nothing: what is sent last decides nothing."""
    program = """
        import os
        while True:
            os.write(3, b"x" * 65536)
    """
    checker = """
import remote
try:
    remote.Function('f')(bytes(1 << 22))
except remote.PeerClosedError:
    print('gone')
"""
    checked = attack_checker(attacker, checker, program, SHORT)
    assert checked.checker.stdout in {b"", b"gone\n"}
    assert (
        checked.checker.stdout
        or checked.checker.status is Status.TIME_LIMIT
        or (checked.program.status is Status.TIME_LIMIT)
    )


@pytest.mark.parametrize("raised", ["StopIteration(1)", "type('Mine', (StopIteration,), {})()"])
def test_an_exception_that_ends_the_checkers_loop(attacker: Attacker, raised: str) -> None:
    """To whatever goes through `map`, StopIteration says that there is no more to check."""
    checker = """
        import remote
        f = remote.Function("f")
        for check in (lambda: all(map(lambda x: f(x) == 1, [1, 2])), lambda: [1 for _ in map(f, [1, 2])]):
            try:
                check()
                print("passed")
            except RuntimeError:
                print("failed")
    """
    program = f"import remote\ndef f(x):\n    raise {raised}\nremote.serve(f)"
    assert attack_checker(attacker, checker, program).checker.stdout == b"failed\nfailed\n"


@pytest.mark.parametrize(
    ("raised", "arrives"),
    [
        ("KeyError('k')", "KeyError"),
        ("type('Mine', (ValueError,), {})('v')", "ValueError"),
        ("type('ValueError', (KeyError,), {})('v')", "KeyError"),
        ("type('Mine', (Exception,), {})('v')", "RemoteError"),
        ("SystemExit(0)", "RemoteError"),
        ("UnicodeDecodeError('a', b'b', 0, 1, 'c')", "RemoteError"),
    ],
)
def test_exceptions_arrive_as_pythons_own(attacker: Attacker, raised: str, arrives: str) -> None:
    checker = """
        import remote
        try:
            remote.Function("f")(1)
        except BaseException as error:
            print(type(error).__name__)
    """
    program = f"import remote\ndef f(x):\n    raise {raised}\nremote.serve(f)"
    assert attack_checker(attacker, checker, program).checker.stdout.decode() == f"{arrives}\n"
