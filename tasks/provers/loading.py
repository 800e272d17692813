"""Finds theorems that do not load before any sample of them is drawn."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from tasks.provers import ProverFailedError, ProverSession, TheoremFaultError
from tasks.records import TheoremCheck

MAX_S = 30.0
"""Seconds after which no more theorems are tried: a header may take long to load."""


def faults(session: ProverSession, theorems: Mapping[str, TheoremCheck], max_s: float = MAX_S) -> dict[str, str]:
    """Why theorems do not load, by the names that they are given with, in their order. Those that cannot be tried
    within `max_s` seconds, or for a fault of the prover, are left out."""
    until = time.monotonic() + max_s

    def fault(theorem: TheoremCheck) -> str | None:
        if time.monotonic() < until:
            try:
                session.load(theorem)
            except TheoremFaultError as error:
                return str(error)
            except (ProverFailedError, OSError):
                pass
        return None

    # Those with the same header follow one another, so that it stays loaded.
    order = sorted(theorems, key=lambda name: theorems[name].header)
    with ThreadPoolExecutor(session.workers, thread_name_prefix="prover") as pool:
        found = dict(zip(order, pool.map(fault, (theorems[name] for name in order)), strict=True))
    return {name: said for name in theorems if (said := found[name]) is not None}
