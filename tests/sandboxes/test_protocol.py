"""Malformed requests and answers: the executor answers or ends, the controller says `infrastructure`; neither
hangs, and nothing becomes a verdict."""

import contextlib
import gc
import os
import random
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandboxes import Limits, Outcome, SandboxUnavailableError, Status
from sandboxes.batch import Batch, Job
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.controller.forkserver import Execution, ForkServer, ServerGoneError
from sandboxes.controller.pool import ServerPool
from tests.sandboxes.conftest import SUM, descendants

ENDING = struct.Struct("<iiIdd")
GROUP, PROGRAM = struct.Struct("<IdQ"), struct.Struct("<dQQQ")
ONE_PROGRAM = PROGRAM.pack(1.0, 256 << 20, 32, 1 << 20)
GOOD_REQUEST = GROUP.pack(1, 5.0, 0) + ONE_PROGRAM
CONFIG = BubblewrapConfig(workers=1)

try:
    CONFIG.check()
except SandboxUnavailableError as unavailable:
    pytestmark = pytest.mark.skip(reason=str(unavailable))


@contextlib.contextmanager
def started(form: str = "bubblewrap") -> Iterator[Callable[[], ForkServer]]:
    """What starts a server as the sandbox does."""
    with CONFIG.open_pool(isolated=form == "bubblewrap") as pool:
        yield pool._start


def serves(server: ForkServer) -> bool:
    """Whether it runs an honest program; False if it has ended."""
    execution = Execution(SUM, b"20 22\n", CONFIG.effective(Limits()))
    try:
        (ending,) = server.run([execution], 5.0)
        outcome = execution.outcome(ending)
        assert (outcome.status, outcome.stdout) == (Status.OK, b"42\n"), outcome
    except ServerGoneError:
        return False
    finally:
        execution.close()
    return True


def send(server: ForkServer, message: bytes, files: int) -> None:
    """A raw request with some files of little sense."""
    made = [os.memfd_create("x") for _ in range(files)]
    try:
        socket.send_fds(server._socket, [message], made)
    except OSError:
        pass  # It has ended: that is an answer too.
    finally:
        for fd in made:
            os.close(fd)


def answer(server: ForkServer) -> bytes:
    """What it says, b"" if it has ended; it must not keep anybody waiting."""
    poll = select.poll()
    poll.register(server._socket, select.POLLIN)
    assert poll.poll(30_000), "it neither answers nor ends"
    try:
        return server._socket.recv(65536)
    except OSError:
        return b""


MALFORMED = [
    (b"\0", 0),
    (b"x" * 3, 5),
    (b"\xff" * 4096, 0),
    (b"\xff" * 4097, 1),
    pytest.param(os.urandom(60_000), 3, id="random"),
    (GROUP.pack(0, 1.0, 0), 0),
    (GROUP.pack(0, 1.0, 0), 5),
    (GROUP.pack(1 << 31, 1.0, 0), 5),
    (GROUP.pack(2, 1.0, 0) + GOOD_REQUEST[GROUP.size :], 5),
    (GOOD_REQUEST[:-1], 5),
    (GROUP.pack(1, float("nan"), 0) + GOOD_REQUEST[GROUP.size :], 5),
    (GROUP.pack(1, -1.0, 0) + GOOD_REQUEST[GROUP.size :], 5),
    (GROUP.pack(1, 1.0, 0) + PROGRAM.pack(float("nan"), 0, 0, 0), 5),
    (GROUP.pack(1, 1.0, 0) + PROGRAM.pack(-5.0, 1 << 63, 1 << 63, 1 << 63), 5),
    (GROUP.pack(1, 1.0, 0) + PROGRAM.pack(float("inf"), 1 << 20, 1, 1), 5),
    # Repeatable programs without a text, and without the others.
    (GROUP.pack(1, 1.0, 7) + ONE_PROGRAM, 5),
    (GROUP.pack(1, 1.0, 7) + ONE_PROGRAM, 1),
    (GROUP.pack(2, 1.0, 1 << 63) + ONE_PROGRAM * 2, 10),
    *((GOOD_REQUEST, files) for files in (0, 1, 2, 3, 4, 6, 7, 31, 32, 33, 64, 200)),
]


