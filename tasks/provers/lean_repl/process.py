"""A confined process of the REPL: a header is loaded once, and every text runs in the environment after it."""

import json
import signal
import time
from pathlib import Path
from typing import Any, NamedTuple

from sandboxes.confined_command import Allowance, ConfinedCommand
from tasks.provers import Attempt, TheoremFaultError
from tasks.provers.lean_repl.framing import Frames, TooLongError
from tasks.provers.lean_repl.installation import ReplInstallation
from tasks.provers.lean_repl.replies import MAX_REPLY_BYTES, MalformedReplyError, Reply, decode_reply, one_line
from tasks.provers.lean_repl.texts import Mark, new_mark
from tasks.provers.warm_pool import ProcessLostError
from tasks.records import Verdict

HEADER_CPU_S = 300.0
"""CPU seconds that loading a header may take."""

_NOT_A_REPLY = "it makes the REPL write what is not its reply"
_BY_SIGNAL = 128
_CRASHES = {_BY_SIGNAL + each for each in (signal.SIGABRT, signal.SIGBUS, signal.SIGSEGV)}


class Ran(NamedTuple):
    """What became of a text: the reply (without the mark) with its environment, or None and the limit that the text
    exceeded; and its CPU and wall-clock seconds."""

    reply: Reply | None
    limit: Attempt | None
    cpu_s: float
    wall_s: float


