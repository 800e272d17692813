"""A warm process of Rocq: the header is loaded once, and each proof is taken back after it has run.

It only proposes. Its replies cannot be forged by what a proof prints (`ide_protocol`), but proofs follow one another in
one process: `confirmation` is what decides.
"""

import signal
import time
from collections.abc import Sequence

from sandboxes import SandboxUnavailableError
from sandboxes.confined_command import Allowance, ConfinedCommand
from tasks.provers import Attempt, PlacedProof, TheoremFaultError
from tasks.provers.coq.ide_protocol import INITIALISE, MAX_OUTPUT_BYTES, RUN, Replies, Reply, add, back_to
from tasks.provers.coq.installation import Installation
from tasks.records import Verdict

OPTIONS = ("-q", "-w", "none", "-native-compiler", "no")
"""No start-up file, no warnings, and no compiler of native code: `native_compute` computes as `vm_compute` does."""

_WARM_OPTIONS = (
    *("-async-proofs", "off", "-async-proofs-command-error-resilience", "off"),
    *("-async-proofs-tactic-error-resilience", "off", "-main-channel", "stdfds"),
)
_HEADER_CPU_S = 120.0
_OUT_OF_MEMORY, _BY_TACTIC = "out of memory", "tactic failure"
_SHAKEN = ("stack overflow", "anomaly")
CRASHES = {2, 128 + signal.SIGABRT, 128 + signal.SIGBUS, 128 + signal.SIGSEGV}
"""Exit statuses of a prover that a proof has crashed, such as by recursion too deep for its stack (2: an exception that
nothing handled)."""


class WarmLostError(RuntimeError):
    """The process has ended or does not answer as it should; nothing is known of the proof."""


class _OutputLimitError(RuntimeError):
    """The process has written more than a proof may."""


