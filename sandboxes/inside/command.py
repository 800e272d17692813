"""Confines itself and starts a command: the last step of `sandboxes/confined_command.py`, inside bubblewrap.

It is the first process of its PID namespace: when it ends, everything inside ends. It ends with the command, or when
the controller is gone, which it learns from the end of a pipe. (A signal on the parent's death does not reach it.) It
reports the command's exit status on another pipe, which the command does not have.

Standard library only, Python 3.8+; never imported. The first argument is a JSON object: `controller` and `report`, the
pipes; `folder` to start in; `uid` to change to (0: none); `memory`, bytes for each process (0: not limited here);
`file_size`, bytes of the largest file; `rules`, the filter on system calls in hexadecimal. The command follows.
"""

import ctypes
import json
import os
import resource
import select
import struct
import sys

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
STACK_BYTES = 64 << 20


def confine(libc, uid, memory, file_size, rules):
    # type: (ctypes.CDLL, int, int, int, bytes) -> None
    """Give up every right, for this process and those that it starts."""
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    limits = [(resource.RLIMIT_FSIZE, file_size), (resource.RLIMIT_CORE, 1), (resource.RLIMIT_NOFILE, 256)]
    limits += [(resource.RLIMIT_STACK, STACK_BYTES), (resource.RLIMIT_MEMLOCK, 0)]
    if memory:
        limits.append((resource.RLIMIT_AS, memory))
    for name, value in limits:
        hard = resource.getrlimit(name)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (allowed, allowed))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    if rules:
        buffer = ctypes.create_string_buffer(rules)
        program = struct.pack("<HxxxxxxQ", len(rules) // 8, ctypes.addressof(buffer))
        if libc.prctl(PR_SET_SECCOMP, 2, program, 0, 0):
            raise OSError(ctypes.get_errno(), "seccomp")


def main(text, *command):
    # type: (str, str) -> None
    """Confine this process, start the command, and end with it."""
    settings = json.loads(text)
    controller, report = settings["controller"], settings["report"]
    libc = ctypes.CDLL(None, use_errno=True)
    confine(libc, settings["uid"], settings["memory"], settings["file_size"], bytes.fromhex(settings["rules"]))
    os.chdir(settings["folder"])
    ended, running = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.set_inheritable(running, True)
        for descriptor in (controller, report):
            os.set_inheritable(descriptor, False)
        os.execv(command[0], command)  # noqa: S606
    os.close(running)
    for descriptor in (0, 1):
        os.close(descriptor)
    # Not select(2), which fails where the controller had more than 1,024 descriptors open.
    poll = select.poll()
    for descriptor in (ended, controller):
        poll.register(descriptor, select.POLLIN)
    if controller in dict(poll.poll()):
        os._exit(1)
    status = os.waitpid(pid, 0)[1]
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    os.write(report, struct.pack("<i", code))
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
