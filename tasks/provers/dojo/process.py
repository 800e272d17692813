"""A confined process with one `Dojo`, which keeps a state of Lean and runs proofs after it.

Lean's standard output carries both what a proof prints and the replies of LeanDojo's REPL, so a proof could print a
reply. A reply counts only if it is known to answer what was asked: the commands of a proof are followed by one that
prints a *mark*, a name that nobody has seen before; and after an error, or the last tactic, another request with a mark
must get its own reply. One reply too many or too few shows in the next.
"""

import base64
import json
import re
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sandboxes.confined_command import Allowance, ConfinedCommand
from tasks.errors import UserError
from tasks.provers import Attempt, PlacedProof, TheoremFaultError
from tasks.provers.dojo.installation import DojoInstallation, compiled_repl
from tasks.provers.dojo.steps import steps
from tasks.provers.lean4.axioms import reported
from tasks.provers.lean4.installation import Installation
from tasks.provers.lean4.placing import without_proof
from tasks.provers.lean4.worker import HEADER_CPU_S
from tasks.provers.lean_repl.replies import MAX_REPLY_BYTES, one_line
from tasks.provers.lean_repl.texts import header_text, new_mark, theorem_text
from tasks.provers.warm_pool import ProcessLostError
from tasks.records import Verdict

_INSIDE = Path(__file__).parent / "inside.py"
_NOT_A_REPLY = "it makes Lean write what is not its reply"
_SORRY = "it uses sorry"
_BY_SIGNAL = 128
_CRASHES = {-each for each in (signal.SIGABRT, signal.SIGBUS, signal.SIGSEGV, signal.SIGILL)}
_CRASHES |= {_BY_SIGNAL - each for each in _CRASHES}
_GIGABYTE = 1024
_AT = re.compile(r"<stdin>:\d+:\d+: ")


class _LimitError(RuntimeError):
    """A proof has exceeded a limit, or crashes Lean: the verdict and its detail."""

    def __init__(self, verdict: Verdict, detail: str) -> None:
        super().__init__(detail)
        self.verdict, self.detail = verdict, detail


class Start(NamedTuple):
    """Where a `Dojo` starts: after a header, for commands, or in the proof of a statement, for tactics."""

    header: str
    name: str = ""
    statement: str | None = None