class ReplProcess:
    """One process, for one text at a time. It is `usable` until one has ended it.

    Args:
        what: the REPL.
        memory_mb: megabytes that it may use, with what headers load.
        writable: a folder that it can write to.
        readable: a file that it can read.

    Raises:
        SandboxUnavailableError: it does not start.
    """

    def __init__(
        self, what: ReplInstallation, memory_mb: int, *, writable: Path | None = None, readable: Path | None = None
    ) -> None:
        shown = (*what.shown, str(readable)) if readable is not None else what.shown
        self._process = ConfinedCommand(what.command, shown, memory_mb, writable).start()
        self._frames = Frames()
        self._environments = 0
        self._headers: dict[str, int] = {}
        self.usable = True
        self.proofs = 0

    def has(self, header: str) -> bool:
        """Whether a header is loaded."""
        return header in self._headers

    def run(self, header: str, text: str, limit_s: float) -> Ran:
        """Run a text after a header.

        Args:
            header: the text that is loaded first.
            text: whole commands.
            limit_s: CPU seconds that the text may take.

        Raises:
            ProcessLostError: the process ended or answered something else, and the text is not known to be the reason.
            TheoremFaultError: the header does not load.
        """
        self._load(header)
        return self.run_in(self._headers[header], text, limit_s)

    def run_in(self, env: int, text: str, limit_s: float) -> Ran:
        """Run a text in an environment; see `run`."""
        started, mark = time.monotonic(), new_mark()
        self.proofs += 1
        usable, self.usable = self.usable, False
        allowed = Allowance(self._process, limit_s)
        reply = limit = None
        try:
            reply = self._genuine(self._ask({"cmd": text + mark.line, "env": env}, allowed), mark)
            self._environments += 1
            self.usable = usable
        except TimeoutError:
            limit = Attempt(Verdict.TIME_LIMIT, f"more than {limit_s:g} s of CPU time")
        except TooLongError:
            limit = Attempt(Verdict.OUTPUT_LIMIT, f"more than {MAX_REPLY_BYTES:,} bytes of messages")
        except ProcessLostError as error:
            if error.blame:
                raise
            ended = self._process.wait_briefly()
            if self._process.reached_memory_limit():
                limit = Attempt(Verdict.MEMORY_LIMIT, "out of memory")
            elif ended in _CRASHES:
                limit = Attempt(Verdict.ERROR, "Lean crashes on it")
            elif ended is not None and ended < _BY_SIGNAL:
                raise ProcessLostError(str(error), f"it ends the REPL (exit status {ended})") from error
            else:
                raise
        return Ran(reply, limit, allowed.used_s(), time.monotonic() - started)

    def _genuine(self, answered: Reply, mark: Mark) -> Reply:
        """The reply without the mark of what was sent."""
        if answered.fault is not None:
            fault = one_line(answered.fault)
            raise ProcessLostError(f"it refuses what it was sent: {fault}", f"the REPL refuses it: {fault}")
        reply = mark.removed(answered)
        if reply is None or answered.env != self._environments:
            raise ProcessLostError("it gave another reply than to what it was sent", _NOT_A_REPLY)
        return reply

    def pickle(self, env: int, file: Path) -> None:
        """Write what was declared up to an environment to a file; raises ProcessLostError if it cannot."""
        reply = self._asked_outside({"pickleTo": str(file), "env": env})
        if reply.fault is not None or reply.env != env:
            raise ProcessLostError(f"it cannot pickle an environment ({one_line(reply.fault or 'another reply')})")

    def unpickle(self, file: Path) -> int:
        """Declare what a file contains again, which the kernel checks; the environment after it. Raises
        ProcessLostError if that fails."""
        reply = self._asked_outside({"unpickleEnvFrom": str(file)})
        if reply.fault is not None or reply.env != self._environments:
            raise ProcessLostError(f"it cannot unpickle an environment ({one_line(reply.fault or 'another reply')})")
        self._environments += 1
        return reply.env

    def version(self) -> str:
        """The version of Lean that the REPL was built with; empty if it does not tell."""
        reply = self._asked_outside({"cmd": "#eval Lean.versionString"})
        self._environments += 1
        said = [message.text.strip().strip('"') for message in reply.messages if message.severity == "info"]
        return said[0] if len(said) == 1 and not reply.errors else ""

    def memory_mb(self) -> float:
        """Megabytes that the process has in memory now."""
        return self._process.resident_bytes() / 1e6

    def close(self) -> None:
        """End the process."""
        self.usable = False
        self._process.close()

    def _load(self, header: str) -> None:
        if header in self._headers:
            return
        reply = self._asked_outside({"cmd": header})
        if reply.fault is not None or reply.errors:
            raise TheoremFaultError(one_line(reply.fault or reply.errors[0]))
        if reply.env != self._environments:
            raise ProcessLostError("it gave another reply than to the header")
        self._headers[header] = self._environments
        self._environments += 1

    def _asked_outside(self, request: dict[str, Any]) -> Reply:
        """The reply to a request in which nothing of a proof runs."""
        usable, self.usable = self.usable, False
        try:
            reply = self._ask(request, Allowance(self._process, HEADER_CPU_S))
        except (TimeoutError, TooLongError) as error:
            raise ProcessLostError(
                f"more than {HEADER_CPU_S:g} s of CPU time, or too long a reply, to a header"
            ) from error
        except ProcessLostError as error:
            ended = self._process.wait_briefly()
            if self._process.reached_memory_limit():
                raise ProcessLostError("memory_limit_mb is too small for what the header loads") from error
            said = one_line(self._process.stderr()) or f"exit status {ended}"
            raise ProcessLostError(f"{error} ({said})") from error
        self.usable = usable
        return reply

    def _ask(self, request: dict[str, Any], allowed: Allowance) -> Reply:
        if self._frames.pending:
            raise ProcessLostError("it has written more than replies", _NOT_A_REPLY)
        try:
            self._process.write(json.dumps(request, ensure_ascii=False).encode() + b"\n\n", allowed)
            while (frame := self._frames.take()) is None:
                data = self._process.read(allowed)
                if not data:
                    raise ProcessLostError("the process has ended")
                self._frames.feed(data)
        except BrokenPipeError as error:
            raise ProcessLostError("the process has ended") from error
        try:
            return decode_reply(frame)
        except MalformedReplyError as error:
            raise ProcessLostError(f"its reply cannot be read: {error}", _NOT_A_REPLY) from error
