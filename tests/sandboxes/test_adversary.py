"""Attacks by somebody who has read the executor. Each is followed by an honest program, which is right, and leaves
nothing behind (see `conftest.Attacker`)."""

import textwrap

import pytest

from sandboxes import Limits, Status
from tests.sandboxes.conftest import Attacker, attack

# --- its own output --------------------------------------------------------------------------------------------------


def test_changing_its_output_after_its_end(attacker: Attacker) -> None:
    """A process that stays behind has the output mapped, and writes what would be right."""
    program = """
        import mmap, os, time
        os.write(1, b"wrong\\n")
        shared, ended = mmap.mmap(1, 6), mmap.mmap(-1, 1)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while not ended[0]:
                    pass
                # Its last step may take a moment on a busy machine, and until then all of this is the program's own.
                time.sleep(0.1)
                while True:
                    shared[:] = b"right\\n"
            os._exit(0)
        os.wait()
        ended[0] = 1
        os._exit(0)
    """
    for _ in range(5):
        outcome = attack(attacker, program)
        assert (outcome.status, outcome.stdout) == (Status.OK, b"wrong\n"), outcome


def test_output_to_special_files_is_handled(attacker: Attacker) -> None:
    """It is an anonymous file: sealed, cut, grown, preallocated and punched, it keeps to its limit."""
    outcome = attack(
        attacker,
        """
        import ctypes, fcntl, os
        libc = ctypes.CDLL(None, use_errno=True)
        libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long]
        done = []
        for fd in (0, 1, 2):
            for seal in (1, 2, 4, 8, 16):
                try:
                    fcntl.fcntl(fd, 1033, seal)
                    done.append(("sealed", fd, seal))
                except OSError:
                    pass
            for mode in (0, 1, 2 | 1):
                if mode < 2 and libc.fallocate(fd, mode, 0, 1 << 33) == 0:
                    done.append(("allocated", fd, mode))
            try:
                os.ftruncate(fd, 1 << 40)
                done.append(("grown", fd))
            except OSError:
                pass
        os.lseek(1, 0, 0)
        os.ftruncate(1, 0)
        print(done)
        """,
    )
    assert (outcome.status, outcome.stdout) == (Status.OK, b"[]\n"), outcome


def test_descriptors_opened_again_by_their_path(attacker: Attacker) -> None:
    """There are three, and its text as the fourth; opened again they are still its own files."""
    outcome = attack(
        attacker,
        """
        import os
        held = sorted(os.listdir("/proc/self/fd"), key=int)
        open("/proc/self/fd/0", "wb").write(b"changed")
        held.remove("3")  # the folder that is being listed
        print(open("/proc/self/fd/0").read(), held, flush=True)
        open("/dev/stdout", "ab").write(b"again")
        """,
        stdin=b"as sent",
    )
    assert (outcome.status, outcome.stdout) == (Status.OK, b"changed ['0', '1', '2', '4']\nagain"), outcome


# --- processes and signals -------------------------------------------------------------------------------------------


def test_processes_that_are_never_where_they_were(attacker: Attacker) -> None:
    """Each lives for a moment and starts the next one, in its own session."""
    outcome = attack(
        attacker,
        """
        import os
        if os.fork() == 0:
            while True:
                os.setsid() if os.getpid() != os.getsid(0) else None
                try:
                    if os.fork():
                        os._exit(0)
                except OSError:
                    pass
        while True:
            pass
        """,
    )
    assert outcome.status is Status.TIME_LIMIT


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.slow
def test_others_do_its_work(attacker: Attacker, waits: bool) -> None:
    """One after the other, each within the limit; whether or not it waits for them, it used more than it may."""
    if not waits and attacker.sandbox.memory_bound == "rlimits":
        pytest.skip("without a control group, nobody counts the CPU time of processes that nobody waits for")
    outcome = attack(
        attacker,
        f"""
        import os, signal, time
        signal.signal(signal.SIGCHLD, signal.{"SIG_DFL" if waits else "SIG_IGN"})
        for _ in range(5):
            end, held = os.pipe()
            if os.fork() == 0:
                while time.process_time() < 0.4:
                    pass
                os._exit(0)
            os.close(held)
            os.read(end, 1)
            os.close(end)
            {"os.wait()" if waits else ""}
        print("done")
        """,
        Limits(cpu_s=0.5, wall_s=20.0),
    )
    assert outcome.status is Status.TIME_LIMIT, outcome


