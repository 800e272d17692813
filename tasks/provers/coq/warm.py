"""A warm process of Rocq: the header is loaded once, and so is what a proof has in common with the one before.

A proof runs sentence by sentence. The states after its sentences are kept, and the next proof of the theorem begins
after those with which it begins, too: in the order of their sentences, proofs run every node of their trie once. A
sentence that failed is not run again where it failed. A proof is nevertheless charged the time and the output of all of
its sentences, so that its verdict does not depend on those before it.

It only proposes. Its replies cannot be forged by what a proof prints (`ide_protocol`), but proofs follow one another in
one process: `confirmation` is what decides.
"""

import math
import signal
import time
from collections.abc import Sequence
from typing import NamedTuple

from sandboxes import SandboxUnavailableError
from sandboxes.confined_command import Allowance, ConfinedCommand
from tasks.provers import Attempt, PlacedProof, TheoremFaultError
from tasks.provers.coq.ide_protocol import INITIALISE, MAX_OUTPUT_BYTES, RUN, Replies, Reply, add, back_to
from tasks.provers.coq.installation import Installation
from tasks.provers.warm_pool import ProcessLostError
from tasks.records import Verdict

OPTIONS = ("-q", "-w", "none", "-native-compiler", "no")
"""No start-up file, no warnings, and no compiler of native code: `native_compute` computes as `vm_compute` does."""

_WARM_OPTIONS = (
    *("-async-proofs", "off", "-async-proofs-command-error-resilience", "off"),
    *("-async-proofs-tactic-error-resilience", "off", "-main-channel", "stdfds"),
)
_HEADER_CPU_S = 120.0
_REPLY_BYTES = 2048
"""What the process may write for a sentence before it counts as output: its replies, which take 700 to 800 bytes."""
_OUT_OF_MEMORY = "out of memory"
"""All that Rocq says when it has none left. Other errors may quote a text that speaks of it."""
_BY_TACTIC = "tactic failure"
_SHAKEN = ("stack overflow", "anomaly")
CRASHES = {2, 128 + signal.SIGABRT, 128 + signal.SIGBUS, 128 + signal.SIGSEGV}
"""Exit statuses of a prover that a proof has crashed, such as by recursion too deep for its stack (2: an exception that
nothing handled)."""


class _OutputLimitError(RuntimeError):
    """The process has written more than a proof may."""


class _Step(NamedTuple):
    """A sentence that has run: the state after it, whether no proof is open there, and the CPU seconds and bytes of
    output of the proof up to it."""

    sentence: str
    state: int
    nothing_open: bool
    cpu_s: float
    output: int


