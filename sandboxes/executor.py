"""The fork server: what runs inside every sandbox, as its first process, given to its Python with `-c`.

The standard library alone, Python 3.8+; never imported by the controller. It holds a warm interpreter, and for each
program forks a child that becomes it. It never reads a program, an input or an output: those are anonymous files
(memfd) of the controller's, passed on to the child as descriptors, so that no child can find in its own memory, which
is a copy of the server's, anything of the programs before it.

One request is one message on a Unix socket (SOCK_SEQPACKET): GROUP, then a PROGRAM for each program that is to run
side by side, with five descriptors each (its text, its code, stdin, stdout, stderr) or six (a socket to the others,
which the program finds as descriptor 3). The code is an empty file at first: the first child that compiles the text
keeps it there for the next, which has the same text; it is out of the program's reach before its first line. All end
when the first of the group does. The reply is an ENDING for each, or FAILED and a text: what went wrong in the server
itself. The end of the socket is the end of the server and, as it is the first process of its name space, of everything
in it.

How programs are kept apart is its mode:
- NAME_SPACES: each has a process name space of its own; the server makes a new /tmp where one was touched;
- CONTAINER: each is a user of its own; when it ends, the server kills and removes whatever is left of that user. It is
  what can be done where no name space can be made: the server is root there, with CAP_SETUID, CAP_SETGID and CAP_KILL;
- ONE_PROGRAM: a server serves one request, and its controller then ends it.
"""

# ruff: noqa: BLE001, S102, S108, S302
# (It runs programs, which raise anything and are compiled; and /tmp is its own.)
from __future__ import annotations

import _io
import _signal  # type: ignore[import-not-found] # `signal` and `socket` would bring enumerations, regular expressions and their heap
import _sitebuiltins
import _socket
import atexit
import builtins
import ctypes
import fcntl
import gc
import itertools
import marshal
import os
import resource
import select
import struct
import sys
import time

TYPE_CHECKING = False  # `typing` would be a third of the time to start.
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, ModuleType
    from typing import NoReturn

NAME_SPACES, CONTAINER, ONE_PROGRAM = "name spaces", "container", "one program"

GROUP = struct.Struct("<Id")  # programs, seconds on the clock for the whole
PROGRAM = struct.Struct("<dQQQ")  # cpu_s, bytes of memory, processes and threads, bytes of a file
ENDING = struct.Struct("<iidd")  # wait status, one of the reasons below, cpu_s, wall_s
BY_ITSELF, CPU_TIME, WALL_TIME, WITH_FIRST = range(4)
READY, FAILED = b"ready", b"failed: "

# How an uncaught MemoryError ends. A program that exits so itself is called out of memory: both are failures.
MEMORY_EXIT = 86
# The child could not be made ready. Believed only with a message in the fault pipe, which a program never holds.
FAULT_EXIT = 87
# Where a child finds its socket to the others, and where its text and code lie while they are read. The server's own
# descriptors, and so those that it receives, lie above.
CHANNEL, TEXT, CODE, FIRST_OWN = 3, 4, 5, 10
PARTNER = "program"  # the name of what runs beside others: it is there to be used, and no script
CODE_SIZE = struct.Struct("<Q")  # the head of the file with the code, written last

# What programs import most, as far as it makes a child no dearer than it saves (`threading` would, for one). None of
# them holds state that children must not share, as `random` does.
PRELOADED = (
    "bisect",
    "collections",
    "copy",
    "functools",
    "heapq",
    "itertools",
    "math",
    "operator",
    "re",
    "string",
    "typing",
)

NEW_USER, NEW_MOUNT, NEW_PID = 0x10000000, 0x00020000, 0x20000000
SYS_CLONE, SYS_CAPSET = {"x86_64": (56, 126), "aarch64": (220, 91)}.get(os.uname().machine, (-1, -1))
SYS_PIDFD_OPEN, SYS_CLOSE_RANGE = 434, 436
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 24, 38
PRIVATE_ALL, DETACH = 0x4000 | 0x40000, 2
TMP_FLAGS, TMP_OPTIONS = 2 | 4 | 1024, b"size=64m,nr_inodes=16k,mode=1777"  # nosuid, nodev, noatime
INSIDE_ID = 65534
UNSEEN_S = 0.001
REHEARSALS = 20
USERS = 512  # that a server of a container takes its programs' users from, round and round

# PyDLL keeps the interpreter's lock across a call, so that a cloned child may simply go on.
libc = ctypes.PyDLL(None, use_errno=True)
_NO_CAPABILITIES = (struct.pack("<Ii", 0x20080522, 0), bytes(24))


