"""A warm process of Lean: a worker of its language server, which keeps the state after a header, and elaborates what
follows for each proof.

It only proposes. Its replies cannot be forged by what a proof prints (`language_server`), but proofs follow one another
in one process: `confirmation` is what decides.
"""

import time
from collections.abc import Sequence

from sandboxes.confined_command import Allowance, ConfinedCommand
from tasks.provers import Attempt, PlacedProof, TheoremFaultError
from tasks.provers.lean4.axioms import reported
from tasks.provers.lean4.installation import THREADS, Installation
from tasks.provers.lean4.language_server import (
    ERROR,
    INFORMATION,
    MAX_OUTPUT_BYTES,
    Diagnostic,
    Incoming,
    NotAMessageError,
    diagnostics,
    message,
)
from tasks.provers.lean4.placing import without_proof
from tasks.provers.warm_pool import ProcessLostError
from tasks.records import Verdict

OPTIONS = ("-Dserver.reportDelayMs=0",)
"""Report without waiting for an editor's user to stop typing."""

HEADER_CPU_S = 300.0
"""CPU seconds for loading a header and a statement."""

_DOCUMENT = "untitled:MonkeysProof.lean"
_SIGNALS = 128


class _OutputLimitError(RuntimeError):
    """The process has written more than a proof may."""


class Worker:
    """One process with one header loaded, for one proof at a time. It is `usable` until a proof has ended it.

    Raises:
        SandboxUnavailableError: it does not start.
    """

    def __init__(self, lean: Installation, header: str, memory_mb: int) -> None:
        command = (lean.program, "--worker", THREADS, *OPTIONS, _DOCUMENT)
        self.header = header
        self._process = ConfinedCommand(command, lean.shown, memory_mb, environment=lean.environment).start()
        self._incoming = Incoming()
        self._version = self._written = 0
        self._loaded: set[str] = set()
        self.usable = True
        self.proofs = 0

    def load(self, statement: str) -> None:
        """Make sure that a statement loads after the header.

        Raises:
            TheoremFaultError: it does not, or the header does not.
            ProcessLostError: the process ended.
        """
        if statement in self._loaded:
            return
        usable, self.usable = self.usable, False
        try:
            allowed = Allowance(self._process, HEADER_CPU_S)
            found = self._checked(f"{self.header}\n\n{without_proof(statement)}\n", allowed)
        except TimeoutError as error:
            raise TheoremFaultError(f"its header takes more than {HEADER_CPU_S:g} s of CPU time") from error
        except _OutputLimitError as error:
            raise TheoremFaultError("its header causes too many messages") from error
        except ProcessLostError as error:
            if self._process.reached_memory_limit():
                raise TheoremFaultError("its header takes more memory than `prover.memory_limit_mb`") from error
            raise
        for each in found:
            if each.severity == ERROR:
                raise TheoremFaultError(_one_line(each.text))
        self._loaded.add(statement)
        self.usable = usable

    def prove(self, proof: PlacedProof, cpu_s: float, axioms: frozenset[str]) -> Attempt:
        """Run a proof.

        Args:
            proof: the proof in its place.
            cpu_s: CPU seconds that it may take, without loading its header.
            axioms: the names of those that it may rest on.

        Raises:
            ProcessLostError: the process ended, for a reason that is not known to be the proof's.
            TheoremFaultError: the header or the statement does not load.
        """
        started = time.monotonic()
        self.load(proof.statement)
        self.proofs += 1
        usable, self.usable = self.usable, False
        allowed = Allowance(self._process, cpu_s)
        text = "\n".join((proof.header[0], "", proof.statement, *proof.proof, ""))
        try:
            found = self._checked(f"{text}#print axioms {proof.name}\n", allowed)
            verdict, detail = _verdict(found, text.count("\n"), axioms)
            self.usable = usable
        except TimeoutError:
            verdict, detail = Verdict.TIME_LIMIT, f"more than {cpu_s:g} s of CPU time"
        except _OutputLimitError:
            verdict, detail = Verdict.OUTPUT_LIMIT, f"more than {MAX_OUTPUT_BYTES:,} bytes of messages"
        except ProcessLostError:
            ended = self._process.wait_briefly()
            if self._process.reached_memory_limit():
                verdict, detail = Verdict.MEMORY_LIMIT, "out of memory"
            elif ended is not None and ended > _SIGNALS:
                verdict, detail = Verdict.ERROR, "Lean crashes on it"
            else:
                raise
        return Attempt(verdict, detail, allowed.used_s(), time.monotonic() - started)

    def memory_mb(self) -> float:
        """Megabytes that the process has in memory now."""
        return self._process.resident_bytes() / 1e6

    def close(self) -> None:
        """End the process."""
        self.usable = False
        self._process.close()

    def _checked(self, text: str, allowed: Allowance) -> list[Diagnostic]:
        """What Lean says of a document with this text, once it has read all of it."""
        self._version += 1
        self._written = 0
        try:
            if self._version == 1:
                self._send(allowed, id=0, method="initialize", params={"processId": None, "capabilities": {}})
                document = {"uri": _DOCUMENT, "languageId": "lean4", "version": 1, "text": text}
                self._send(allowed, method="textDocument/didOpen", params={"textDocument": document})
            else:
                document = {"uri": _DOCUMENT, "version": self._version}
                changed = {"textDocument": document, "contentChanges": [{"text": text}]}
                self._send(allowed, method="textDocument/didChange", params=changed)
            wait = {"uri": _DOCUMENT, "version": self._version}
            self._send(allowed, id=self._version, method="textDocument/waitForDiagnostics", params=wait)
            return self._answer(allowed)
        except BrokenPipeError as error:
            raise ProcessLostError("the process has ended") from error
        except NotAMessageError as error:
            raise ProcessLostError(f"the process does not speak the protocol of Lean's server: {error}") from error

    def _answer(self, allowed: Allowance) -> list[Diagnostic]:
        last: list[Diagnostic] = []
        while True:
            while (found := self._incoming.take()) is None:
                data = self._process.read(allowed)
                if not data:
                    raise ProcessLostError(f"the process has ended{self._last_words()}")
                self._written += len(data)
                if self._written > MAX_OUTPUT_BYTES:
                    raise _OutputLimitError
                self._incoming.feed(data)
            if (said := diagnostics(found, self._version)) is not None:
                last = said
            elif found.get("id") == self._version and "method" not in found:
                if "error" in found:
                    raise ProcessLostError(f"the process answers with an error: {str(found['error'])[:200]}")
                return last

    def _send(self, allowed: Allowance, **content: object) -> None:
        self._process.write(message(**content), allowed)

    def _last_words(self) -> str:
        said = self._process.stderr().strip().splitlines()
        return f" ({said[-1][:200]})" if said else ""


def _verdict(found: Sequence[Diagnostic], last_line: int, axioms: frozenset[str]) -> tuple[Verdict, str]:
    """What the diagnostics of a whole file say, whose last line asks for the axioms."""
    for each in found:
        if each.severity == ERROR:
            return Verdict.ERROR, _one_line(each.text)
    reports = [reported(each.text) for each in found if each.line == last_line and each.severity == INFORMATION]
    if len(reports) != 1 or reports[0] is None:
        raise ProcessLostError("the process does not say on which axioms the proof rests")
    refused = next((name for name in reports[0] if name not in axioms), None)
    if refused is None:
        return Verdict.CORRECT, ""
    return (Verdict.ERROR if refused == "sorryAx" else Verdict.WRONG), f"it rests on {refused}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
