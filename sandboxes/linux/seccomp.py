"""The system-call filter: a deny list, as the bytes of a classic BPF program (seccomp(2), struct sock_filter).

The namespaces and dropped capabilities already forbid most of what is listed; the filter takes away the kernel's
larger attack surfaces as well (io_uring, bpf, user namespaces, keys), the network even to loopback, the System V and
message-queue objects that would outlive a program, anonymous files, which no limit of a process bounds, and what
affects the machine from inside: flushing its disks, resources that all of its processes or all of a user's share
(asynchronous I/O, file watches), and the handler of core dumps, which runs outside.

The only sockets are local pairs, because requesting a pair of another family would load its module and create a socket
before it fails. Denied calls fail with EPERM, except `clone3`, which fails with ENOSYS so that the C library falls back
to `clone`, whose flags a filter can read. Calls of another ABI (32-bit, x32) all fail.

Calls that change a priority do nothing and succeed. No program may raise a priority. One that lowered its own would
wait for a core while the machine is busy, and waiting for a core does not count towards its limits.
"""

import errno
import platform
import struct
from dataclasses import dataclass, field

_X86_64 = {
    "shmget": 29, "semget": 64, "msgget": 68, "mq_open": 240, "sync": 162, "syncfs": 306, "io_setup": 206,
    "inotify_init": 253, "inotify_init1": 294, "modify_ldt": 154, "socketpair": 53, "setrlimit": 160,
    "sendto": 44, "recvfrom": 45, "sendmsg": 46, "recvmsg": 47, "recvmmsg": 299, "sendmmsg": 307, "getsockopt": 55,
    "socket": 41, "clone": 56, "ptrace": 101, "syslog": 103, "personality": 135, "ustat": 136, "sysfs": 139,
    "vhangup": 153, "pivot_root": 155, "_sysctl": 156, "adjtimex": 159, "acct": 163, "settimeofday": 164,
    "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170,
    "setdomainname": 171, "iopl": 172, "ioperm": 173, "init_module": 175, "delete_module": 176, "quotactl": 179,
    "lookup_dcookie": 212, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250,
    "migrate_pages": 256, "unshare": 272, "vmsplice": 278, "move_pages": 279, "perf_event_open": 298,
    "fanotify_init": 300, "prlimit64": 302, "name_to_handle_at": 303, "open_by_handle_at": 304,
    "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
    "finit_module": 313, "kexec_file_load": 320, "memfd_create": 319, "bpf": 321, "userfaultfd": 323,
    "setpriority": 141, "sched_setparam": 142, "sched_setscheduler": 144, "sched_setattr": 314,
}  # fmt: skip
_AARCH64 = {
    "mq_open": 180, "msgget": 186, "semget": 190, "shmget": 194, "sync": 81, "syncfs": 267, "io_setup": 0,
    "inotify_init1": 26, "socketpair": 199, "setrlimit": 164,
    "sendto": 206, "recvfrom": 207, "sendmsg": 211, "recvmsg": 212, "recvmmsg": 243, "sendmmsg": 269, "getsockopt": 209,
    "lookup_dcookie": 18, "mount": 40, "umount2": 39, "pivot_root": 41, "vmsplice": 75, "acct": 89,
    "personality": 92, "unshare": 97, "kexec_load": 104, "init_module": 105, "delete_module": 106, "syslog": 116,
    "ptrace": 117, "reboot": 142, "sethostname": 161, "setdomainname": 162, "settimeofday": 170, "adjtimex": 171,
    "socket": 198, "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220, "swapon": 224, "swapoff": 225,
    "migrate_pages": 238, "move_pages": 239, "perf_event_open": 241, "prlimit64": 261,
    "fanotify_init": 262, "name_to_handle_at": 264, "open_by_handle_at": 265, "clock_adjtime": 266, "setns": 268,
    "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "finit_module": 273, "bpf": 280,
    "memfd_create": 279, "userfaultfd": 282, "kexec_file_load": 294, "quotactl": 60, "vhangup": 58,
    "setpriority": 140, "sched_setparam": 118, "sched_setscheduler": 119, "sched_setattr": 274,
}  # fmt: skip
# From 424 on, numbers are the same on every architecture.
_COMMON = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "clone3": 435, "pidfd_getfd": 438,
    "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443, "memfd_secret": 447, "process_mrelease": 448,
    "set_mempolicy_home_node": 450, "statmount": 457, "listmount": 458, "open_tree_attr": 467,
}  # fmt: skip
_ARCHITECTURES = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}

# Offsets in struct seccomp_data (both architectures are little-endian: the low word of an argument comes first).
_NR, _ARCH, _ARGUMENTS = 0, 4, 16
_X32_BIT = 0x40000000
_RET_ALLOW, _RET_ERRNO = 0x7FFF0000, 0x00050000

_CLONE_NEWUSER = 0x10000000
_CLONE_NEW_ANY = 0x7E020080  # cgroup, uts, ipc, user, pid, net, mount, time

