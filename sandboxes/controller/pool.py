"""A sandbox that consists of fork servers: gives each execution to a free server, and replaces lost servers."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Self

from sandboxes import CheckedOutcome, Limits, Outcome, SandboxClosedError, SandboxUnavailableError, Status
from sandboxes.controller.forkserver import Ending, Execution, ForkServer, ServerGoneError
from sandboxes.settings import ExecutionSettings


class ServerPool:
    """A sandbox of `workers` servers, each started when it is first needed.

    With `reuse`, a server runs one execution after another. Without, each program gets a new server, also each of the
    two programs of `run_checked`.

    Leaving the `with` block closes it: programs that other threads are running end, and those threads get
    SandboxClosedError.

    Raises:
        SandboxUnavailableError: a test program did not run; the message says why.
    """

    def __init__(
        self,
        name: str,
        settings: ExecutionSettings,
        start: Callable[[], ForkServer],
        *,
        reuse: bool,
        memory_bound: str,
    ):
        self.name = name
        self.memory_bound = memory_bound
        self.workers = settings.worker_count()
        self._settings = settings
        self._start = start
        self._reuse = reuse
        self._free = threading.Semaphore(self.workers)
        self._idle: list[ForkServer] = []
        self._busy: list[ForkServer] = []
        self._closed = False
        self._choosing = threading.Lock()
        first = self.run("print(6 * 7)", b"", Limits())
        if first.status is not Status.OK or first.stdout != b"42\n":
            self.__exit__()
            said = first.stderr.decode(errors="replace").strip()
            raise SandboxUnavailableError(f"a test program did not run: {first.detail or said or first.status}")

    def run(self, program: str, stdin: bytes, limits: Limits) -> Outcome:
        """See `sandboxes.Sandbox.run`."""
        return self._serve([(program, stdin)], limits)[0]

    def run_checked(
        self, checker: str, program: str, limits: Limits, *, reusable_process: bool = False
    ) -> CheckedOutcome:
        """See `sandboxes.Sandbox.run_checked`."""
        return CheckedOutcome(*self._serve([(checker, b""), (program, b"")], limits, reusable_process=reusable_process))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        with self._choosing:
            self._closed = True
            for server in self._busy:
                server.stop()
            idle, self._idle = self._idle, []
        for server in idle:
            server.close()

    def _serve(
        self, programs: list[tuple[str, bytes]], limits: Limits, *, reusable_process: bool = False
    ) -> list[Outcome]:
        executions: list[Execution] = []
        effective = self._settings.effective(limits)
        try:
            for program, stdin in programs:
                executions.append(Execution(program, stdin, effective))
            with self._free:
                endings = self._execute(executions, reusable_process=reusable_process)
                if any(ending.unexplained for ending in endings):
                    # If the machine ran out of memory, the program may not be the cause. If the program caused its own
                    # death, it does so again, and that is its error.
                    while executions:
                        executions.pop().close()
                    for program, stdin in programs:
                        executions.append(Execution(program, stdin, effective))
                    endings = self._execute(executions)
            return [execution.outcome(ending) for execution, ending in zip(executions, endings, strict=True)]
        except (OSError, ServerGoneError) as error:
            if self._closed:
                raise SandboxClosedError("the sandbox was closed") from error
            return [Outcome(Status.INFRASTRUCTURE, detail=str(error))] * len(programs)
        finally:
            for execution in executions:
                execution.close()

    def _execute(self, executions: list[Execution], *, reusable_process: bool = False) -> list[Ending]:
        wall_s = executions[0].limits.wall_s
        if len(executions) == 1:
            with self._server(executions[0].text) as server:
                return server.run(executions, wall_s)
        with self._server(executions[0].text) as server:
            if self._reuse:
                return server.run(executions, wall_s, _channels(), reusable_process=reusable_process)
            with self._server(executions[1].text) as second:
                return _run_apart((server, second), executions, wall_s)

    @contextmanager
    def _server(self, text: str) -> Iterator[ForkServer]:
        """A free server, preferably one that keeps the program's code, or else a new one. It is used again only if
        nothing went wrong."""
        server = self._take(text)
        while server is not None and server.has_closed():
            server.close()
            server = self._take(text)
        if server is None:
            server = self._start()
        kept = False
        try:
            with self._choosing:
                self._busy.append(server)
                if self._closed:
                    server.stop()
            yield server
            kept = self._reuse and not server.gone
        finally:
            with self._choosing:
                self._busy.remove(server)
                kept = kept and not self._closed
                if kept:
                    self._idle.append(server)
            if not kept:
                server.close()

    def _take(self, text: str) -> ForkServer | None:
        with self._choosing:
            if self._closed:
                raise SandboxClosedError("the sandbox was closed")
            for position, server in enumerate(self._idle):
                if server.has_compiled(text):
                    return self._idle.pop(position)
            return self._idle.pop() if self._idle else None


def _channels() -> list[int]:
    """The two ends of a new stream socket, which the caller closes."""
    return [end.detach() for end in socket.socketpair()]


def _run_apart(servers: tuple[ForkServer, ForkServer], executions: list[Execution], wall_s: float) -> list[Ending]:
    """Run two programs concurrently, each on its own server. The second server ends with the first program."""
    channels = _channels()
    with ThreadPoolExecutor(1) as other:
        second = other.submit(servers[1].run, executions[1:], wall_s, channels[1:])
        try:
            first = servers[0].run(executions[:1], wall_s, channels[:1])
            servers[1].end_programs()
        except BaseException:
            servers[1].stop()
            raise
        return [*first, *second.result()]
