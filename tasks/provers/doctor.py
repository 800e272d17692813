"""Finds out whether a prover works on this machine, by a proof that it must accept and one that it must refuse."""

import time
from typing import NamedTuple

from tasks.errors import MonkeysError
from tasks.provers import Attempt, Prover, ProverFailedError, ProverSession, TheoremFaultError, attempt
from tasks.records import Verdict

_TIMED_RUNS = 20


class ProverState(NamedTuple):
    """A prover on this machine: what it is, and milliseconds of a wrong proof and of a right one with its confirmation;
    or else what is wrong, and how to get it."""

    name: str
    works: bool
    description: str = ""
    wrong_ms: float | None = None
    confirmed_ms: float | None = None
    remedy: str = ""


def diagnose(prover: Prover) -> ProverState:
    """Try a prover; it is closed afterwards."""
    try:
        prover.check()
        described, session = prover.description(), prover.session()
    except MonkeysError as error:
        return ProverState(prover.name, works=False, remedy=str(error))
    try:
        session.load(prover.probe.theorem)
        right, confirmed_ms = _timed(prover, session, prover.probe.right)
        wrong, _ = _timed(prover, session, prover.probe.wrong)
        started = time.monotonic()
        for _ in range(_TIMED_RUNS):
            _timed(prover, session, prover.probe.wrong)
        wrong_ms = 1000 * (time.monotonic() - started) / _TIMED_RUNS
    except (ProverFailedError, TheoremFaultError) as error:
        return ProverState(prover.name, works=False, description=described, remedy=f"it does not work here: {error}")
    finally:
        session.close()
    if right.verdict is not Verdict.CORRECT or wrong.verdict in {Verdict.CORRECT, Verdict.INFRASTRUCTURE}:
        said = f"a right proof is {right.verdict} ({right.detail}), and a wrong one {wrong.verdict} ({wrong.detail})"
        return ProverState(prover.name, works=False, description=described, remedy=f"it does not work here: {said}")
    return ProverState(prover.name, True, described, round(wrong_ms, 2), round(confirmed_ms))


def _timed(prover: Prover, session: ProverSession, text: str) -> tuple[Attempt, float]:
    started = time.monotonic()
    made = attempt(session, prover.place(text, prover.probe.theorem))
    return made, 1000 * (time.monotonic() - started)