class DojoProcess:
    """One process with one `Dojo`, for one proof at a time. It is `usable` until a proof has ended it.

    Args:
        dojo: LeanDojo.
        lean: the programs of Lean.
        start: where the `Dojo` starts.
        memory_mb: megabytes that it may use, with what the header loads.
        tactic_s: CPU seconds that each tactic may take, where the `Dojo` takes tactics.

    Raises:
        SandboxUnavailableError: it does not start.
        TheoremFaultError: the header, or the statement, does not load.
        ProcessLostError: it ended, or does not answer as it should.
    """

    def __init__(
        self, dojo: DojoInstallation, lean: Installation, start: Start, memory_mb: int, tactic_s: float | None = None
    ) -> None:
        self.start = start
        self.usable = True
        self.proofs = 0
        self._tactic_s = tactic_s
        self._unread, self._requests, self._states = b"", 0, 1
        self._loaded: set[str] = set()
        environment = dict(lean.with_libraries("/tmp/dojo"))  # noqa: S108 (inside the sandbox)
        environment |= {"PATH": ":".join(dict.fromkeys(str(Path(each).parent) for each in dojo.shown[-2:]))}
        # Lean's own limit is not reached before that of the sandbox, which is seen from outside.
        environment |= {"TACTIC_MEMORY_LIMIT": f"{memory_mb // _GIGABYTE + 1}g"}
        settings = json.dumps({"program": lean.program, "max_output": MAX_REPLY_BYTES})
        command = (*dojo.interpreter.command, "-c", _INSIDE.read_text(encoding="utf-8"), settings)
        self._process = ConfinedCommand(
            command,
            tuple(dict.fromkeys((*lean.shown, *dojo.shown))),
            memory_mb,
            environment=tuple(environment.items()),
            with_children=True,
        ).start()
        try:
            self._open(base64.b64encode(compiled_repl(dojo, lean)).decode())
        except UserError as error:  # It did compile when the prover was checked.
            self.close()
            raise ProcessLostError(str(error)) from error
        except BaseException:
            self.close()
            raise

    def load(self, statement: str) -> None:
        """Make sure that a statement loads.

        Raises:
            TheoremFaultError: it does not.
            ProcessLostError: the process ended.
        """
        if statement in self._loaded or self.start.statement is not None:
            return
        usable, self.usable = self.usable, False
        try:
            allowed = Allowance(self._process, HEADER_CPU_S)
            reply = self._commands([without_proof(statement)], allowed)
        except _LimitError as error:
            raise TheoremFaultError(f"its statement: {error.detail}") from error
        if isinstance(reply, Attempt):
            raise TheoremFaultError(reply.detail)
        self._loaded.add(statement)
        self.usable = usable

    def prove(self, proof: PlacedProof, limit_s: float, axioms: frozenset[str]) -> Attempt:
        """Run a proof.

        Args:
            proof: the proof in its place.
            limit_s: CPU seconds that it may take, without loading its header.
            axioms: the names of those that it may rest on; not looked at where the `Dojo` takes tactics.

        Raises:
            ProcessLostError: the process ended or did not answer, and the proof is not known to be the reason.
            TheoremFaultError: the statement does not load.
        """
        started = time.monotonic()
        self.load(proof.statement)
        self.proofs += 1
        usable, self.usable = self.usable, False
        allowed = Allowance(self._process, limit_s)
        try:
            if self.start.statement is None:
                made = self._prove_whole(proof, allowed, axioms)
            else:
                made = self._prove_by_steps(steps(proof), allowed, limit_s)
            self.usable = usable
        except TimeoutError:
            made = Attempt(Verdict.TIME_LIMIT, f"more than {limit_s:g} s of CPU time")
        except _LimitError as error:
            made = Attempt(error.verdict, error.detail)
        return made._replace(cpu_s=allowed.used_s(), wall_s=time.monotonic() - started)

    def memory_mb(self) -> float:
        """Megabytes that the process has in memory now, with Lean."""
        return self._process.resident_bytes() / 1e6

    def close(self) -> None:
        """End the process, and Lean with it."""
        self.usable = False
        self._process.close()

    def _open(self, repl: str) -> None:
        """Open the `Dojo`."""
        header = header_text((self.start.header,))
        statement, name = self.start.statement, self.start.name
        asked = {"do": "open", "repl": repl, "header": header, "statement": statement, "name": name}
        try:
            reply = self._ask(asked, Allowance(self._process, HEADER_CPU_S))
        except TimeoutError as error:
            raise TheoremFaultError(f"its header takes more than {HEADER_CPU_S:g} s of CPU time") from error
        except _LimitError as error:
            if error.verdict is Verdict.MEMORY_LIMIT:
                said = "its header takes more memory than `prover.memory_limit_mb`"
                raise TheoremFaultError(said) from error
            raise ProcessLostError(error.detail) from error
        if reply.get("said"):
            raise TheoremFaultError(one_line(str(reply["said"])))
        if reply.get("state") != 0:
            raise ProcessLostError("Dojo does not start with the state 0")

    def _prove_whole(self, proof: PlacedProof, allowed: Allowance, axioms: frozenset[str]) -> Attempt:
        """Run a proof as a command, and list its axioms with another."""
        mark = new_mark().name
        said = self._commands([theorem_text(proof), f'#print "{mark}"', f"#print axioms {proof.name}"], allowed)
        if isinstance(said, Attempt):
            return said
        _, found, report = said.rpartition(mark)
        names = reported(report) if found else None
        if names is None:
            raise ProcessLostError("it does not say on which axioms the proof rests", _NOT_A_REPLY)
        refused = next((name for name in names if name not in axioms), None)
        if refused is None:
            return Attempt(Verdict.CORRECT)
        if refused == "sorryAx":
            return Attempt(Verdict.ERROR, _SORRY)
        return Attempt(Verdict.WRONG, f"it rests on {refused}")

    def _commands(self, commands: Sequence[str], allowed: Allowance) -> str | Attempt:
        """What commands print, or the error of one; they run after the header."""
        mark = new_mark().name
        reply = self._ask(
            {"do": "command", "state": 0, "text": "\n\n".join((*commands, f'#print "{mark}"\n'))}, allowed
        )
        self._states += 1
        if "error" in reply:
            self._require_in_step(allowed)
            return Attempt(Verdict.ERROR, _error(reply["error"]))
        said = reply.get("message")
        if not isinstance(said, str) or not said.endswith(mark) or reply.get("state") != self._states - 1:
            raise ProcessLostError("it gave another reply than to the commands", _NOT_A_REPLY)
        return said.removesuffix(mark).strip()

    def _prove_by_steps(self, tactics: Sequence[str], allowed: Allowance, limit_s: float) -> Attempt:
        """Run a proof tactic by tactic; each has its own limit, too."""
        state, made = 0, None
        for number, tactic in enumerate(tactics):
            left_s = limit_s - allowed.used_s()
            each_s = min(left_s, self._tactic_s or left_s)
            try:
                reply = self._ask({"do": "tactic", "state": state, "text": tactic}, Allowance(self._process, each_s))
            except TimeoutError:
                if each_s == left_s:
                    raise
                raise _LimitError(Verdict.TIME_LIMIT, f"more than {each_s:g} s of CPU time for a tactic") from None
            made = self._after_step(reply)
            if made is not None:
                if made.verdict is Verdict.CORRECT and number + 1 < len(tactics):
                    made = Attempt(Verdict.ERROR, "no goals are left for a tactic")
                break
            state = self._states - 1
        self._require_in_step(allowed)
        return made or Attempt(Verdict.ERROR, "unsolved goals")

    def _after_step(self, reply: dict[str, Any]) -> Attempt | None:
        """The end of a proof, if a tactic is that."""
        if "error" in reply:
            return Attempt(Verdict.ERROR, _error(reply["error"]))
        if "given_up" in reply:
            return Attempt(Verdict.ERROR, _SORRY)
        if reply.get("finished", reply.get("state")) != self._states:
            raise ProcessLostError("it gave another reply than to the tactic", _NOT_A_REPLY)
        self._states += 1
        return Attempt(Verdict.CORRECT) if "finished" in reply else None

    def _require_in_step(self, allowed: Allowance) -> None:
        """Make sure that the last reply was that to the last request: the next one is that to the next."""
        mark = new_mark().name
        if self.start.statement is None:
            reply = self._ask({"do": "command", "state": 0, "text": f'#print "{mark}"\n'}, allowed)
            in_step = reply.get("message") == mark and reply.get("state") == self._states
            self._states += 1
        else:
            reply = self._ask({"do": "tactic", "state": 0, "text": f"exact {mark}"}, allowed)
            in_step = mark in str(reply.get("error"))
        if not in_step:
            raise ProcessLostError("its replies are out of step with the requests", _NOT_A_REPLY)

    def _ask(self, request: dict[str, Any], allowed: Allowance) -> dict[str, Any]:
        """What Dojo says.

        Raises:
            TimeoutError: it used up what it was allowed.
            _LimitError: another limit, or Lean has crashed.
            ProcessLostError: it says nothing that can be read.
        """
        self._requests += 1
        line = json.dumps({"id": self._requests, **request}).encode() + b"\n"
        try:
            self._process.write(line, allowed)
            reply = json.loads(self._line(allowed))
        except BrokenPipeError:
            raise self._ended("the process has ended", None) from None
        except (ValueError, RecursionError):
            raise self._ended("its reply cannot be read", None) from None
        if not isinstance(reply, dict) or reply.pop("id", None) != self._requests:
            raise ProcessLostError("the process gave another reply than to what it was asked")
        if "limit" in reply:
            raise _LimitError(Verdict.OUTPUT_LIMIT, f"more than {MAX_REPLY_BYTES:,} bytes of messages")
        if "lost" in reply:
            raise self._lost(request, reply)
        return reply

    def _lost(self, request: dict[str, Any], reply: dict[str, Any]) -> Exception:
        """Why Dojo gave up on a request."""
        status, cause = reply.get("status"), one_line(str(reply["lost"]))
        if status in _CRASHES or self._process.reached_memory_limit():
            return self._ended(cause, status)
        if request["do"] == "open":
            said = str(reply.get("said"))
            return TheoremFaultError(one_line(said)) if said else ProcessLostError(f"Dojo does not start: {cause}")
        if status is None:
            return ProcessLostError(cause, _NOT_A_REPLY)
        ends = 0 <= status < _BY_SIGNAL
        return ProcessLostError(cause, f"it ends Lean (exit status {status})" if ends else "")

    def _ended(self, cause: str, status: int | None) -> Exception:
        """Why the process, or Lean (with its exit status), has ended."""
        if status is None:
            self._process.wait_briefly()
        if self._process.reached_memory_limit():
            return _LimitError(Verdict.MEMORY_LIMIT, "out of memory")
        if status in _CRASHES:
            return _LimitError(Verdict.ERROR, "Lean crashes on it")
        said = one_line((self._process.stderr().strip().splitlines() or [""])[-1])
        return ProcessLostError(f"{cause} ({said})" if said else cause)

    def _line(self, allowed: Allowance) -> bytes:
        """The next line that it writes.

        Raises:
            BrokenPipeError: it has ended.
        """
        pieces = [self._unread]
        while b"\n" not in pieces[-1]:
            pieces.append(self._process.read(allowed))
            if not pieces[-1]:
                raise BrokenPipeError
        line, _, self._unread = b"".join(pieces).partition(b"\n")
        return line


def _error(text: object) -> str:
    """An error of Lean in one line, without the place in what was sent."""
    return one_line(_AT.sub("", str(text), count=1))
