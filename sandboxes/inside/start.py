"""The start of the fork server: puts itself out of reach of the programs, then serves.

A part of `executor.py`: standard library only, Python 3.8+; never imported.
"""

# ruff: noqa: S108
# (Its /tmp is private.)
from __future__ import annotations

import _signal  # type: ignore[import-not-found] # as in `executor.py`
import _sitebuiltins
import _socket
import builtins
import ctypes
import gc
import os
import resource
import struct
import sys

TYPE_CHECKING = False  # `typing` would be a third of the time to start.
if TYPE_CHECKING:
    from typing import NoReturn

    from sandboxes.inside.ending import replace_calls
    from sandboxes.inside.executor import CONTAINER, NAMESPACED, ONE_PROGRAM, READY, Server, resource_limit
    from sandboxes.inside.program import PR_SET_DUMPABLE, become_user, call, fill_gaps, libc, new_module, warm_up
    from sandboxes.inside.usage import own_group

# The modules that programs import most, if preloading saves more than it costs each child (that of `threading` does
# not). None of them has state that children must not share, as `random` does.
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

NEW_USER, NEW_MOUNT = 0x10000000, 0x00020000
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 22, 24, 38
PRIVATE_ALL = 0x4000 | 0x40000
INSIDE_ID = 65534


def limit(name: int, value: int) -> None:
    """Limit this process and its children."""
    name, value, _ = resource_limit(name, value)
    resource.setrlimit(name, (value, value))


def isolate() -> None:
    """Enter a new user namespace, in which this process may create others, and a new mount namespace."""
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


def connect(to: str) -> _socket.socket:
    """The socket to the controller: an open descriptor, or the path on which it listens."""
    if not to.startswith("/"):
        return _socket.socket(fileno=int(to))
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    connection.connect(to)
    return connection


def main(to: str, uid: int, mode: str, remote: list[str]) -> NoReturn:
    """Put this process out of reach of its children, then serve. If `uid` is 0, the user does not change. `remote` has
    the sources of the module that programs can import under that name."""
    if uid:
        become_user(uid)
    if mode == CONTAINER:
        # The C library keeps named semaphores and shared memory in /dev/shm. They go to the private folder.
        if not os.path.exists("/dev/shm"):
            os.symlink("/tmp", "/dev/shm")
    else:
        call(libc.prctl(PR_SET_PDEATHSIG, _signal.SIGKILL, 0, 0, 0), "prctl")
        # The controller may have the same user. (In a container, each program has its own, and gVisor denies this.)
        limit(resource.RLIMIT_SIGPENDING, 1024)
    call(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    if mode == NAMESPACED:
        # Changing the user has closed /proc/self, which is needed to map ids into the new namespace.
        call(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl")
        isolate()
    # Other processes of its user must not trace it or open its memory.
    call(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl")
    # The first process of a PID namespace gets only signals that it handles. Programs handle this one.
    _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGINT,))
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    # Signals that the controller ignores, as under `nohup`, must not change a verdict.
    for number in (_signal.SIGHUP, _signal.SIGQUIT, _signal.SIGTERM):
        _signal.signal(number, _signal.SIG_DFL)
    # With a limit of 0, the kernel still starts a core dump handler, outside; with 1, it does not (fs/coredump.c).
    limit(resource.RLIMIT_CORE, 1)
    limit(resource.RLIMIT_MEMLOCK, 0)
    limit(resource.RLIMIT_NOFILE, 256)
    limit(resource.RLIMIT_STACK, 64 << 20)
    connection = connect(to)
    rules, ancillary, _, _ = connection.recvmsg(65536, _socket.CMSG_SPACE(4 * 4))
    group = [fd for _, _, data in ancillary for (fd,) in struct.iter_unpack("i", data)]
    server = Server(connection, mode, own_group() if mode == CONTAINER else group, remote)
    if len(rules) > 8:
        text = ctypes.create_string_buffer(rules)
        filter_ = struct.pack("<HxxxxxxQ", len(rules) // 8, ctypes.addressof(text))
        call(libc.prctl(PR_SET_SECCOMP, 2, filter_, 0, 0), "seccomp")
    for name in ("exit", "quit"):
        if not hasattr(builtins, name):
            setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)"))
    sys.argv[:] = ["main.py"]
    del getattr(sys, "orig_argv", [])[1:]  # The sources of this server: they only take memory.
    # Removes the working directory: a program must not import what another program of its group writes there.
    sys.path.remove("")
    # Created here, so that a child need not create it.
    sys.modules["__main__"] = new_module()
    replace_calls()
    if mode != ONE_PROGRAM:  # where it would cost more than it saves
        for name in PRELOADED:
            __import__(name)
        server.load_remote()
        warm_up()
    server.socket.send(READY)
    if mode != ONE_PROGRAM:
        gc.collect()
        fill_gaps()
    gc.freeze()
    gc.disable()
    server.serve()
