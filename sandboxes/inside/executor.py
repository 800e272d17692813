"""The fork server: the first process inside every sandbox, whose text a Python there gets with `-c`.

Standard library only, Python 3.8+; never imported by the controller (see README.md). Its other parts are `program.py`,
`ending.py`, `usage.py`, `child.py`, `cleanup.py` and `start.py`. The server keeps a warm interpreter, and forks a child
for each program. It never reads a program, an input or an output: these are anonymous files (memfd) of the controller,
which are passed on to the child as descriptors. A child's memory is a copy of the server's, so it contains nothing of
earlier programs.

A request is one message on a Unix socket (SOCK_SEQPACKET): GROUP, then a PROGRAM for each program of the group, all of
which run concurrently, with five descriptors each (source, code, stdin, stdout, stderr) or six (a socket to the others,
which the program gets as descriptor 3). The code is an empty file at first: the first child that compiles the source
stores it there for later children with the same source; a program cannot reach it once its first line runs. All
programs end when the first one does, or on the message END. The reply is an ENDING for each program, or FAILED and a
message if the server itself failed. If programs run for longer than their wall-clock limit because they wait for a
core, the server sends WAITING every few seconds before it replies. When the socket is closed, the server ends and,
because it is the first process of its PID namespace, so does everything in that namespace.

A group may give its first program a number (only in the mode NAMESPACED). It means that the program leaves nothing
behind in its process, and that it is the same program, with the same limits, as the last one with this number. Its
process may then stay when the program has ended, and run it again if the next request has the same number (see
`program.py`). Any other request ends that process.

The mode is how programs are isolated from each other:
- NAMESPACED: each has its own PID namespace; the server mounts a new /tmp where one was touched;
- CONTAINER: each is a separate user; when it ends, the server kills and removes whatever is left of that user. For
  places where namespaces cannot be created: the server is root there, with CAP_SETUID, CAP_SETGID and CAP_KILL;
- ONE_PROGRAM: a server serves one request, and its controller then ends it.
"""

# ruff: noqa: BLE001, S102, S108
# (It runs programs, which raise anything and are compiled; and its /tmp is private.)
from __future__ import annotations

import _signal  # type: ignore[import-not-found] # `signal` and `socket` would bring enumerations, regular expressions and their heap
import _socket
import fcntl
import itertools
import os
import resource
import select
import struct
import sys
import time

TYPE_CHECKING = False  # `typing` would be a third of the time to start.
if TYPE_CHECKING:
    from typing import NoReturn

    from sandboxes.inside.child import BY_ITSELF, CPU_TIME, NO_CORE, WALL_TIME, WITH_FIRST, Child
    from sandboxes.inside.cleanup import as_user, empty_tmp, free_user_ids, kill_others, kill_own, state_of_tmp
    from sandboxes.inside.ending import hide_frames
    from sandboxes.inside.program import (
        FAULT_EXIT,
        FIRST_SERVER_FD,
        RERUN_BYTES,
        become_program,
        call,
        libc,
    )
    from sandboxes.inside.start import main
    from sandboxes.inside.usage import CORES, Usage
else:
    for at, part in enumerate(("program.py", "ending.py", "usage.py", "child.py", "cleanup.py", "start.py"), 4):
        # In this namespace: they are not files that could be imported. Without docstrings: the more memory the server
        # has, the longer a fork takes.
        exec(compile(sys.argv[at], part, "exec", optimize=2))

RUN_BELOW = 4  # frames from `Server.serve` to `run`: run_group, start, become_program, run
NAMESPACED, CONTAINER, ONE_PROGRAM = "namespaces", "container", "one program"

GROUP = struct.Struct("<IdQ")  # programs, wall-clock seconds for all, number of the first or 0
PROGRAM = struct.Struct("<dQQQ")  # cpu_s, bytes of memory, processes and threads, bytes of a file
CHANNEL_PLACE = 5  # of a program's descriptors, the sixth is its socket to the others
READY, FAILED, WAITING, END = b"ready", b"failed: ", b"waiting", b"end"

