"""Proofs on a pool of Kimina Lean Servers: proposed in a REPL that has run others, and confirmed in a new one.

A confirmation trusts the process of that server's REPL, in which the proof has run: it cannot be replayed in another.
"""

import re
from typing import NamedTuple

from tasks.provers import Attempt, PlacedProof, ProverFailedError, TheoremFaultError
from tasks.provers.kimina_server.client import Answer, ReplyTooLongError
from tasks.provers.kimina_server.pool import Pool
from tasks.provers.lean4.placing import header_and_statement
from tasks.provers.lean_repl.replies import MAX_REPLY_BYTES, Reply, one_line, outcome
from tasks.provers.lean_repl.texts import (
    Mark,
    confirmation_text,
    confirmed,
    header_text,
    new_mark,
    theorem_text,
    unproved_text,
)
from tasks.records import TheoremCheck, Verdict

LOADING_S = 300.0
"""Seconds that loading a header and a statement may take."""

_HEADER = re.compile(r"header.*timed out", re.IGNORECASE)
_TIMED_OUT = re.compile(r"timed out", re.IGNORECASE)
_MEMORY = re.compile(r"out of memory|memory limit|bad_alloc|cannot allocate", re.IGNORECASE)
_CRASHED = re.compile(r"stack overflow|internal panic|segmentation fault|uncaught exception", re.IGNORECASE)
_NOT_OF_THE_TEXT = re.compile(r"unknown environment", re.IGNORECASE)


class KiminaSession:
    """Proofs on servers with the same settings (`tasks.provers.ProverSession`).

    Args:
        pool: the servers.
        workers: how many proofs run at once.
        limit_s: wall-clock seconds that a proof may take, which the servers measure.
        axioms: those that proofs may rest on; None: nothing is confirmed.
    """

    def __init__(self, pool: Pool, workers: int, limit_s: float, axioms: frozenset[str] | None) -> None:
        self.workers = workers
        self.pool, self._limit_s, self._axioms = pool, limit_s, axioms
        self._loaded: set[tuple[str, str]] = set()

    def load(self, theorem: TheoremCheck) -> None:
        """See `tasks.provers.ProverSession.load`."""
        header, statement = header_and_statement(theorem)
        self._require_loaded(header_text((header,)), statement)

    def propose(self, proof: PlacedProof, limit_s: float | None) -> Attempt:
        """See `tasks.provers.ProverSession.propose`."""
        header = header_text(proof.header)
        self._require_loaded(header, proof.statement)
        answer = self._asked(f"{header}\n\n{theorem_text(proof)}", limit_s or self._limit_s)
        if isinstance(answer, Attempt):
            return answer
        reply, seconds = answer
        return Attempt(*outcome(reply), wall_s=seconds)

    def confirm(self, proof: PlacedProof, limit_s: float | None) -> Attempt | None:
        """See `tasks.provers.ProverSession.confirm`."""
        if self._axioms is None:
            return None
        mark = new_mark()
        comparison = confirmation_text(proof.statement, proof.name, mark)
        text = f"{header_text(proof.header)}\n\n{theorem_text(proof)}\n\n{comparison}"
        answer = self._asked(text, limit_s or self._limit_s, fresh=True)
        if isinstance(answer, Attempt):
            if answer.verdict is Verdict.ERROR:
                return answer._replace(verdict=Verdict.WRONG, detail=f"not confirmed: {answer.detail}")
            return answer
        reply, seconds = answer
        return confirmed(reply, mark, self._axioms)._replace(wall_s=seconds)

    def close(self) -> None:
        """See `tasks.provers.ProverSession.close`."""
        self.pool.close()

    def _require_loaded(self, header: str, statement: str) -> None:
        if (header, statement) in self._loaded:
            return
        answer = self._asked(f"{header}\n\n{unproved_text(statement)}", LOADING_S)
        if isinstance(answer, Attempt):
            raise TheoremFaultError(answer.detail)
        reply, _ = answer
        if reply.errors:
            raise TheoremFaultError(one_line(reply.errors[0]))
        self._loaded.add((header, statement))

    def _asked(self, text: str, limit_s: float, *, fresh: bool = False) -> tuple[Reply, float] | Attempt:
        """The reply to a text and its seconds, or the limit that it exceeded. What may be the doing of earlier texts in
        the same REPL is asked again in a new one."""
        doubt = _Doubt("no answer", None)
        for alone in (fresh, True):
            mark = new_mark()
            try:
                answer = self.pool.check(text + mark.line, limit_s, fresh=alone)
            except ReplyTooLongError:
                return Attempt(Verdict.OUTPUT_LIMIT, f"more than {MAX_REPLY_BYTES:,} bytes of messages")
            found = _read(answer, mark, limit_s)
            if not isinstance(found, _Doubt):
                return found
            doubt = found
        if doubt.blame is None:
            raise ProverFailedError(f"the Kimina server: {doubt.cause}")
        return doubt.blame


class _Doubt(NamedTuple):
    """An answer that may be the doing of other texts: what happened, and the verdict if a new REPL does the same (None:
    even then, nothing is known of the text)."""

    cause: str
    blame: Attempt | None


def _read(answer: Answer, mark: Mark, limit_s: float) -> tuple[Reply, float] | Attempt | _Doubt:
    """What an answer says of a text with this mark."""
    seconds = answer.seconds
    if answer.reply is None:
        return _without_reply(one_line(answer.error), limit_s, seconds)
    if answer.reply.fault is not None:
        said = one_line(answer.reply.fault)
        refused = Attempt(Verdict.ERROR, f"the REPL refuses it: {said}", wall_s=seconds)
        return _Doubt(said, None if _NOT_OF_THE_TEXT.search(said) else refused)
    reply = mark.removed(answer.reply)
    if reply is None:
        blame = Attempt(Verdict.ERROR, "it makes the REPL write what is not its reply", wall_s=seconds)
        return _Doubt("the reply to another text", blame)
    return reply, seconds


def _without_reply(said: str, limit_s: float, seconds: float) -> Attempt | _Doubt:
    """What the server's own error says. One that is not known says nothing of the text."""
    blame = None
    if _TIMED_OUT.search(said) and not _HEADER.search(said):
        return Attempt(Verdict.TIME_LIMIT, f"more than {limit_s:g} s", wall_s=seconds)
    if _MEMORY.search(said):
        blame = Attempt(Verdict.MEMORY_LIMIT, "out of memory", wall_s=seconds)
    elif _CRASHED.search(said):
        blame = Attempt(Verdict.ERROR, f"Lean crashes on it: {said}", wall_s=seconds)
    return _Doubt(said, blame)
