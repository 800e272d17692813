"""Runs `lean_dojo.Dojo` for `process.py`, inside a sandbox: one `Dojo`, and one request after another.

This is text for the Python that has LeanDojo (3.9+); it is never imported. A request is a line of JSON on stdin with an
`id`, which the reply, a line on stdout, repeats. The first opens the `Dojo`. Lean writes to pipes of this process, so
that nothing that a proof prints can look like a reply.

What differs from the `Dojo` as it is installed:

- Lean runs on pipes and is read line by line. On the terminal that Dojo starts it in, a request of more than 4,096
  bytes never arrives, and each character that is read costs a search.
- The file with the statement is written here, instead of cut out of a traced repository. Dojo would join the header's
  last line with its own command.
- Goals are counted, and not parsed: Dojo fails on those in which the turnstile stands within a string.
- Packages that LeanDojo imports for tracing alone are not loaded: they take seven times as long as the rest.
- Dojo's own timeout is never reached: who asks measures CPU time, and ends this process.

The first argument is a JSON object: `program`, the path of Lean; `max_output`, the bytes that Lean may write in answer
to one request.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import types
from pathlib import Path
from typing import Any
from unittest import mock

SETTINGS = json.loads(sys.argv[1]) if __name__ == "__main__" else {}
FOLDER = Path("/tmp/dojo")  # noqa: S108 (inside the sandbox)
UNUSED = ("ray", "ray.util", "ray.util.actor_pool", "github", "github.Repository", "github.GithubException", "git")
os.environ.update(CACHE_DIR=str(FOLDER), DISABLE_REMOTE_CACHE="1")
for _name in (*UNUSED, "networkx", "lxml", "tqdm"):
    sys.modules[_name] = mock.MagicMock()

import pexpect  # noqa: E402
from lean_dojo import (  # noqa: E402
    CommandState,
    Dojo,
    DojoCrashError,
    DojoInitError,
    DojoTacticTimeoutError,
    LeanError,
    ProofFinished,
    ProofGivenUp,
    TacticState,
    Theorem,
)
from lean_dojo.interaction import dojo as module  # noqa: E402
from pexpect.spawnbase import SpawnBase  # noqa: E402

NEVER_S = 10**7
LAST_LINES = 20
STATEMENT = Path("Statement.lean")
_ERROR = re.compile(r"\S+\.lean:\d+:\d+: error: ?(.*)")
FAULTS = (
    *(DojoCrashError, DojoInitError, DojoTacticTimeoutError, EOFError, OSError),
    *(AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),  # a reply of another form
)


class OutputLimitError(Exception):
    """Lean has written more than it may in answer to one request."""


class Lean(SpawnBase):
    """Lean on two pipes, where Dojo expects a terminal. What it writes is given out in whole lines."""

    def __init__(self, command: str, *, timeout: float, maxread: int, encoding: str, echo: bool) -> None:  # noqa: ARG002
        super().__init__(timeout=timeout, maxread=maxread, encoding=encoding, codec_errors="replace")
        self.delayafterread = None
        arguments = shlex.split(command)
        assert arguments[:3] == ["lake", "env", "lean"]  # noqa: S101
        started = [SETTINGS["program"], *arguments[3:]]
        self.lean = subprocess.Popen(started, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.lean.stdin and self.lean.stdout  # noqa: S101
        self.pid, self.stdin, self.stdout = self.lean.pid, self.lean.stdin, self.lean.stdout.fileno()
        self.unread, self.searched, self.written = bytearray(), 0, 0
        self.lines: list[str] = []

    def read_nonblocking(self, size: int = 1, timeout: float | None = None) -> str:  # noqa: ARG002 - pexpect's arguments
        """The next line, as a terminal would write it."""
        while (end := self.unread.find(b"\n", self.searched)) < 0:
            self.searched = len(self.unread)
            data = os.read(self.stdout, 1 << 16)
            self.unread += data
            self.written += len(data)
            if self.written > SETTINGS["max_output"]:
                raise OutputLimitError
            if not data and not self.unread:
                raise pexpect.EOF("Lean has ended")
            if not data:
                end = len(self.unread)
                break
        line = bytes(self.unread[:end]).decode("utf-8", "replace")
        del self.unread[: end + 1]
        self.searched = 0
        self.lines = [*self.lines[1 - LAST_LINES :], line]
        return line + "\r\n"

    def sendline(self, line: str) -> None:
        """Write a request."""
        self.written = 0
        self.lines = []
        rest = memoryview((line + "\n").encode("utf-8", "replace"))
        while rest:
            rest = rest[self.stdin.write(rest) :]

    def isalive(self) -> bool:
        """Whether Lean runs; `exitstatus` is as a shell has it."""
        code = self.lean.poll()
        self.exitstatus = code if code is None or code >= 0 else 128 - code
        return code is None


class OwnFileDojo(Dojo):
    """A `Dojo` for a file that is written here."""

    text = ""

    def _locate_traced_file(self, traced_repo_path: Path) -> Any:
        return types.SimpleNamespace(abs_path=traced_repo_path / self.file_path, has_prelude=False)

    def _modify_file(self, traced_file: Any) -> None:
        folder = traced_file.abs_path.parent
        # Dojo closes it.
        self.modified_file = tempfile.NamedTemporaryFile(  # noqa: SIM115
            "wt", encoding="utf-8", suffix=".lean", dir=folder
        )
        self.modified_file.write(self._get_imports() + self.text)
        self.modified_file.flush()


class Repository:
    """What `Dojo` asks of a repository: where it is among those that have been traced."""

    name = "statement"

    def get_cache_dirname(self) -> Path:
        """Its folder."""
        return Path("one")


class Helper:
    """Answers requests."""

    def __init__(self) -> None:
        self.dojo: Any = None

    def open(self, request: dict[str, Any]) -> dict[str, Any]:
        """Open the `Dojo`: for commands after a header, or for tactics that prove a statement."""
        repository = Repository()
        folder = FOLDER / repository.get_cache_dirname() / repository.name
        folder.mkdir(parents=True)
        (folder / "Lean4Repl.lean").touch()
        (FOLDER / "Lean4Repl.olean").write_bytes(base64.b64decode(request["repl"]))
        tactics = request["statement"] is not None
        entry = Theorem(repository, STATEMENT, request["name"]) if tactics else (repository, STATEMENT, 1)
        self.dojo = OwnFileDojo(entry, timeout=NEVER_S, build_deps=False)
        asks = f"{request['statement']}\n  lean_dojo_repl\n  sorry\n" if tactics else "#lean_dojo_repl\n"
        self.dojo.text = f"{request['header']}\n\nset_option maxHeartbeats 0 in\n{asks}"
        _, state = self.dojo.__enter__()
        return {"state": state.id, "said": self.errors()}

    def command(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run commands after a state."""
        return said(self.dojo.run_cmd(CommandState(request["state"]), request["text"]))

    def tactic(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run a tactic on a state."""
        return said(self.dojo.run_tac(TacticState("", request["state"]), request["text"]))

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to a request: what Dojo says, or `lost` and the exit status of Lean."""
        try:
            return {"open": self.open, "command": self.command, "tactic": self.tactic}[request["do"]](request)
        except OutputLimitError:
            return {"limit": "output"}
        except FAULTS as error:
            lean = getattr(getattr(self.dojo, "proc", None), "lean", None)
            try:
                status = lean.wait(1) if lean else None
            except subprocess.TimeoutExpired:
                status = None
            why = f"{type(error).__name__}: {error}"[:300]
            return {"lost": why, "status": status, "said": self.errors()}

    def errors(self) -> str:
        """The first error among the last lines that Lean has written; empty if there is none."""
        lines = getattr(getattr(self.dojo, "proc", None), "lines", ())
        return next((found[1][:300] for line in lines if (found := _ERROR.match(line))), "")


def said(result: Any) -> dict[str, Any]:
    """What Dojo says, as JSON."""
    if isinstance(result, LeanError):
        return {"error": result.error}
    if isinstance(result, ProofGivenUp):
        return {"given_up": True}
    if isinstance(result, ProofFinished):
        return {"finished": result.tactic_state_id}
    return {"state": result.id, "message": result.message}


def main() -> None:
    """Answer until there are no more requests."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # What libraries print is not a reply.
    module.pexpect = types.SimpleNamespace(spawn=Lean, EOF=pexpect.EOF, TIMEOUT=pexpect.TIMEOUT)
    module.parse_goals = lambda text: [None] * text.count("⊢")
    helper = Helper()
    for line in sys.stdin:
        request = json.loads(line)
        replies.write(json.dumps({"id": request["id"], **helper.answer(request)}) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