class Served:
    """A server that is started again only where it has ended, since starting takes most of a test's time."""

    def __init__(self, start: Callable[[], ForkServer]) -> None:
        self._start = start
        self.server = start()

    def restart(self) -> None:
        self.server.close()
        self.server = self._start()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    before = descendants()
    with started() as start:
        served = Served(start)
        assert serves(served.server)
        yield served
        served.server.close()
    assert descendants() <= before


@pytest.mark.parametrize(("message", "files"), MALFORMED)
def test_after_a_malformed_request_a_server_serves_or_ends_and_nothing_is_left(
    served: Served, message: bytes, files: int
) -> None:
    gc.collect()  # Otherwise what earlier tests have left could be closed in between.
    held = len(list(Path("/proc/self/fd").iterdir()))
    send(served.server, message, files)
    answer(served.server)
    if not serves(served.server):
        served.restart()
        assert serves(served.server)
    assert len(list(Path("/proc/self/fd").iterdir())) == held


@pytest.mark.parametrize("form", ["bubblewrap", "bubblewrap-spawn"])
@pytest.mark.slow
def test_random_requests(form: str) -> None:
    """Bytes of any kind, and good requests with some bytes changed, each with any number of files."""
    chance = random.Random(form)
    before = descendants()
    with started(form) as start:
        server = start()
        survived = 0
        for _ in range(150):
            message = bytearray(GOOD_REQUEST if chance.random() < 0.7 else chance.randbytes(chance.randrange(1, 200)))
            for _ in range(chance.randrange(4)):
                message[chance.randrange(len(message))] = chance.randrange(256)
            # Not a whole day, where it is understood.
            wall_s = chance.choice([0.0, 0.05, -1.0, float("nan")])
            if len(message) >= GROUP.size:
                message[4:12] = struct.pack("<d", wall_s)
            send(server, bytes(message), chance.choice([0, 1, 4, 5, 5, 5, 6, 10]))
            answer(server)
            if form == "bubblewrap" and chance.random() < 0.8 and serves(server):
                survived += 1
            else:
                server.close()
                server = start()
        server.close()
    assert descendants() <= before
    assert survived or form != "bubblewrap"


# --- the controller --------------------------------------------------------------------------------------------------


class Between:
    """A server's home with somebody in the middle, who may change what the server answers (`ServerHost`)."""

    def __init__(self, inner: ForkServer, change: Callable[[bytes], bytes | None]):
        self._inner = inner
        self._change = change
        self.socket, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._thread = threading.Thread(target=self._pass_on)
        self._thread.start()

    def _pass_on(self) -> None:
        self._theirs.recv(65536)
        self._theirs.send(b"ready")
        with contextlib.suppress(OSError):
            while True:
                message, files, _, _ = socket.recv_fds(self._theirs, 4096, 32)
                if not message:
                    break
                socket.send_fds(self._inner._socket, [message], files)
                for fd in files:
                    os.close(fd)
                changed = self._change(self._inner._socket.recv(4096))
                if changed is None:
                    break
                self._theirs.send(changed)
        self._theirs.close()

    def set_memory_limit(self, memory_bytes: int) -> None:
        pass

    @property
    def bounds_memory(self) -> bool:
        return False

    @property
    def usage_files(self) -> tuple[int, ...]:
        return ()

    def oom_kills(self) -> int:
        return 0

    def last_stderr_line(self) -> str:
        return ""

    def close(self) -> None:
        self._inner.close()
        self._thread.join(60)
        assert not self._thread.is_alive()


def run_through(change: Callable[[bytes], bytes | None], program: str) -> Outcome:
    """The outcome of a program where every answer but a first is changed."""
    answers = 0

    def after_the_first(reply: bytes) -> bytes | None:
        nonlocal answers
        answers += 1
        return reply if answers == 1 else change(reply)

    with (
        started() as start,
        ServerPool(
            "between",
            CONFIG,
            lambda: ForkServer(Between(start(), after_the_first), b""),
            reuse=True,
            memory_bound="",
        ) as pool,
    ):
        return pool.run(program, b"1 2\n", Limits())