class WarmProcess:
    """One process, for one proof at a time. It is `usable` until a proof has ended it.

    Raises:
        SandboxUnavailableError: it does not start.
    """

    def __init__(self, rocq: Installation, memory_mb: int) -> None:
        command = (rocq.warm, *OPTIONS, *_WARM_OPTIONS)
        self._process = ConfinedCommand(command, rocq.shown, memory_mb).start()
        self._replies = Replies()
        self._written = 0
        self._loaded: list[tuple[str, int]] = []
        self.usable = True
        self.proofs = 0
        try:
            allowed = Allowance(self._process, _HEADER_CPU_S)
            reply = self._ask(INITIALISE, allowed)
        except (WarmLostError, TimeoutError, _OutputLimitError) as error:
            said = (self._process.stderr().strip().splitlines() or ["no message"])[-1]
            self.close()
            raise SandboxUnavailableError(f"{rocq.warm} does not start ({said[:200]})") from error
        self._first = reply.state or 1

    def load(self, wanted: Sequence[str]) -> None:
        """Load a theorem's header and statement.

        Raises:
            WarmLostError: the process ended, or they take too long.
            TheoremFaultError: they do not load.
        """
        usable, self.usable = self.usable, False
        self._written = 0
        try:
            self._load(wanted, Allowance(self._process, _HEADER_CPU_S))
        except (TimeoutError, _OutputLimitError) as error:
            raise TheoremFaultError(f"it takes more than {_HEADER_CPU_S:g} CPU seconds, or prints too much") from error
        self.usable = usable

    def in_common(self, wanted: Sequence[str]) -> int:
        """How many of these sentences, a theorem's header and statement, are loaded already."""
        common = 0
        while common < min(len(wanted), len(self._loaded)) and wanted[common] == self._loaded[common][0]:
            common += 1
        return common

    def prove(self, proof: PlacedProof, cpu_s: float) -> Attempt:
        """Run a proof.

        Args:
            proof: the proof in its place.
            cpu_s: CPU seconds that it may take, without loading its header.

        Raises:
            WarmLostError: the process ended, for a reason that is not known to be the proof's.
            TheoremFaultError: the header or the statement does not load.
        """
        started = time.monotonic()
        self.proofs += 1
        self._written = 0
        usable, self.usable = self.usable, False
        allowed = Allowance(self._process, _HEADER_CPU_S)
        try:
            self._load((*proof.header, proof.statement), allowed)
            allowed = Allowance(self._process, cpu_s)
            verdict, detail = self._run(proof.proof, allowed)
            self.usable = usable and verdict is not Verdict.MEMORY_LIMIT and not _is_shaken(detail)
        except TimeoutError:
            verdict, detail = Verdict.TIME_LIMIT, f"more than {cpu_s:g} s of CPU time"
        except _OutputLimitError:
            verdict, detail = Verdict.OUTPUT_LIMIT, f"more than {MAX_OUTPUT_BYTES:,} bytes of messages"
        except TheoremFaultError:
            self.usable = False
            raise
        except WarmLostError:
            ended = self._process.wait_briefly()
            if self._process.reached_memory_limit():
                verdict, detail = Verdict.MEMORY_LIMIT, "out of memory"
            elif ended in CRASHES:
                verdict, detail = Verdict.ERROR, "the prover crashes on it"
            else:
                raise
        return Attempt(verdict, detail, allowed.used_s(), time.monotonic() - started)

    def cpu_s(self) -> float:
        """CPU seconds of the process so far."""
        return self._process.cpu_s()

    def memory_mb(self) -> float:
        """Megabytes that the process has in memory now."""
        return self._process.resident_bytes() / 1e6

    def close(self) -> None:
        """End the process."""
        self.usable = False
        self._process.close()

    def _load(self, wanted: Sequence[str], allowed: Allowance) -> None:
        """Have exactly these sentences loaded, and keep what is loaded of them."""
        common = self.in_common(wanted)
        if common == len(wanted) == len(self._loaded):
            return
        if common < len(self._loaded):
            del self._loaded[common:]
            self._back(self._state, allowed)
        for sentence in wanted[common:]:
            reply = self._ask(add(sentence, self._state), allowed)
            if reply.state is None:
                raise TheoremFaultError(f"`{sentence[:60]}`: {reply.message[:200]}")
            self._loaded.append((sentence, reply.state))
        reply = self._ask(RUN, allowed)
        if not reply.good:
            raise TheoremFaultError(reply.message[:200])

    def _run(self, sentences: Sequence[str], allowed: Allowance) -> tuple[Verdict, str]:
        state = self._state
        failed = None
        for sentence in sentences:
            reply = self._ask(add(sentence, state), allowed)
            if reply.state is None or not reply.plain:
                failed = reply
                break
            state = reply.state
        # A sentence that cannot be parsed may follow one that fails: the first fault is the one to report.
        ran = self._ask(RUN, allowed)
        if not ran.good:
            failed = ran
        self._back(self._state, allowed)
        if failed is None and ran.nothing_open:
            return Verdict.CORRECT, ""
        message = failed.message if failed is not None else "the proof is not finished"
        if _OUT_OF_MEMORY in message.lower() and _BY_TACTIC not in message.lower():
            return Verdict.MEMORY_LIMIT, "out of memory"
        return Verdict.ERROR, message

    @property
    def _state(self) -> int:
        return self._loaded[-1][1] if self._loaded else self._first

    def _back(self, state: int, allowed: Allowance) -> None:
        reply = self._ask(back_to(state), allowed)
        if not (reply.good and reply.plain):
            raise WarmLostError(f"a proof cannot be taken back: {reply.message[:100]}")

    def _ask(self, call: bytes, allowed: Allowance) -> Reply:
        try:
            self._process.write(call, allowed)
            while (reply := self._replies.take()) is None:
                data = self._process.read(allowed)
                if not data:
                    raise WarmLostError("the process has ended")
                self._written += len(data)
                if self._written > MAX_OUTPUT_BYTES:
                    raise _OutputLimitError
                self._replies.feed(data)
        except BrokenPipeError as error:
            raise WarmLostError("the process has ended") from error
        return reply


def _is_shaken(message: str) -> bool:
    """Whether an error may have left something behind in the process. Proofs choose the text of a tactic's failure."""
    said = message.lower()
    return _BY_TACTIC not in said and any(each in said for each in _SHAKEN)
