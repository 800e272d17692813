"""Ways from inside a sandbox to what all of a machine or all of a user's processes share: one attack a test (see
`conftest.Attacker`)."""

import resource

from sandboxes import Limits, Status
from tests.sandboxes.conftest import Attacker, attack

# A call by its number on x86-64 and on 64-bit ARM, where there is one; it says whether it was refused.
_CALLS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def refused(x86_64, aarch64, *arguments):
    number = {"x86_64": x86_64, "aarch64": aarch64}[os.uname().machine]
    return number is None or (libc.syscall(number, *arguments) == -1 and ctypes.get_errno() == 1)
"""


def test_loading_modules_of_the_kernel(attacker: Attacker) -> None:
    """A pair of sockets of any family would load its module, before it turns out that there are no such pairs."""
    outcome = attack(
        attacker,
        """
        import ctypes, socket
        libc = ctypes.CDLL(None, use_errno=True)
        pair = (ctypes.c_int * 2)()
        answers = {}
        for family in range(1, 50):
            for kind in (1, 2, 3, 5):
                made = libc.socketpair(family, kind, 0, pair) == 0
                answers.setdefault(family, set()).add("made" if made else ctypes.get_errno())
        print(answers.pop(1), set.union(*answers.values()))
        """,
    )
    assert (outcome.status, outcome.stdout) == (Status.OK, b"{'made'} {1}\n"), outcome


def test_urgent_bytes_on_a_pair(attacker: Attacker) -> None:
    """They are of no use, and were a way into the kernel (CVE-2025-38236)."""
    outcome = attack(
        attacker,
        """
        import socket
        a, b = socket.socketpair()
        a.sendall(b"ordinary")
        print(b.recv(100))
        for call in (a.send, lambda *x: a.sendmsg([x[0]], [], x[1]), lambda *x: a.sendto(*x, "nobody")):
            try:
                call(b"x", socket.MSG_OOB)
                print("sent")
            except PermissionError:
                pass
        for call in (b.recv, lambda *x: b.recvmsg(x[0], 0, x[1])):
            try:
                call(1, socket.MSG_OOB)
                print("received")
            except PermissionError:
                pass
        """,
    )
    assert (outcome.status, outcome.stdout) == (Status.OK, b"b'ordinary'\n"), outcome


def test_the_handler_of_core_dumps(attacker: Attacker) -> None:
    """Where a machine has one, it runs outside, often as root, for every crash of a process that can be dumped and
    whose limit on dumps is not 1; a limit of 0 does not keep it from that."""
    outcome = attack(
        attacker,
        f"""{_CALLS}
import resource, struct, sys
for limits in ((0, 0), (0, 1), (1, 1)):
    try:
        resource.setrlimit(resource.RLIMIT_CORE, limits)
        print("changed")
    except (OSError, ValueError):
        pass
print(refused(160, 164, 4, struct.pack("QQ", 0, 0)), refused(302, 261, 0, 4, struct.pack("QQ", 0, 0), 0))
resource.setrlimit(resource.RLIMIT_STACK, resource.getrlimit(resource.RLIMIT_STACK))
ask = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"
print(flush=True, end="")
os.execv(sys.executable, [sys.executable, "-S", "-c", ask])
""",
        Limits(cpu_s=5.0),
    )
    # Who may not raise the limit keeps what there is.
    limit = min(1, resource.getrlimit(resource.RLIMIT_CORE)[1] % (1 << 64))
    assert (outcome.status, outcome.stdout) == (Status.OK, f"True True\n({limit}, {limit})\n".encode()), outcome


def test_writing_out_the_disks_of_the_machine(attacker: Attacker) -> None:
    """`sync`, and `syncfs` through a file of the machine's that it may only read."""
    program = f"{_CALLS}\nprint(refused(162, 81), refused(306, 267, os.open(os.__file__, os.O_RDONLY)))"
    assert attack(attacker, program).stdout == b"True True\n"


def test_using_up_what_others_need(attacker: Attacker) -> None:
    """Asynchronous requests, of which a machine has a limited number (`fs.aio-max-nr`); file watches and pending
    signals, of which a user has."""
    outcome = attack(
        attacker,
        f"""{_CALLS}
context = ctypes.c_ulong(0)
print(refused(206, 0, 65536, ctypes.byref(context)), refused(253, None), refused(294, 26, 0))
timers = 0
timer = ctypes.c_void_p()
while timers < 5000 and libc.timer_create(1, None, ctypes.byref(timer)) == 0:
    timers += 1
print(timers)
""",
    )
    refused, timers = outcome.stdout.decode().splitlines()
    assert (outcome.status, refused) == (Status.OK, "True True True"), outcome
    # In a container each program is a user that nobody else is.
    assert int(timers) <= 1024 or attacker.sandbox.name == "docker"


def test_tables_of_the_processor(attacker: Attacker) -> None:
    assert attack(attacker, f"{_CALLS}\nprint(refused(154, None, 0, None, 0))").stdout == b"True\n"