def test_a_storm_of_zombies(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
        """
        import os
        count = 0
        while True:
            try:
                if os.fork() == 0:
                    os._exit(0)
                count += 1
            except OSError:
                break
        print(count <= 40)
        """,
    )
    assert (outcome.status, outcome.stdout) == (Status.OK, b"True\n"), outcome


def test_a_sibling_in_place_of_a_child(attacker: Attacker) -> None:
    """CLONE_PARENT makes the server the parent: it must not take the stranger for the program, nor leave it."""
    outcome = attack(
        attacker,
        """
        import ctypes, os, platform, time
        number = {"x86_64": 56, "aarch64": 220}[platform.machine()]
        for _ in range(5):
            if ctypes.CDLL(None).syscall(number, 0x8000 | 17, 0, 0, 0, 0) == 0:
                time.sleep(100)
                os._exit(0)
        if os.fork() == 0:
            if ctypes.CDLL(None).syscall(number, 0x8000 | 17, 0, 0, 0, 0) == 0:
                time.sleep(100)
            os._exit(0)
        print("done")
        """,
    )
    assert (outcome.status, outcome.stdout) == (Status.OK, b"done\n"), outcome


def test_stopping_everybody(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
        """
        import os, signal, time
        for target in (1, os.getppid(), -1):
            for number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGINT, signal.SIGHUP):
                if os.fork() == 0:
                    try:
                        os.kill(target, number)
                    finally:
                        os._exit(0)
        time.sleep(1000)
        """,
    )
    assert outcome.status in {Status.TIME_LIMIT, Status.ERROR}, outcome


def test_a_thread_that_outlives_the_main_one(attacker: Attacker) -> None:
    """The process has no leader any more, and computes on."""
    outcome = attack(
        attacker,
        """
        import ctypes, platform, threading
        def burn():
            while True:
                pass
        threading.Thread(target=burn, daemon=True).start()
        ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)
        """,
    )
    assert outcome.status is Status.TIME_LIMIT, outcome


def test_its_own_limit_on_cpu_time(attacker: Attacker) -> None:
    """It lets the kernel kill it: that is its own error, or its timeout, and nobody else's failure."""
    outcome = attack(
        attacker,
        """
        import resource, signal
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
        while True:
            pass
        """,
        Limits(cpu_s=1.5, wall_s=6.0),
    )
    assert outcome.status in {Status.ERROR, Status.TIME_LIMIT}, outcome


def test_lower_priority_and_fewer_cores_for_others(attacker: Attacker) -> None:
    """By user and group, which are those of the server where it has not been another: nothing comes of it."""
    look = """
        import os
        print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0), len(os.sched_getaffinity(0)), end=" ")
        print(ctypes.CDLL(None).syscall({"x86_64": 252, "aarch64": 31}[os.uname().machine], 1, 0))
    """
    look = "import ctypes" + textwrap.dedent(look)
    before = attack(attacker, look).stdout
    attack(
        attacker,
        """
        import ctypes, os
        tries = []
        for which in (os.PRIO_USER, os.PRIO_PGRP, os.PRIO_PROCESS):
            for who in (0, 1, os.getppid(), os.getuid()):
                tries.append((os.setpriority, which, who, 19))
        number = {"x86_64": 251, "aarch64": 30}[os.uname().machine]
        for which in (1, 2, 3):
            for who in (0, 1, os.getppid(), os.getuid()):
                ctypes.CDLL(None).syscall(number, which, who, 3 << 13)
        for who in (1, os.getppid(), 2, 3):
            tries.append((os.sched_setaffinity, who, {0}))
            tries.append((os.sched_setscheduler, who, os.SCHED_IDLE, os.sched_param(0)))
        for call, *arguments in tries:
            try:
                call(*arguments)
            except OSError:
                pass
        """,
    )
    assert attack(attacker, look).stdout == before


# --- memory and files ------------------------------------------------------------------------------------------------


def test_the_server_as_the_largest_process(attacker: Attacker) -> None:
    """Where the kernel must choose somebody to kill for memory, many small processes look better than the server."""
    outcome = attack(
        attacker,
        """
        import os, time
        for _ in range(32):
            try:
                if os.fork() == 0:
                    x = bytearray(os.urandom(1 << 20) * 8)
                    time.sleep(1)
                    os._exit(0)
            except OSError:
                break
        time.sleep(1)
        """,
        Limits(cpu_s=20.0, memory_mb=64),
    )
    assert outcome.status in {Status.OK, Status.MEMORY_LIMIT}, outcome


