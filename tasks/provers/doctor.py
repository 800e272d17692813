"""Finds out which provers work on this machine, by a proof that each must accept and one that it must refuse."""

import time
from typing import NamedTuple

from tasks.errors import MonkeysError
from tasks.provers.coq.installation import installation
from tasks.provers.rocq import RocqProver
from tasks.records import TheoremCheck, Verdict

_THEOREM = TheoremCheck("rocq", "", "doctor", "Theorem doctor : forall n : nat, n + 0 = n.")
_RIGHT, _FALSE = "induction n; simpl; congruence.", "reflexivity."
_TIMED_RUNS = 20


class ProverState(NamedTuple):
    """A prover on this machine: its version, the independent checker, and milliseconds of a wrong proof in a warm
    process and of a right one with its confirmation; or else how to get it."""

    name: str
    works: bool
    version: str = ""
    checker: str = ""
    warm_ms: float | None = None
    confirmed_ms: float | None = None
    remedy: str = ""


def diagnose() -> tuple[ProverState, ...]:
    """Every prover that is built in."""
    return (_rocq(),)


def _rocq() -> ProverState:
    prover = RocqProver(workers=1)
    try:
        prover.check()
        found, session = installation(), prover.session()
        started = time.monotonic()
        right = session.prove(prover.place(_RIGHT, _THEOREM))
        confirmed_ms = 1000 * (time.monotonic() - started)
        started = time.monotonic()
        wrong = [session.prove(prover.place(_FALSE, _THEOREM)).verdict for _ in range(_TIMED_RUNS)]
        warm_ms = 1000 * (time.monotonic() - started) / _TIMED_RUNS
    except MonkeysError as error:
        return ProverState(prover.name, works=False, remedy=str(error))
    if right.verdict is not Verdict.CORRECT or set(wrong) != {Verdict.ERROR}:
        said = right.detail or f"a wrong proof is {wrong[0]}"
        return ProverState(prover.name, works=False, version=found.version, remedy=f"it does not work here: {said}")
    checker = "coqchk" if found.checker else "none"
    return ProverState(prover.name, True, found.version, checker, round(warm_ms, 2), round(confirmed_ms))