_ANY_BIT = 0xFFFFFFFF
_AF_UNIX, _MSG_OOB, _RLIMIT_CORE, _SO_PEERPIDFD = 1, 1, 4, 77
# Which argument of a call holds its flags.
_FLAGS = {"sendto": 3, "recvfrom": 3, "sendmsg": 2, "recvmsg": 2, "sendmmsg": 3, "recvmmsg": 3}

_MOUNTING = frozenset({"mount", "umount2"})
_IGNORED = frozenset({"setpriority", "sched_setparam", "sched_setscheduler", "sched_setattr"})


@dataclass
class _Program:
    """Instructions, with jumps as forward distances from the next instruction."""

    code: list[tuple[int, int, int, int]] = field(default_factory=list)

    def load(self, offset: int) -> None:
        self.code.append((0x20, 0, 0, offset))

    def load_argument(self, number: int, *, upper_half: bool = False) -> None:
        self.load(_ARGUMENTS + 8 * number + 4 * upper_half)

    def fail_if_any_bit(self, mask: int, argument: int, *, upper_half: bool = False) -> None:
        self.load_argument(argument, upper_half=upper_half)
        self.unless_any_bit(mask, 1)
        self.fail(errno.EPERM)

    def unless_equal(self, value: int, skip: int) -> None:
        self.code.append((0x15, 0, skip, value))

    def unless_any_bit(self, mask: int, skip: int) -> None:
        self.code.append((0x45, 0, skip, mask))

    def unless_at_least(self, value: int, skip: int) -> None:
        self.code.append((0x35, 0, skip, value))

    def fail(self, number: int) -> None:
        self.code.append((0x06, 0, 0, _RET_ERRNO | number))

    def allow(self) -> None:
        self.code.append((0x06, 0, 0, _RET_ALLOW))

    def bytes(self) -> bytes:
        return b"".join(struct.pack("<HBBI", *instruction) for instruction in self.code)


def _by_arguments(*, server: bool) -> dict[str, _Program]:
    """Rules for calls that are denied only for some arguments. Each rule ends in a decision."""
    rules = {name: _Program() for name in ("clone", "prlimit64", "setrlimit", "socketpair", "getsockopt", *_FLAGS)}
    rules["clone"].fail_if_any_bit(_CLONE_NEWUSER if server else _CLONE_NEW_ANY, 0)
    # Process 0 is the caller itself; any other is forbidden. If a limit is set, it has an address.
    rules["prlimit64"].fail_if_any_bit(_ANY_BIT, 0)
    rules["prlimit64"].load_argument(1)
    rules["prlimit64"].unless_equal(_RLIMIT_CORE, 6)
    rules["prlimit64"].fail_if_any_bit(_ANY_BIT, 2)
    rules["prlimit64"].fail_if_any_bit(_ANY_BIT, 2, upper_half=True)
    rules["setrlimit"].load_argument(0)
    rules["setrlimit"].unless_equal(_RLIMIT_CORE, 1)
    rules["setrlimit"].fail(errno.EPERM)
    rules["socketpair"].load_argument(0)
    rules["socketpair"].unless_equal(_AF_UNIX, 1)
    rules["socketpair"].allow()
    rules["socketpair"].fail(errno.EPERM)
    # The controller created the socket to the checker: a program would get a handle of the controller.
    rules["getsockopt"].load_argument(2)
    rules["getsockopt"].unless_equal(_SO_PEERPIDFD, 1)
    rules["getsockopt"].fail(errno.EPERM)
    for name, argument in _FLAGS.items():
        rules[name].fail_if_any_bit(_MSG_OOB, argument)
    for rule in rules.values():
        rule.allow()
    return rules


def filter_program(*, server: bool = False, machine: str | None = None) -> bytes:
    """The filter for this machine, or b"" for an architecture that has no table here.

    `server=True` leaves out what the fork server needs to create a child's namespaces (mounting, and `clone` with any
    namespace but a user's). A child inherits that filter without the capabilities, so those calls fail for it still.
    """
    if (machine or platform.machine()) not in _ARCHITECTURES:
        return b""
    architecture, table = _ARCHITECTURES[machine or platform.machine()]
    numbers = table | _COMMON
    program = _Program()
    program.load(_ARCH)
    program.code.append((0x15, 1, 0, architecture))
    program.fail(errno.EPERM)
    program.load(_NR)
    program.unless_at_least(_X32_BIT, 1)
    program.fail(errno.ENOSYS)

    program.unless_equal(numbers["clone3"], 1)
    program.fail(errno.ENOSYS)
    ruled = _by_arguments(server=server)
    for name in sorted(set(ruled) & set(numbers)):
        program.unless_equal(numbers[name], len(ruled[name].code))
        program.code += ruled[name].code
    denied = set(numbers) - set(ruled) - {"clone3"} - (_MOUNTING if server else set())
    for name in sorted(denied):
        program.unless_equal(numbers[name], 1)
        program.fail(0 if name in _IGNORED else errno.EPERM)
    program.allow()
    return program.bytes()