class _Failed(NamedTuple):
    """The sentence that failed after the steps that are kept, and what became of its proof."""

    sentence: str
    attempt: Attempt


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
        self._steps: list[_Step] = []
        self._failed: _Failed | None = None
        self.usable = True
        self.proofs = 0
        try:
            allowed = Allowance(self._process, _HEADER_CPU_S)
            (reply,) = self._ask(allowed, INITIALISE)
        except (ProcessLostError, TimeoutError, _OutputLimitError) as error:
            said = (self._process.stderr().strip().splitlines() or ["no message"])[-1]
            self.close()
            raise SandboxUnavailableError(f"{rocq.warm} does not start ({said[:200]})") from error
        self._first = reply.state or 1

    def in_common(self, wanted: Sequence[str]) -> int:
        """How many of these sentences, from the first of the header, have run already."""
        return _common(wanted, [*(sentence for sentence, _ in self._loaded), *(each.sentence for each in self._steps)])

    def load(self, wanted: Sequence[str]) -> None:
        """Load a theorem's header and statement.

        Raises:
            ProcessLostError: the process ended.
            TheoremFaultError: they do not load.
        """
        usable, self.usable = self.usable, False
        self._written = 0
        self._load(wanted)
        self.usable = usable

    def prove(self, proof: PlacedProof, cpu_s: float, tactic_cpu_s: float | None = None) -> Attempt:
        """Run a proof.

        Args:
            proof: the proof in its place.
            cpu_s: CPU seconds that it may take, without loading its header.
            tactic_cpu_s: CPU seconds that each of its sentences may take; None: no other limit.

        Returns:
            What became of it; its CPU seconds are those of all of its sentences, whenever they ran.

        Raises:
            ProcessLostError: the process ended, for a reason that is not known to be the proof's.
            TheoremFaultError: the header or the statement does not load.
        """
        started = time.monotonic()
        self.proofs += 1
        self._written = 0
        usable, self.usable = self.usable, False
        try:
            self._load((*proof.header, proof.statement))
            made = self._run(proof.proof, cpu_s, tactic_cpu_s)
        except ProcessLostError:
            ended = self._process.wait_briefly()
            if self._process.reached_memory_limit():
                made = Attempt(Verdict.MEMORY_LIMIT, "out of memory")
            elif ended in CRASHES:
                made = Attempt(Verdict.ERROR, "the prover crashes on it")
            else:
                raise
        else:
            self.usable = usable and made.verdict in {Verdict.CORRECT, Verdict.ERROR} and not _is_shaken(made.detail)
        return made._replace(wall_s=time.monotonic() - started)

    def forget(self) -> None:
        """Take back the last proof, so that the next runs whole."""
        self._back_to(0, Allowance(self._process, _HEADER_CPU_S))

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

    def _load(self, wanted: Sequence[str]) -> None:
        """Have exactly these sentences loaded, and keep what is loaded of them."""
        common = _common(wanted, [sentence for sentence, _ in self._loaded])
        if common == len(wanted) == len(self._loaded):
            return
        allowed = Allowance(self._process, _HEADER_CPU_S)
        try:
            if common < len(self._loaded):
                del self._loaded[common:]
                self._back_to(0, allowed)
            for sentence in wanted[common:]:
                added, ran = self._sentence(sentence, allowed)
                if added.state is None or not ran.good:
                    raise TheoremFaultError(f"`{sentence[:60]}`: {(added.message or ran.message)[:200]}")
                self._loaded.append((sentence, added.state))
        except TimeoutError as error:
            raise TheoremFaultError(f"it takes more than {_HEADER_CPU_S:g} CPU seconds") from error
        except _OutputLimitError as error:
            raise TheoremFaultError(f"it prints more than {MAX_OUTPUT_BYTES:,} bytes") from error

    def _run(self, sentences: Sequence[str], cpu_s: float, tactic_cpu_s: float | None) -> Attempt:
        common = _common(sentences, [each.sentence for each in self._steps])
        if self._failed and common == len(self._steps) and sentences[common : common + 1] == (self._failed.sentence,):
            return self._failed.attempt
        used_s, self._written = 0.0, 0
        allowed = Allowance(self._process, cpu_s)
        try:
            if common < len(self._steps):
                self._back_to(common, allowed)
            if self._steps:
                used_s, self._written = self._steps[-1].cpu_s, self._steps[-1].output
            for sentence in sentences[common:]:
                allowed = Allowance(self._process, min(cpu_s - used_s, tactic_cpu_s or math.inf))
                before = self._written
                added, ran = self._sentence(sentence, allowed)
                used_s += allowed.used_s()
                self._written = max(before, self._written - _REPLY_BYTES)
                if added.state is None or not added.plain or not ran.good:
                    return self._fails(sentence, added if added.state is None or not added.plain else ran, used_s)
                self._steps.append(_Step(sentence, added.state, ran.nothing_open, used_s, self._written))
        except TimeoutError:
            whole = tactic_cpu_s is None or cpu_s - used_s <= tactic_cpu_s
            said = f"more than {cpu_s:g} s of CPU time" if whole else f"more than {tactic_cpu_s:g} s in one sentence"
            return Attempt(Verdict.TIME_LIMIT, said, used_s + allowed.used_s())
        except _OutputLimitError:
            said = f"more than {MAX_OUTPUT_BYTES:,} bytes of messages"
            return Attempt(Verdict.OUTPUT_LIMIT, said, used_s + allowed.used_s())
        if self._steps[-1].nothing_open:
            return Attempt(Verdict.CORRECT, "", used_s)
        return Attempt(Verdict.ERROR, "the proof is not finished", used_s)

    def _fails(self, sentence: str, reply: Reply, used_s: float) -> Attempt:
        """The verdict where a sentence fails; what it has left is taken back."""
        message = reply.message
        if message.strip().rstrip(".").lower() == _OUT_OF_MEMORY:
            return Attempt(Verdict.MEMORY_LIMIT, "out of memory", used_s)
        made = Attempt(Verdict.ERROR, message, used_s)
        if not _is_shaken(message):
            self._back_to(len(self._steps), Allowance(self._process, _HEADER_CPU_S))
            self._failed = _Failed(sentence, made)
        return made

    @property
    def _state(self) -> int:
        """The state after the last sentence that is kept."""
        if self._steps:
            return self._steps[-1].state
        return self._loaded[-1][1] if self._loaded else self._first

    def _back_to(self, steps: int, allowed: Allowance) -> None:
        """Take back all but the first steps of the proof."""
        del self._steps[steps:]
        self._failed = None
        (reply,) = self._ask(allowed, back_to(self._state))
        if not (reply.good and reply.plain):
            raise ProcessLostError(f"a proof cannot be taken back: {reply.message[:100]}")

    def _sentence(self, sentence: str, allowed: Allowance) -> tuple[Reply, Reply]:
        """The replies to adding a sentence after the last one, and to running it."""
        added, ran = self._ask(allowed, add(sentence, self._state), RUN)
        return added, ran

    def _ask(self, allowed: Allowance, *calls: bytes) -> list[Reply]:
        """The replies to calls that are sent together."""
        replies: list[Reply] = []
        try:
            self._process.write(b"".join(calls), allowed)
            while len(replies) < len(calls):
                if (reply := self._replies.take()) is not None:
                    replies.append(reply)
                    continue
                data = self._process.read(allowed)
                if not data:
                    raise ProcessLostError("the process has ended")
                self._written += len(data)
                if self._written > MAX_OUTPUT_BYTES:
                    raise _OutputLimitError
                self._replies.feed(data)
        except BrokenPipeError as error:
            raise ProcessLostError("the process has ended") from error
        return replies


def _common(wanted: Sequence[str], have: Sequence[str]) -> int:
    """How many sentences two lists begin with in common."""
    pairs = enumerate(zip(wanted, have, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(wanted), len(have)))


def _is_shaken(message: str) -> bool:
    """Whether an error may have left something behind in the process. Proofs choose the text of a tactic's failure."""
    said = message.lower()
    return _BY_TACTIC not in said and any(each in said for each in _SHAKEN)