def test_unchanged_answers_are_verdicts() -> None:
    assert run_through(lambda reply: reply, SUM).stdout == b"3\n"
    assert run_through(lambda reply: reply, "1/0").status is Status.ERROR


@pytest.mark.parametrize(
    "reply",
    [
        None,
        b"\0",
        b"ready",
        b"failed: on purpose",
        b"\xff" * 4000,
        ENDING.pack(0, 0, 0, 0.1, 0.1) + b"\0",
        ENDING.pack(0, 0, 0, 0.1, 0.1) * 2,
        ENDING.pack(0, 0, 0, 0.1, 0.1)[:-1],
        *(
            ENDING.pack(*ending)
            for ending in (
                (0, 17, 0, 0.1, 0.1),
                (0, -1, 0, 0.1, 0.1),
                (-1, 0, 0, 0.1, 0.1),
                (0x7FFFFFFF, 0, 0, 0.1, 0.1),
                (0x137F, 0, 0, 0.1, 0.1),
                (0, 0, 0, float("nan"), 0.1),
                (0, 0, 0, float("inf"), 0.1),
                (0, 0, 0, -1.0, 0.1),
                (0, 0, 0, 0.1, float("nan")),
                (0, 0, 0, 0.1, -1.0),
            )
        ),
    ],
)
def test_garbled_answers_say_nothing_of_the_program(reply: bytes | None) -> None:
    outcome = run_through(lambda _: reply, SUM)
    assert outcome.status is Status.INFRASTRUCTURE, outcome
    assert outcome.detail
    assert outcome.stdout == b""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(min_size=1, max_size=200).filter(lambda reply: len(reply) != ENDING.size))
@pytest.mark.slow
def test_random_answers_say_nothing_of_the_program(reply: bytes) -> None:
    assert run_through(lambda _: reply, SUM).status is Status.INFRASTRUCTURE


def test_a_batch_continues_after_garbled_answers() -> None:
    """Each is an infrastructure failure, which is tried again: every job gets its right result."""
    chance = random.Random(0)
    answers = 0

    def change(reply: bytes) -> bytes | None:
        nonlocal answers
        answers += 1
        if answers == 1:
            return reply
        return chance.choice([reply, reply, reply, chance.randbytes(9), None])

    with (
        started() as start,
        ServerPool(
            "between", CONFIG, lambda: ForkServer(Between(start(), change), b""), reuse=True, memory_bound=""
        ) as pool,
    ):
        jobs = [Job(n, SUM, [f"{n} 1".encode()], lambda _, o: o.status is Status.OK, Limits(), None) for n in range(20)]
        results = list(Batch(pool, retries=10, pause_s=0.0001).run(jobs))
    assert sorted(result.key for result in results) == list(range(20))
    assert all(result.passed for result in results)


def test_a_program_that_writes_on_all_that_it_can_find(sandbox_with_one_worker: ServerPool) -> None:
    """Answers in the right form, into every descriptor and every socket that it can make."""
    forged = ENDING.pack(0, 0, 0, 0.0, 0.0)
    program = f"""
import os, socket
for path in ("/proc/self/fd", "/proc/1/fd", "/proc/%d/fd" % os.getppid()):
    for fd in range(64):
        for flags in (os.O_WRONLY, os.O_RDWR):
            try:
                os.write(os.open(path + "/" + str(fd), flags), {forged!r} if fd > 2 else b"")
            except OSError:
                pass
for fd in range(3, 256):
    try:
        os.write(fd, {forged!r})
    except OSError:
        pass
raise SystemExit(3)
"""
    outcome = sandbox_with_one_worker.run(program, b"", Limits())
    assert (outcome.status, outcome.exit_code) == (Status.ERROR, 3), outcome


@pytest.fixture(params=["bubblewrap", "bubblewrap-spawn"])
def sandbox_with_one_worker(request: pytest.FixtureRequest) -> Iterator[ServerPool]:
    with CONFIG.open_pool(isolated=request.param == "bubblewrap") as pool:
        yield pool