def call(result: int, name: str) -> int:
    """The result of a C call, or its error as OSError."""
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
    return result


# --- the child: from a copy of the server to a program, and to its end ------------------------------------------------


def become_program(descriptors: list[int], bounds: list[tuple[int, int]], uid: int, fault: int) -> NoReturn:
    """Turn this new child into the program, under resource limits and as a user of its own (`uid` 0: as it is). What
    goes wrong before its first line is written to `fault`."""
    try:
        os.setsid()
        text, code, *others = descriptors
        os.dup2(text, TEXT)
        os.dup2(code, CODE)
        for number, fd in enumerate(others):
            os.dup2(fd, number)
        if len(others) <= CHANNEL:
            os.close(CHANNEL)
        else:
            sys.modules["__main__"].__name__ = PARTNER
        for name, value in bounds:
            resource.setrlimit(name, (value, value))
        if uid:
            become_user(uid)
            # Changing the user has closed /proc/self, where programs find /dev/stdin.
            call(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl")
        call(libc.syscall(SYS_CAPSET, *_NO_CAPABILITIES), "capset")
        if libc.syscall(SYS_CLOSE_RANGE, CODE + 1, 0x7FFFFFFF, 0) < 0:
            os.closerange(CODE + 1, 1024)
    except BaseException as error:
        os.write(fault, repr(error).encode()[:500])
        os._exit(FAULT_EXIT)
    run_program()


def run_program() -> NoReturn:
    """Read the program, run it as `__main__`, and end the process as the interpreter would."""
    space = sys.modules["__main__"].__dict__
    status = 1
    gc.enable()
    try:
        exec(read_code(), space)
        status = 0
    except SystemExit as exit_:
        status = exit_status(exit_.code)
    except MemoryError as error:
        status = MEMORY_EXIT
        show(error)
    except BaseException as error:
        show(error)
    finally:
        os._exit(finish(status, space))


def read_code() -> CodeType:
    """The compiled program. What costs most of a short program's time is done once for a text."""
    (size,) = CODE_SIZE.unpack(os.pread(CODE, CODE_SIZE.size, 0) or bytes(CODE_SIZE.size))
    if size:
        code: CodeType = marshal.loads(os.pread(CODE, size, CODE_SIZE.size))
    else:
        text = os.pread(TEXT, os.fstat(TEXT).st_size, 0)
        code = compile(text, "main.py", "exec", dont_inherit=True)
        keep_code(code)
    os.close(TEXT)
    os.close(CODE)
    return code


def keep_code(code: CodeType) -> None:
    """Leave the code for the next child with this text, where it fits into a file that this child may write."""
    try:
        data = marshal.dumps(code)
        if CODE_SIZE.size + len(data) <= resource.getrlimit(resource.RLIMIT_FSIZE)[0]:
            os.pwrite(CODE, data, CODE_SIZE.size)
            os.pwrite(CODE, CODE_SIZE.pack(len(data)), 0)
    except (MemoryError, OSError, ValueError):
        pass  # The next one compiles it itself.


def exit_status(code: object) -> int:
    """What `sys.exit(code)` ends the interpreter with."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def show(error: BaseException) -> None:
    """The traceback, from the program's first line on."""
    error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except BaseException as second:
        os.write(2, repr(type(second)).encode())


def finish(status: int, space: dict[str, object]) -> int:
    """What the interpreter does at its end, in its order: threads, exit functions, buffers.

    It would then take down every object, which flushes the files among them. That costs more than most programs, so
    only the files that the program's own names hold are flushed.
    """
    try:
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()
        atexit._run_exitfuncs()
        for file in (*space.values(), sys.__stdout__):
            if isinstance(file, _io._IOBase) and file is not sys.stdin and not file.closed:
                file.flush()
        sys.stdout.flush()
    except MemoryError:
        return MEMORY_EXIT
    except BaseException:
        status = status or 120
    try:
        sys.stderr.flush()
    except BaseException:
        status = status or 120
    return status


# --- the server -------------------------------------------------------------------------------------------------------


class Child:
    """A program that runs: its process, and how it ended once it has."""

    def __init__(self, pid: int, uid: int, cpu_limit_s: float):
        self.pid = pid
        self.uid = uid
        # gVisor has none: then it is asked again and again whether it has ended.
        self.pidfd = libc.syscall(SYS_PIDFD_OPEN, pid, 0)
        self.cpu_limit_s = cpu_limit_s
        self.started = time.monotonic()
        self.reason = BY_ITSELF
        self.ending = b""

    def cpu_left(self) -> float:
        """CPU seconds that it may still use. (The number of its clock: clock_getcpuclockid(3).)"""
        return self.cpu_limit_s - time.clock_gettime((~self.pid << 3) | 2)

    def has_ended(self) -> bool:
        """Whether it waits to be reaped."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def kill(self, reason: int) -> None:
        """End it and, where it is the first of its name space, all that it started."""
        self.reason = reason
        os.kill(self.pid, _signal.SIGKILL)

    def reap(self) -> int:
        """Wait for it; returns its wait status."""
        _, status, usage = os.wait4(self.pid, 0)
        if self.pidfd >= 0:
            os.close(self.pidfd)
        cpu_s = usage.ru_utime + usage.ru_stime
        self.ending = ENDING.pack(status, self.reason, cpu_s, time.monotonic() - self.started)
        return status


class Server:
    """The loop, in one of the three modes."""

    def __init__(self, connection: _socket.socket, mode: str):
        self.mode = mode
        self.flags = _signal.SIGCHLD | (NEW_PID if mode == NAME_SPACES else 0)
        fault_end, fault = os.pipe()
        own = []
        for fd in (connection.detach(), fault_end, fault):
            own.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_OWN))
            os.close(fd)
        self.socket, self.fault_end, self.fault = _socket.socket(fileno=own[0]), own[1], own[2]
        self.poll = select.poll()
        self.poll.register(self.socket.fileno(), select.POLLRDHUP)
        os.set_blocking(self.fault_end, False)
        null = os.open("/dev/null", os.O_RDWR)
        for number in range(3, FIRST_OWN):
            os.dup2(null, number)
        # What this process has mapped already does not count to a program's memory.
        with open("/proc/self/statm") as file:
            self.base_memory = int(file.read().split()[0]) * resource.getpagesize()
        self.clean_tmp: object = None
        self.user_ids = itertools.cycle(free_user_ids() if mode == CONTAINER else [0])
        self.users: list[int] = []

    def serve(self) -> NoReturn:
        """Answer requests until the controller is gone."""
        while True:
            if self.mode != ONE_PROGRAM:
                self.renew_tmp()
            message, ancillary, flags, _ = self.socket.recvmsg(4096, _socket.CMSG_SPACE(4 * 32))
            descriptors = [fd for _, _, data in ancillary for (fd,) in struct.iter_unpack("i", data)]
            if not message or flags & (_socket.MSG_TRUNC | _socket.MSG_CTRUNC):
                os._exit(0)
            try:
                reply = self.run_group(message, descriptors)
            except Exception as error:
                reply = FAILED + repr(error).encode()[:1000]
            self.socket.send(reply)

    def run_group(self, message: bytes, descriptors: list[int]) -> bytes:
        """Start the programs of one request, watch them, and tell how each ended."""
        count, wall_s = GROUP.unpack_from(message)
        each = len(descriptors) // count
        children: list[Child] = []
        self.users = []
        try:
            for number in range(count):
                limits = PROGRAM.unpack_from(message, GROUP.size + number * PROGRAM.size)
                children.append(self.start(descriptors[number * each : (number + 1) * each], limits))
            for fd in descriptors:
                os.close(fd)
            descriptors.clear()
            self.watch(children, wall_s)
        finally:
            for fd in descriptors:
                os.close(fd)
            for child in children:
                if not child.ending:
                    child.kill(WITH_FIRST)
                    self.reap(child)
            if self.mode != NAME_SPACES:
                sweep()
        return b"".join(child.ending for child in children)

    def start(self, descriptors: list[int], limits: tuple[float, int, int, int]) -> Child:
        """A child that becomes a program."""
        cpu_s, memory, processes, file_size = limits
        bounds = [
            allowed(resource.RLIMIT_AS, memory + self.base_memory),
            allowed(resource.RLIMIT_CPU, int(cpu_s) + 2),
            # The server counts to the processes of its user as well, and a checker beside a program.
            allowed(resource.RLIMIT_NPROC, processes + 2),
            allowed(resource.RLIMIT_FSIZE, file_size),
        ]
        uid = next(self.user_ids)
        self.users.append(uid)
        pid = call(libc.syscall(SYS_CLONE, self.flags, 0, 0, 0, 0), "clone")
        if pid == 0:
            become_program(descriptors, bounds, uid, self.fault)
        child = Child(pid, uid, cpu_s)
        if child.pidfd >= 0:
            self.poll.register(child.pidfd, select.POLLIN)
        return child

    def watch(self, children: list[Child], wall_s: float) -> None:
        """Wait for the first child to end, and end whatever has used up its time. Others may end before.

        The first wait comes before all else: what this process writes to while a child lives, the kernel copies.
        """
        running = list(children)
        deadline = children[0].started + wall_s
        patience_s = min(wall_s, *[child.cpu_limit_s if child.pidfd >= 0 else UNSEEN_S for child in running])
        while True:
            ready = {fd for fd, _ in self.poll.poll(1 + 1000 * patience_s)}
            if self.socket.fileno() in ready:
                os._exit(0)
            ended = [child for child in running if child.pidfd in ready or (child.pidfd < 0 and child.has_ended())]
            for child in ended:
                running.remove(child)
                status = self.reap(child)
                if os.WIFEXITED(status) and os.WEXITSTATUS(status) == FAULT_EXIT:
                    self.raise_fault()
                if self.mode == CONTAINER and child is not children[0]:
                    # What it has left would keep its end of the channel open. (A name space ends all at once.)
                    as_user(child.uid, kill_all)
            if children[0] not in running:
                return
            wall_left_s = deadline - time.monotonic()
            patience_s = max(wall_left_s, UNSEEN_S)
            for child in running:
                if child.reason == BY_ITSELF:
                    cpu_left_s = child.cpu_left()
                    if cpu_left_s <= 0 or wall_left_s <= 0:
                        child.kill(CPU_TIME if cpu_left_s <= 0 else WALL_TIME)
                    else:
                        patience_s = min(patience_s, cpu_left_s if child.pidfd >= 0 else UNSEEN_S)

    def reap(self, child: Child) -> int:
        """Wait for a child, and no longer watch it; returns its wait status."""
        if child.pidfd >= 0:
            self.poll.unregister(child.pidfd)
        return child.reap()

    def raise_fault(self) -> None:
        """Raise what a child could not set up; a program that merely exits with that number raises nothing."""
        try:
            text = os.read(self.fault_end, 1000)
        except BlockingIOError:
            return
        raise RuntimeError(text.decode(errors="replace"))

    def renew_tmp(self) -> None:
        """Give the programs a /tmp as good as new, unless it is exactly as it was."""
        if self.clean_tmp is not None and self.clean_tmp == state_of_tmp():
            return
        if self.mode == CONTAINER:
            for uid in self.users:
                as_user(uid, empty_tmp)
            if os.listdir("/tmp"):
                os._exit(0)  # Nobody knows what this is: a new server is better.
        else:
            if self.clean_tmp is not None:
                call(libc.umount2(b"/tmp", DETACH), "umount /tmp")
            call(libc.mount(b"none", b"/tmp", b"tmpfs", TMP_FLAGS, TMP_OPTIONS), "mount /tmp")
        os.chdir("/tmp")
        self.clean_tmp = state_of_tmp()


def allowed(name: int, value: int) -> tuple[int, int]:
    """A resource limit, or as much of it as this process may set."""
    hard = resource.getrlimit(name)[1]
    return name, value if hard == resource.RLIM_INFINITY else min(value, hard)


def bound(name: int, value: int) -> None:
    """Limit this process and its children."""
    name, value = allowed(name, value)
    resource.setrlimit(name, (value, value))


def state_of_tmp() -> object:
    """Everything of an empty folder that a program could leave a mark in."""
    s = os.stat("/tmp")
    times = (s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns)
    return (s.st_mode, s.st_uid, s.st_gid, s.st_nlink, times, os.listdir("/tmp"), os.listxattr("/tmp"))


def sweep() -> None:
    """Kill and reap every other process of the name space."""
    try:
        os.kill(-1, _signal.SIGKILL)
        while True:
            os.wait()
    except (ProcessLookupError, ChildProcessError):
        pass


def free_user_ids() -> range:
    """User ids that own nothing: in a container, which may share them with the machine, far from those in use, and
    unlikely to be another container's."""
    with open("/proc/self/uid_map") as file:
        count = max(int(line.split()[2]) for line in file)
    room = (1_000_000_000, 1 << 20) if count > 1 << 31 else (1_000, max(1, (count - 1_000) // USERS))
    first = room[0] + int.from_bytes(os.urandom(4), "little") % room[1] * USERS
    return range(first, first + USERS)


def as_user(uid: int, work: Callable[[], None]) -> None:
    """Do something as a program's user, in a process that ends with it: the server itself may not."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    try:
        become_user(uid)
        work()
    finally:
        os._exit(0)


def kill_all() -> None:
    """Kill every process of this user."""
    os.kill(-1, _signal.SIGKILL)


def empty_tmp() -> None:
    """Remove what this user has left in /tmp."""
    os.chdir("/tmp")
    # Folders may lie deeper than a path can be long: what is in one moves up before it goes.
    while names := os.listdir():
        for name in names:
            if not is_folder(name):
                os.unlink(name)
                continue
            os.chmod(name, 0o700)
            for inner in os.listdir(name):
                path = os.path.join(name, inner)
                if is_folder(path):  # It must be open to change the folder that it is in.
                    os.chmod(path, 0o700)
                os.rename(path, os.urandom(8).hex())
            os.rmdir(name)


def is_folder(path: str) -> bool:
    """Whether there is a folder, not a link to one."""
    return os.path.isdir(path) and not os.path.islink(path)


# --- the start --------------------------------------------------------------------------------------------------------


def become_user(uid: int) -> None:
    """Leave root for good: no groups, no way back."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def isolate() -> None:
    """A user name space of its own, in which this process may make others, and mounts of its own."""
    uid, gid = os.getuid(), os.getgid()
    call(libc.unshare(NEW_USER | NEW_MOUNT), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{INSIDE_ID} {uid} 1"),
        ("gid_map", f"{INSIDE_ID} {gid} 1"),
    ):
        with open("/proc/self/" + name, "w") as file:
            file.write(text)
    call(libc.mount(b"none", b"/", None, PRIVATE_ALL, None), "make mounts private")
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break


def rehearse(remote: ModuleType) -> None:
    """Run what programs use to talk to each other, as descriptor 3 still leads nowhere. The interpreter rewrites code
    that has run a few times: once here, instead of in every child, which would need copies of those pages."""
    for _ in range(REHEARSALS):
        out: list[bytes] = []
        remote.encode(((1, 2.5, "text", [None, (True,)]), {"a": {"b"}}), out)
        remote.decode(b"".join(out))
        remote.send(())
        try:  # noqa: SIM105 - contextlib takes long to import
            remote.receive()
        except remote.GoneError:
            pass


def connect(to: str) -> _socket.socket:
    """The socket to the controller: an open descriptor, or the path where it waits for a call."""
    if not to.startswith("/"):
        return _socket.socket(fileno=int(to))
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    connection.connect(to)
    return connection


def main(to: str, uid: int, mode: str, remote: str) -> NoReturn:
    """Take this process out of reach of its children, then serve. `uid` 0 leaves it whom it is; `remote` is the text
    of the module that programs can import under that name."""
    if uid:
        become_user(uid)
    if mode == CONTAINER:
        # The C library keeps named semaphores and shared memory in /dev/shm: they belong in the private folder.
        if not os.path.exists("/dev/shm"):
            os.symlink("/tmp", "/dev/shm")
    else:
        call(libc.prctl(PR_SET_PDEATHSIG, _signal.SIGKILL, 0, 0, 0), "prctl")
    call(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    if mode == NAME_SPACES:
        # Changing the user has closed /proc/self, where the new name space is mapped.
        call(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl")
        isolate()
    # Nobody of its user may trace it or open its memory.
    call(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl")
    # The first process of a name space is spared every signal that it does not handle.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    bound(resource.RLIMIT_CORE, 0)
    bound(resource.RLIMIT_MEMLOCK, 0)
    bound(resource.RLIMIT_NOFILE, 256)
    bound(resource.RLIMIT_STACK, 64 << 20)
    server = Server(connect(to), mode)
    rules = server.socket.recv(65536)
    if len(rules) > 8:
        text = ctypes.create_string_buffer(rules)
        program = struct.pack("<HxxxxxxQ", len(rules) // 8, ctypes.addressof(text))
        call(libc.prctl(PR_SET_SECCOMP, 2, program, 0, 0), "seccomp")
    for name in PRELOADED:
        __import__(name)
    for name in ("exit", "quit"):
        if not hasattr(builtins, name):
            setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)"))
    sys.modules["remote"] = module = type(sys)("remote")
    exec(compile(remote, "remote.py", "exec"), module.__dict__)
    rehearse(module)
    sys.argv[:] = ["main.py"]
    # The folder that they run in: what one program of a group writes there, another must not import.
    sys.path.remove("")
    # What programs are, made before they are: a child finds it ready.
    sys.modules["__main__"] = module = type(sys)("__main__")
    module.__dict__.update(__builtins__=builtins, __file__="main.py")
    server.socket.send(READY)
    gc.collect()
    gc.freeze()
    gc.disable()
    server.serve()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
