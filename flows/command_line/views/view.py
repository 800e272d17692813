"""The server of `monkeys view`: it ends with Ctrl-C."""

import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from flows.command_line.terminal import literal, stdout
from tasks.errors import UserError
from tasks.store import Store
from tasks.store.inspect.catalog import find
from tasks.store.inspect.opening import readable_store
from tasks.store.inspect.query import position_of
from tasks.viewer.addresses import address_of_problem, address_of_sample, address_of_set
from tasks.viewer.app import make_app

_HOST, _PORT = "127.0.0.1", 8642


@dataclass(frozen=True, slots=True)
class Start:
    """The page to open: of a set, with one of its verdict sets, of a problem, or of a sample; all None: of the
    store."""

    samples: str | None = None
    verdicts: str | None = None
    problem: str | None = None
    index: int | None = None

    def address(self, store: Store) -> str:
        """Its path and query.

        Raises:
            UserError: the options do not fit together, or there is no such set, verdict set or problem.
        """
        if self.samples is None:
            if (self.verdicts, self.problem, self.index) != (None, None, None):
                raise UserError("--verdicts, --problem and --index need --set, which names the sample set")
            return "/"
        if self.index is not None and self.problem is None:
            raise UserError("--index needs --problem, which names the problem whose sample it is")
        found = find(store, self.samples)
        graded = None if self.verdicts is None else found.graded_by(self.verdicts)
        chosen = None if graded is None else graded.name
        if self.problem is None:
            return address_of_set(found.name, chosen)
        position = position_of(store, found, self.problem)
        if self.index is None:
            return address_of_problem(found.name, position, chosen)
        return address_of_sample(found.name, position, self.index, chosen)


def serve(url: str, start: Start, *, port: int | None, open_browser: bool) -> None:
    """`monkeys view`.

    Raises:
        UserError: the store does not exist, or what to open in it, or the port is taken.
    """
    store = readable_store(url)
    path = start.address(store)
    token = secrets.token_urlsafe(16)
    with _listening(port) as listener:
        address = f"http://{_HOST}:{listener.getsockname()[1]}{path}{'&' if '?' in path else '?'}token={token}"
        console = stdout()
        console.print(literal(f"{store.url('').rstrip('/')} is shown at {address}"), soft_wrap=True)
        console.print("Ctrl-C ends it.")
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        config = uvicorn.Config(make_app(store, token), log_level="warning", timeout_graceful_shutdown=1)
        # The message of other commands (`flows.command_line.interruption`) is not for this one.
        signal.set_wakeup_fd(-1)
        _Server(config).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends with a signal as with a success: nothing was interrupted that could be resumed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As the base class does, without raising the signals again at the end."""
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def _listening(port: int | None) -> socket.socket:
    for candidate in (port,) if port is not None else (_PORT, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, candidate))
            listener.listen()
        except OSError as error:
            listener.close()
            if port is not None:
                raise UserError(f"--port {port}: it cannot be used ({error.strerror}); give another port") from error
        else:
            return listener
    raise UserError(f"no port of {_HOST} can be used; give one with --port")