def test_a_hundred_thousand_files(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
        """
        import os
        for number in range(100_000):
            os.close(os.open(f"/tmp/{number}", os.O_CREAT))
        """,
        Limits(cpu_s=20.0, wall_s=60.0, memory_mb=256),
    )
    assert outcome.status in {Status.OK, Status.ERROR, Status.MEMORY_LIMIT}, outcome


def test_a_folder_deeper_than_any_path(attacker: Attacker) -> None:
    program = """
        import os
        assert os.listdir("/tmp") == []
        for _ in range(3000):
            os.mkdir("d")
            os.chdir("d")
        open("bottom", "w").write("x")
        os.chmod(".", 0)
        print("done")
    """
    for _ in range(2):
        assert attack(attacker, program).stdout == b"done\n"


def test_enormous_arguments(attacker: Attacker) -> None:
    """The one binary there is, itself, with all that the kernel lets it pass on."""
    outcome = attack(
        attacker,
        """
        import os, sys
        try:
            os.execve(sys.executable, [sys.executable, "-c", "print(2)", *["x" * 131_000] * 120], {"A": "y" * 131_000})
        except OSError:
            os.execve(sys.executable, [sys.executable, "-S", "-c", "print(2)", "x" * 131_000], {"A": "y" * 131_000})
        """,
        Limits(cpu_s=2.0),
    )
    assert (outcome.status, outcome.stdout) == (Status.OK, b"2\n"), outcome


def test_nothing_of_the_kernel_can_be_written(attacker: Attacker) -> None:
    """Not the control groups, to leave them; not the settings; of /proc only what is its own."""
    outcome = attack(
        attacker,
        """
        import os
        import stat
        own = {f"/proc/{name}" for name in ("self", "thread-self", os.readlink("/proc/self"))}
        for top in ("/proc", "/sys", "/dev"):
            for folder, folders, names in os.walk(top):
                folders[:] = [name for name in folders if os.path.join(folder, name) not in own]
                for path in (os.path.join(folder, name) for name in names):
                    try:
                        # Devices, such as /dev/null, are there to be written.
                        if stat.S_ISREG(os.lstat(path).st_mode):
                            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                            os.write(fd, b"0")
                            print("wrote to", path)
                    except OSError:
                        pass
        """,
        Limits(cpu_s=5.0, wall_s=20.0),
    )
    assert (outcome.status, outcome.stdout) == (Status.OK, b""), outcome


# --- what lives in the kernel ----------------------------------------------------------------------------------------


def test_descriptors_in_flight_in_a_circle(attacker: Attacker) -> None:
    """Sockets that only hold each other, each in the other's queue: the kernel has to look for them to free them."""
    program = """
        import array, os, socket
        def pass_on(through, *held):
            rights = array.array("i", [end.fileno() for end in held])
            through.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        try:
            for _ in range(400):
                a, b = socket.socketpair()
                pass_on(a, a, b)
                pass_on(b, a, b, a)
                a.close(), b.close()
        except OSError as error:
            print(error.strerror)
    """
    for _ in range(3):
        assert attack(attacker, program).status is Status.OK


def test_names_of_sockets(attacker: Attacker) -> None:
    """A datagram pair can be bound to a name that is not a file; the name ends with its last holder."""
    program = """
        import os, socket, time
        a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        a.bind("\\0monkeys-name")
        try:
            b.connect("\\0somebody-else")
            print("connected")
        except OSError:
            print("alone")
        if os.fork() == 0:
            time.sleep(100)
    """
    for _ in range(3):
        outcome = attack(attacker, program)
        assert (outcome.status, outcome.stdout) == (Status.OK, b"alone\n"), outcome


def test_timers_watches_locks_and_faults(attacker: Attacker) -> None:
    """What a program can still own in the kernel goes with it; faults in user space are refused."""
    outcome = attack(
        attacker,
        """
        import ctypes, fcntl, os, signal
        libc = ctypes.CDLL(None, use_errno=True)
        held = 0
        for _ in range(60):
            held += libc.timerfd_create(1, 0) >= 0
            held += libc.eventfd(0, 0) >= 0
        fcntl.flock(open("/dev/null"), fcntl.LOCK_EX)
        signal.setitimer(signal.ITIMER_REAL, 1000, 0.001)
        libc.userfaultfd = None
        print(held > 100, libc.syscall({"x86_64": 323, "aarch64": 282}[os.uname().machine], 0))
        """,
    )
    assert outcome.stdout == b"True -1\n", outcome
