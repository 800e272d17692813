"""Finds out which sandboxes work on this machine, by opening each and running a probe in it. Changes nothing."""

import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from sandboxes import Limits, Sandbox, SandboxConfig, SandboxUnavailableError
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.linux.interpreter import find_interpreter

# Prints what a program can see of its isolation. `alone`: it sees only processes of its sandbox.
_PROBE = """
import ctypes, json, os, socket
libc = ctypes.CDLL(None)
try:
    socket.socket().close()
    network = True
except OSError:
    network = False
try:
    open("/monkeys-doctor", "w").close()
    writes = True
except OSError:
    writes = False
raised = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
libc.capget(*raised)
print(json.dumps({
    "uid": os.getuid(),
    "first": os.getpid() == 1,
    "alone": sum(name.isdigit() for name in os.listdir("/proc")) < 10,
    "network": network,
    "files": writes or os.path.exists(%r),
    "filtered": libc.prctl(21) == 2,
    "no_new_privileges": libc.prctl(39, 0, 0, 0, 0) == 1,
    "capabilities": any(raised[1]),
}))
"""
_TIMED_RUNS = 20


class SandboxState(NamedTuple):
    """A sandbox on this machine: what it isolates and what limits memory, or else why it does not work."""

    name: str
    works: bool
    isolates: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    memory_bound: str = ""
    runs_as: str = ""
    milliseconds: float | None = None
    remedy: str = ""


def diagnose(others: Iterable[SandboxConfig]) -> Iterator[SandboxState]:
    """Try both variants of bubblewrap, then the other sandboxes."""
    bubblewrap = BubblewrapConfig(workers=1)
    yield _try("bubblewrap", partial(_opened_as, bubblewrap, isolated=True))
    yield _try("bubblewrap-spawn", partial(_opened_as, bubblewrap, isolated=False))
    for config in others:
        yield _try(config.name, partial(_opened, config))


def environment() -> tuple[tuple[str, str], ...]:
    """The machine, the user, and the Python that runs samples, as pairs of label and value."""
    try:
        interpreter = find_interpreter(None)
        python = f"{interpreter.version} ({interpreter.command[0]}), only the standard library unless `python` is set"
    except SandboxUnavailableError as error:
        python = str(error)
    user = "root: programs run as user ids that own nothing" if os.geteuid() == 0 else f"ordinary user {os.geteuid()}"
    return (
        ("machine", f"Linux {platform.release()}, {platform.machine()}, {len(os.sched_getaffinity(0))} cores"),
        ("you are", user),
        ("samples' Python", python),
    )


def _opened(config: SandboxConfig) -> Sandbox:
    config.check()
    return config.open()


def _opened_as(config: BubblewrapConfig, *, isolated: bool) -> Sandbox:
    config.check()
    return config.open_pool(isolated=isolated)


def _try(name: str, start: Callable[[], Sandbox]) -> SandboxState:
    try:
        with start() as sandbox:
            outcome = sandbox.run(_PROBE % __file__, b"", Limits())
            if outcome.exit_code != 0:
                said = outcome.stderr.decode(errors="replace").strip().splitlines()
                return SandboxState(name, works=False, remedy=said[-1] if said else outcome.detail)
            found = json.loads(outcome.stdout)
            started = time.monotonic()
            for _ in range(_TIMED_RUNS):
                sandbox.run("print(1)", b"", Limits())
            milliseconds = 1000 * (time.monotonic() - started) / _TIMED_RUNS
            bound = sandbox.memory_bound
    except SandboxUnavailableError as error:
        return SandboxState(name, works=False, remedy=str(error))
    isolates = {
        "processes": found["alone"],
        "files": not found["files"],
        "network": not found["network"],
        "system calls": found["filtered"],
        "privileges": found["no_new_privileges"] and not found["capabilities"],
    }
    return SandboxState(
        name,
        works=True,
        isolates=tuple(what for what, kept in isolates.items() if kept),
        lacks=tuple(what for what, kept in isolates.items() if not kept),
        memory_bound=bound,
        runs_as="root" if found["uid"] == 0 else f"user {found['uid']}",
        milliseconds=round(milliseconds, 2),
    )
