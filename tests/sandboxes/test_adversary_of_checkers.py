"""A program that attacks its checker, written by somebody who has read `executor.py` and `remote.py`."""

import struct
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
    assert time.monotonic() - started < 300


def piece(letter: bytes, size: int, contents: bytes = b"") -> bytes:
    """One encoded value, or a part of one."""
    return struct.pack("<cQ", letter, size) + contents


def text(value: str) -> bytes:
    return piece(b"s", len(value), value.encode())


def frame(letter: bytes, data: bytes, number: int = 0, size: int | None = None) -> bytes:
    return struct.pack("<QcQ", len(data) if size is None else size, letter, number) + data


NONE, ZERO, TRUE = piece(b"n", 0), piece(b"i", 1, b"0"), piece(b"b", 1, b"1")
EMPTY_TUPLE, EMPTY_DICT = piece(b"t", 0), piece(b"d", 0)
MALFORMED = {
    "nothing": b"",
    "half a head": bytes(8),
    "noise": b"\xff" * 100,
    "an unknown letter": frame(b"x", NONE),
    "a size beyond all bounds": frame(b"=", b"", size=1 << 62),
    "no value": frame(b"=", b""),
    "a value cut short": frame(b"=", piece(b"i", 2, b"1")),
    "more than a value": frame(b"=", NONE + NONE),
    "an unknown value": frame(b"=", piece(b"?", 0)),
    "more parts than there are": frame(b"=", piece(b"l", 1 << 60)),
    "parts too deep": frame(b"=", piece(b"l", 1) * 3000),
    "a key without a value": frame(b"=", piece(b"d", 1, NONE)),
    "a key that cannot be one": frame(b"=", piece(b"d", 2, piece(b"l", 0) * 2)),
    "no number": frame(b"=", piece(b"i", 2, b"zz")),
    "a place that nothing has": frame(b"=", piece(b"r", 7)),
    "an object that was never given": frame(b"=", piece(b"m", 2)),
    "a name to import": frame(b"=", piece(b"g", 9, b"os:system")),
    "an unknown name": frame(b"=", piece(b"T", 4, b"exec")),
    "an unknown record": frame(b"=", piece(b"x", 1, text("os.system"))),
    "a record without parts": frame(b"=", piece(b"x", 1, text("datetime.date"))),
    "a fraction over nothing": frame(b"=", piece(b"x", 3, text("fractions.Fraction") + ZERO + ZERO)),
    "a field that is code": frame(b"=", piece(b"N", 3, text("P") + piece(b"t", 1, text("a=print(1)")) + ZERO)),
    "fields that are not text": frame(b"=", piece(b"N", 3, text("P") + piece(b"t", 1, ZERO) + ZERO)),
    "an unknown handle": frame(
        b"=", piece(b"h", 6, text("module") + piece(b"i", 1, b"5") + text("os") + TRUE + TRUE + EMPTY_TUPLE)
    ),
    "a handle without a number": frame(b"=", piece(b"h", 6, text("object") + NONE * 5)),
    "an exception of nothing": frame(b"=", piece(b"e", 5, NONE * 5)),
    "raising what is not an exception": frame(b"!", ZERO),
    "raising SystemExit": frame(
        b"!",
        piece(
            b"e",
            5,
            piece(b"t", 1, text("builtins:SystemExit")) + EMPTY_TUPLE + EMPTY_DICT + piece(b"i", 2, b"-1") + text(""),
        ),
    ),
    "contents of what was not sent": frame(b"=", piece(b"t", 2, NONE + piece(b"t", 9, NONE * 9)), 1),
    "contents of another kind": frame(b"=", piece(b"t", 2, NONE + piece(b"t", 1, ZERO)), 1),
    "calling what was not given": frame(b"C", piece(b"t", 2, EMPTY_TUPLE + EMPTY_DICT), 2),
    "iterating over a function": frame(b"N", EMPTY_TUPLE, 0),
    "calling an iterator": frame(b"C", piece(b"t", 2, EMPTY_TUPLE + EMPTY_DICT), 1),
    "reading an attribute of a function": frame(b"U", piece(b"t", 2, text("getattr") + text("__globals__")), 0),
    "a call without arguments": frame(b"C", NONE, 0),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_answer_or_question_ends_the_exchange(attacker: Attacker, name: str) -> None:
    """No value is made of it, and nothing is done that the test did not allow."""
    checker = """
        import remote
        try:
            print("value", remote.Function("f")([0], lambda: 0, iter([1])))
        except remote.PeerClosedError:
            print("gone")
    """
    program = f"import os\nos.read(3, 1000)\nos.write(3, {MALFORMED[name]!r})"
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
        ("SystemExit(0)", "PeerClosedError"),
        ("KeyboardInterrupt", "PeerClosedError"),
        ("MemoryError", "PeerClosedError"),
        ("UnicodeDecodeError('a', b'b', 0, 1, 'c')", "UnicodeDecodeError"),
        ("UnicodeDecodeError", "TypeError"),
    ],
)
def test_an_exception_arrives_as_pythons_own(attacker: Attacker, raised: str, arrives: str) -> None:
    checker = """
        import remote
        try:
            remote.Function("f")(1)
        except BaseException as error:
            print(type(error).__name__)
    """
    program = f"import remote\ndef f(x):\n    raise {raised}\nremote.serve(f)"
    assert attack_checker(attacker, checker, program).checker.stdout.decode() == f"{arrives}\n"
