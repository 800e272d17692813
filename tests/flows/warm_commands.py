"""Runs `monkeys` in processes that have imported its packages before: imports are most of what a short command costs.

A server imports once what commands import, and forks for each command. The command is a separate process with its
own environment, working directory and streams, and runs what the script `monkeys` runs. Tests of signals and of how a
process starts run the script itself.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ADDRESS = "MONKEYS_TESTS_WARM"
"""The environment variable with the path of the server's socket."""

_IMPORTED = (
    "flows.command_line.cli",
    "flows.setup.sweep",
    "tasks.report.sweep.publish",
    "tasks.scaling.backtest",
    "tasks.sweep.sweep",
    "matplotlib.figure",
    "onnxruntime",
    "pandas",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "scipy.optimize",
    "scipy.stats",
)
"""Not Prefect, which reads its settings at import: a command sets some of them before."""
_READ_AT_START = ("PREFECT_", "PYTHON", "MONKEYS_PLUGINS", "LD_", "OMP_", "OPENBLAS_", "HF_")
"""Variables that are read once, when Python starts or a package is imported: plug-ins are looked for then. A command
with others than the server's is a new process."""
_OF_FLOWS = {"sweep", "study", "regrade"}
"""Commands that run a flow, after which Python ends as usual and joins its libraries' threads, which a forked process
does not have. They are new processes, unless they are refused before that."""


@contextlib.contextmanager
def server() -> Iterator[None]:
    """Offer processes to this process and to those that it starts."""
    with tempfile.TemporaryDirectory(prefix="monkeys-warm-") as folder, socket.socket(socket.AF_UNIX) as listener:
        path = str(Path(folder, "socket"))
        listener.bind(path)
        listener.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listener.fileno())],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,  # whose end tells it that this process is gone
            stdout=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
        listener.close()
        os.environ[ADDRESS] = path
        try:
            yield
        finally:
            del os.environ[ADDRESS]
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def serves(environment: Mapping[str, str]) -> bool:
    """Whether there is a server, and a command with this environment can be one of its processes."""
    return ADDRESS in os.environ and _read_at_start(environment) == _OF_THE_SERVER


def runs_a_flow(arguments: Sequence[str]) -> bool:
    """Whether a command with these arguments runs a flow, once its input is checked."""
    return not _OF_FLOWS.isdisjoint(arguments[:1])


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_READ_AT_START)}


_OF_THE_SERVER = _read_at_start(os.environ)


def run(command: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout_s: float) -> tuple[int, str, str]:
    """The exit code of a command, and what it wrote to standard output and standard error.

    Raises:
        subprocess.TimeoutExpired: it took longer; it is killed.
    """
    job = json.dumps({"command": list(command), "cwd": str(cwd), "environment": dict(environment)}).encode()
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        connection.connect(os.environ[ADDRESS])
        socket.send_fds(connection, [struct.pack("!I", len(job))], [out.fileno(), err.fileno()])
        connection.sendall(job)
        with connection.makefile("r") as answers:
            pid = int(answers.readline())
            connection.settimeout(timeout_s)
            try:
                code = int(answers.readline())
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(command), timeout_s) from None
        out.seek(0)
        err.seek(0)
        return code, out.read().decode(), err.read().decode()


def _serve(listener: socket.socket) -> None:
    """Fork for each connection, and return in the process that is to run a command."""
    sys.path[0] = str(Path(sys.executable).parent)  # as the script has it
    imported = False
    children: set[int] = set()
    while True:
        readable, _, _ = select.select([listener, sys.stdin], [], [], 1.0 if children else None)
        children = {child for child in children if os.waitpid(child, os.WNOHANG)[0] == 0}
        if sys.stdin in readable:  # nothing is written there: it has ended
            os.killpg(0, signal.SIGKILL)
        if listener in readable:
            if not imported:
                for name in _IMPORTED:
                    importlib.import_module(name)
                imported = True
                assert "prefect" not in sys.modules
            connection, _ = listener.accept()
            child = os.fork()
            if child == 0:
                listener.close()
                return _command(connection)
            children.add(child)
            connection.close()


def _command(connection: socket.socket) -> None:
    """Become a command; a process between it and the server tells the client how it ends."""
    with connection:
        size, streams, _, _ = socket.recv_fds(connection, 4, 2)
        (left,) = struct.unpack("!I", size)
        text = b""
        while len(text) < left:
            text += connection.recv(left - len(text))
        job = json.loads(text)
        pid = os.fork()
        if pid:
            for stream in streams:
                os.close(stream)
            connection.sendall(f"{pid}\n".encode())
            _, status = os.waitpid(pid, 0)
            with contextlib.suppress(BrokenPipeError):
                connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os._exit(0)
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    for number, stream in zip((1, 2), streams, strict=True):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["environment"])
    sys.argv = job["command"]


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
    from monkeys.__main__ import main

    main()
