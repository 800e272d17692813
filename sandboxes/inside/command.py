"""Confines itself and starts a command: the last step of `sandboxes/confined_command.py`, inside bubblewrap.

It is the first process of its PID namespace: when it ends, everything inside ends. It ends with the command, or when
the controller is gone, which it learns from the end of a pipe. (A signal on the parent's death does not reach it.)

Standard library only, Python 3.8+; never imported. Arguments: the pipe, the user id to change to (0: none), bytes of
memory for each process (0: not limited here), bytes of the largest file, the filter on system calls in hexadecimal, and
the command.
"""

import ctypes
import os
import resource
import select
import struct
import sys

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
STACK_BYTES = 64 << 20


def main(controller, uid, memory, file_size, rules, *command):
    # type: (str, str, str, str, str, str) -> None
    """Give up every right, set the limits, start the command, and end with it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if int(uid):
        os.setgroups([])
        os.setresgid(int(uid), int(uid), int(uid))
        os.setresuid(int(uid), int(uid), int(uid))
    limits = [(resource.RLIMIT_FSIZE, int(file_size)), (resource.RLIMIT_CORE, 1), (resource.RLIMIT_NOFILE, 256)]
    limits += [(resource.RLIMIT_STACK, STACK_BYTES), (resource.RLIMIT_MEMLOCK, 0)]
    if int(memory):
        limits.append((resource.RLIMIT_AS, int(memory)))
    for name, value in limits:
        hard = resource.getrlimit(name)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (allowed, allowed))
    text = bytes.fromhex(rules)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    if text:
        buffer = ctypes.create_string_buffer(text)
        program = struct.pack("<HxxxxxxQ", len(text) // 8, ctypes.addressof(buffer))
        if libc.prctl(PR_SET_SECCOMP, 2, program, 0, 0):
            raise OSError(ctypes.get_errno(), "seccomp")
    ended, running = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.set_inheritable(running, True)
        os.execv(command[0], command)  # noqa: S606
    os.close(running)
    for descriptor in (0, 1):
        os.close(descriptor)
    ready, _, _ = select.select([ended, int(controller)], [], [])
    if int(controller) in ready:
        os._exit(1)
    status = os.waitpid(pid, 0)[1]
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


if __name__ == "__main__":
    main(*sys.argv[1:])
