"""The server, other processes, and the programs before and after: one attack a test (see `conftest.Attacker`)."""

from sandboxes import Limits, Status
from tests.sandboxes.conftest import Attacker, attack


def test_daemon_that_stays_behind(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
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


def test_killing_everything(attacker: Attacker) -> None:
    attack(attacker, "import os, signal; os.kill(-1, signal.SIGKILL)")
    attack(attacker, "import os, signal; os.killpg(0, signal.SIGKILL)")


def test_killing_the_parent(attacker: Attacker) -> None:
    attack(
        attacker,
        """
        import os, signal
        for pid in (os.getppid(), 1, 2, 3, *range(4, 3000)):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        """,
    )


def test_memory_of_other_processes(attacker: Attacker) -> None:
    """Only its own memory can be opened; the tracing calls are refused whatever they aim at."""
    outcome = attack(
        attacker,
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


def test_writing_to_stray_descriptors(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
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


def test_limits_of_other_processes(attacker: Attacker) -> None:
    outcome = attack(
        attacker,
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


def test_file_left_for_the_next(attacker: Attacker) -> None:
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
        outcome = attack(attacker, program)
        assert (outcome.status, outcome.stdout) == (Status.OK, b"as new\n"), outcome


def test_shared_memory_left_for_the_next(attacker: Attacker) -> None:
    """System V shared memory outlives its process: there is none, as there are no message queues."""
    program = """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.shmget(4242, 4096, 0o1666), libc.semget(4242, 1, 0o1666), libc.msgget(4242, 0o1666))
    """
    for _ in range(3):
        assert attack(attacker, program).stdout == b"-1 -1 -1\n"


def test_searching_memory_for_the_last_program(attacker: Attacker) -> None:
    """What a program said, read or was is nowhere in the memory of the next."""
    secret = "the-secret-of-the-last-program"
    attacker.sandbox.run(f"x = {secret!r}; print(x, input())", secret.encode(), Limits())
    outcome = attack(
        attacker,
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