NEW_PID = 0x20000000
SYS_CLONE = {"x86_64": 56, "aarch64": 220}.get(os.uname().machine, -1)
DETACH = 2
TMP_FLAGS, TMP_OPTIONS = 2 | 4 | 1024, b"size=64m,nr_inodes=16k,mode=1777"  # nosuid, nodev, noatime
POLL_S = 0.001
# Maximum and minimum seconds between two looks at what running programs use; seconds between two WAITING.
LOOK_S, MIN_LOOK_S, WAITING_S = 0.1, 0.02, 10.0
# A program that gets no core is ended after this many times its wall-clock limit.
MAX_WALLS = 20

# --- the server -------------------------------------------------------------------------------------------------------


class Server:
    """The loop, in one of the three modes."""

    def __init__(self, connection: _socket.socket, mode: str, group: list[int], remote: list[str]):
        self.mode = mode
        self.remote = remote
        self.end_asked = False
        self.flags = _signal.SIGCHLD | (NEW_PID if mode == NAMESPACED else 0)
        fault_end, fault = os.pipe()
        own = []
        for fd in (connection.detach(), fault_end, fault, *group):
            own.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_SERVER_FD))
            os.close(fd)
        self.socket, self.fault_end, self.fault = _socket.socket(fileno=own[0]), own[1], own[2]
        self.usage = Usage(own[3:])
        self.poll = select.poll()
        self.poll.register(self.socket.fileno(), select.POLLIN | select.POLLRDHUP)
        os.set_blocking(self.fault_end, False)
        null = os.open("/dev/null", os.O_RDWR)
        for number in range(3, FIRST_SERVER_FD):
            os.dup2(null, number)
        # The memory that this process has mapped already does not count towards a program's memory.
        with open("/proc/self/statm") as file:
            self.base_memory = int(file.read().split()[0]) * resource.getpagesize()
        self.clean_tmp: object = None
        self.user_ids = itertools.cycle(free_user_ids() if mode == CONTAINER else [0])
        self.users: list[int] = []
        self.idle_child: Child | None = None
        # Kept for the next program, which mostly has the same limits.
        self.last_limits: object = None
        self.rlimits: list[tuple[int, int, int]] = []

    def serve(self) -> NoReturn:
        """Answer requests until the controller is gone."""
        hide_frames(RUN_BELOW)
        while True:
            if self.mode != ONE_PROGRAM:
                self.renew_tmp()
            message, ancillary, flags, _ = self.socket.recvmsg(4096, _socket.CMSG_SPACE(4 * 32))
            descriptors: list[int] = []
            for _, _, data in ancillary:
                descriptors += memoryview(data).cast("i")
            if not message or flags & (_socket.MSG_TRUNC | _socket.MSG_CTRUNC):
                os._exit(0)
            if message == END:
                # It came before the programs were started, or after they had ended. In the latter case, only the other
                # modes have a next request, to which it must not apply.
                self.end_asked = self.mode == ONE_PROGRAM
                continue
            try:
                reply = self.run_group(message, descriptors)
            except Exception as error:
                reply = FAILED + repr(error).encode()[:1000]
            self.socket.send(reply)

    def run_group(self, message: bytes, descriptors: list[int]) -> bytes:
        """Start the programs of one request, watch them, and report how each ended."""
        count, wall_s, number = GROUP.unpack_from(message)
        each = len(descriptors) // count
        if each > CHANNEL_PLACE:
            self.load_remote()
        if not wall_s >= 0:
            raise ValueError(f"a wall-clock limit of {wall_s} s")
        children: list[Child] = []
        self.users = []
        first_look_s = min(LOOK_S, wall_s)
        self.usage.begin()
        try:
            for place in range(count):
                limits = PROGRAM.unpack_from(message, GROUP.size + place * PROGRAM.size)
                first_look_s = min(first_look_s, max(MIN_LOOK_S, limits[0] / CORES))
                own = descriptors[place * each : (place + 1) * each]
                child = self.rerun(own, number) if place == 0 else None
                children.append(child or self.start(own, limits, number if place == 0 else 0))
            for fd in descriptors:
                os.close(fd)
            descriptors.clear()
            self.watch(children, wall_s, first_look_s)
        finally:
            for fd in descriptors:
                os.close(fd)
            for child in children:
                if child.status is None:
                    child.kill(WITH_FIRST)
                    self.reap(child)
            if self.mode != NAMESPACED:
                kill_others()
        kills, hidden_s, last = self.usage.kills(), 0.0, children[-1]
        if last.lived_s * CORES > last.cpu_limit_s:
            hidden_s = self.usage.cpu_s(children) - sum([child.used_s for child in children])
        reply = b""
        for child in children:
            reply += child.ending(kills, hidden_s if child is last else 0.0)
        return reply

    def load_remote(self) -> None:
        """Create the module that programs with a channel import to call each other, unless it is there."""
        if "remote" in sys.modules:
            return
        sys.modules["remote"] = module = type(sys)("remote")
        for name, part in zip(("proxies.py", "values.py", "remote.py", "checking.py"), self.remote):
            exec(compile(part, name, "exec", optimize=2), module.__dict__)
        self.remote.clear()

    def rerun(self, descriptors: list[int], number: int) -> Child | None:
        """Let the idle child run its program again, if the number is that of its program; otherwise end it."""
        child = self.idle_child
        if child is not None and child.control is not None and child.number == number:
            try:
                child.run_again(descriptors[2:], child.control)
            except OSError:
                pass  # It has been killed and is about to end.
            else:
                self.idle_child = None
                return child
        self.end_idle_child()
        return None

    def end_idle_child(self) -> None:
        """End the idle child."""
        if self.idle_child is not None:
            self.idle_child.kill(WITH_FIRST)
            self.reap(self.idle_child)
            self.idle_child = None

    def start(self, descriptors: list[int], limits: tuple[float, int, int, int], number: int) -> Child:
        """A child that becomes a program. If it has a number, it may stay."""
        control = theirs = None
        if number and self.mode == NAMESPACED:
            control, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        more = RERUN_BYTES if theirs else 0
        if (limits, more) != self.last_limits:
            self.rlimits = self.resource_limits(limits, more)
            self.last_limits = limits, more
        uid = next(self.user_ids)
        self.users.append(uid)
        pid = call(libc.syscall(SYS_CLONE, self.flags, 0, 0, 0, 0), "clone")
        if pid == 0:
            become_program(descriptors, self.rlimits, uid, self.fault, theirs.fileno() if theirs else -1)
        child = Child(pid, uid, limits[0], number, control)
        if child.pidfd >= 0:
            self.poll.register(child.pidfd, select.POLLIN)
        if control and theirs:
            theirs.close()
            self.poll.register(control.fileno(), select.POLLIN)
        return child

    def resource_limits(self, limits: tuple[float, int, int, int], more: int) -> list[tuple[int, int, int]]:
        """The resource limits of a program. `more` bytes may be added to its memory later."""
        cpu_s, memory, processes, file_size = limits
        rlimits = [
            resource_limit(resource.RLIMIT_CPU, int(cpu_s) + 2),
            # The server and a program's checker also count as processes of their user.
            resource_limit(resource.RLIMIT_NPROC, processes + 2),
            resource_limit(resource.RLIMIT_FSIZE, file_size),
        ]
        if memory:
            rlimits.append(resource_limit(resource.RLIMIT_AS, memory + self.base_memory, more))
        return rlimits

    def watch(self, children: list[Child], wall_s: float, timeout_s: float) -> None:
        """Wait for the first child to end, and kill children that have used up their time. Other children may end
        earlier. The first look at them is due after `timeout_s`.

        The first wait comes before everything else, because the kernel copies each page that this process writes to
        while a child is alive.
        """
        running = list(children)
        next_look, next_message = self.usage.started + timeout_s, 0.0
        polls = children[0].pidfd < 0
        while True:
            ready = dict(self.poll.poll(1 + 1000 * (POLL_S if polls else timeout_s)))
            if self.socket.fileno() in ready:
                if self.socket.recv(len(END)) != END:
                    os._exit(0)
                self.end_asked = True
            for child in children:
                if child not in running or not child.ready(ready):
                    continue
                running.remove(child)
                if child.pidfd not in ready and child.has_finished_run():
                    self.idle_child = child
                    continue
                status = self.reap(child)
                if status == FAULT_EXIT << 8:
                    self.raise_fault()
                if self.mode == CONTAINER and child is not children[0]:
                    # Its remaining processes would keep the channel open. (In a namespace, they end with it.)
                    as_user(child.uid, kill_own)
            if children[0] not in running or self.end_asked:
                self.end_asked = False
                return
            now = time.monotonic()
            if now >= next_look:
                next_look = now + self.enforce(children, running, wall_s)
                if now >= max(next_message, self.usage.started + wall_s + WAITING_S):
                    next_message = now + WAITING_S
                    self.socket.send(WAITING)
            timeout_s = next_look - now

    def enforce(self, children: list[Child], running: list[Child], wall_s: float) -> float:
        """Kill the running children that have used up their time. Returns the seconds until the next look. CPU time
        that belongs to no child is charged to the last one, because the others are checkers."""
        all_s = self.usage.cpu_s(children)
        self.usage.look(all_s)
        out_of_time = BY_ITSELF
        if self.usage.elapsed_s() >= wall_s:
            out_of_time = WALL_TIME
        elif time.monotonic() - self.usage.started >= MAX_WALLS * wall_s:
            out_of_time = NO_CORE
        next_s = LOOK_S
        for child in running:
            used_s = child.cpu_s()
            if child is children[-1]:
                used_s = all_s - sum([other.cpu_s() for other in children[:-1]])
            if used_s >= child.cpu_limit_s:
                child.kill(CPU_TIME)
            elif out_of_time != BY_ITSELF:
                child.kill(out_of_time)
            next_s = min(next_s, (child.cpu_limit_s - used_s) / CORES)
        return max(MIN_LOOK_S, next_s)

    def reap(self, child: Child) -> int:
        """Reap a child and stop watching it. Returns its wait status."""
        for fd in (child.pidfd, child.control.fileno() if child.control else -1):
            if fd >= 0:
                self.poll.unregister(fd)
        return child.reap()

    def raise_fault(self) -> None:
        """Raise the error of a child that could not be set up, unless a program has exited with that status."""
        try:
            text = os.read(self.fault_end, 1000)
        except BlockingIOError:
            return
        raise RuntimeError(text.decode(errors="replace"))

    def renew_tmp(self) -> None:
        """Give the next programs an unused /tmp, unless this one was not touched."""
        if self.clean_tmp is not None and self.clean_tmp == state_of_tmp():
            return
        self.end_idle_child()
        if self.mode == CONTAINER:
            for uid in self.users:
                as_user(uid, empty_tmp)
            if os.listdir("/tmp"):
                os._exit(0)  # Unexpected: a new server is safer.
        else:
            if self.clean_tmp is not None:
                call(libc.umount2(b"/tmp", DETACH), "umount /tmp")
            call(libc.mount(b"none", b"/tmp", b"tmpfs", TMP_FLAGS, TMP_OPTIONS), "mount /tmp")
        os.chdir("/tmp")
        self.clean_tmp = state_of_tmp()


def resource_limit(name: int, value: int, more: int = 0) -> tuple[int, int, int]:
    """A resource limit, and its soft and hard values, reduced to what this process may set."""
    hard = resource.getrlimit(name)[1]
    if hard == resource.RLIM_INFINITY:
        return name, value, value + more
    return name, min(value, hard), min(value + more, hard)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[10:])
