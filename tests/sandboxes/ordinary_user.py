"""Root's way to a sandbox of an ordinary user: the real one, opened by a process that has become such a user.

    python ordinary_user.py FORM

serves calls of `run` and `run_checked` on its standard input and output; tests use `OrdinaryUser`.
"""

import os
import pickle
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

from sandboxes import CheckedOutcome, Limits, Outcome, SandboxUnavailableError
from sandboxes.bubblewrap import BubblewrapConfig

PROJECT = Path(__file__).resolve().parents[2]

_BECOME = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")

# The interpreter may lie in a folder that is root's alone (/root): in a separate mount namespace, that folder is
# replaced by one that shows nothing else and can be passed.
_OPEN_THE_WAY = """
held=$(mktemp -d) && mount --bind "$2" "$held" && mount -t tmpfs -o mode=755 none "$1" && mkdir -p "$2" &&
mount --bind "$held" "$2" && umount "$held" && rmdir "$held" || exit 99
shift 2; cd / && exec "$@"
"""


def as_ordinary_user(*command: str) -> list[str]:
    """What runs a command as an ordinary user, one who can pass to the interpreter."""
    prefix = Path(sys.base_prefix)
    closed = [path for path in (prefix, *prefix.parents) if not path.stat().st_mode & 0o001]
    if not closed:
        return [*_BECOME, *command]
    return ["unshare", "-m", "sh", "-c", _OPEN_THE_WAY, "sh", str(closed[-1]), str(prefix), *_BECOME, *command]


class OrdinaryUser:
    """A sandbox in that process.

    Raises:
        SandboxUnavailableError: it cannot be had here.
    """

    workers = 1

    def __init__(self, form: str) -> None:
        if os.geteuid() != 0:
            raise SandboxUnavailableError("only root can become an ordinary user")
        if shutil.which("setpriv") is None:
            raise SandboxUnavailableError("setpriv is not installed")
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            as_ordinary_user(sys.executable, "-B", "-m", "tests.sandboxes.ordinary_user", form),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "HOME": "/"},
        )
        try:
            self.name, self.memory_bound, self.uid = self._receive()
        except EOFError as error:
            self.__exit__()
            raise SandboxUnavailableError("a sandbox cannot be opened as an ordinary user here") from error

    def run(self, program: str, stdin: bytes, limits: Limits) -> Outcome:
        outcome: Outcome = self._call("run", program, stdin, limits)
        return outcome

    def run_checked(
        self, checker: str, program: str, limits: Limits, *, reusable_process: bool = False
    ) -> CheckedOutcome:
        outcomes: CheckedOutcome = self._call(
            "run_checked", checker, program, limits, reusable_process=reusable_process
        )
        return outcomes

    def open_files(self) -> int:
        """How many descriptors the process has open."""
        number: int = self._call("open_files")
        return number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()
        self._process.wait()

    def _call(self, name: str, *arguments: object, **named: object) -> Any:
        with self._lock:
            assert self._process.stdin
            pickle.dump((name, arguments, named), self._process.stdin)
            self._process.stdin.flush()
            return self._receive()

    def _receive(self) -> Any:
        assert self._process.stdout
        return pickle.load(self._process.stdout)


def main(form: str) -> None:
    """Serve until the other end is closed."""
    answers, calls = sys.stdout.buffer, sys.stdin.buffer
    config = BubblewrapConfig(workers=1)
    config.check()
    with config.open_pool(isolated=form == "bubblewrap") as sandbox:
        answer: object = (sandbox.name, sandbox.memory_bound, os.geteuid())
        while True:
            pickle.dump(answer, answers)
            answers.flush()
            try:
                name, arguments, named = pickle.load(calls)
            except EOFError:
                return
            if name == "open_files":
                answer = len(list(Path("/proc/self/fd").iterdir()))
            else:
                answer = getattr(sandbox, name)(*arguments, **named)


if __name__ == "__main__":
    main(sys.argv[1])
