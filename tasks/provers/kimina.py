"""Lean 4 on Kimina Lean Servers over HTTP."""

import atexit
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from sandboxes.config import Config
from tasks.addresses import Urls, check_urls, read_key
from tasks.errors import UserError
from tasks.progress import progress
from tasks.provers import UNCONFIRMED, PlacedProof, Probe
from tasks.provers.kimina_server.client import Client, LeanVersion, lean_version
from tasks.provers.kimina_server.pool import Pool
from tasks.provers.kimina_server.session import KiminaSession
from tasks.provers.lean4.axioms import AXIOMS, AllowedAxioms
from tasks.provers.lean4.placing import place
from tasks.provers.lean_repl.texts import PROBE, check_theorem, version_ingredients, version_text
from tasks.records import TheoremCheck

_KEY_FIELD = "prover.api_key_env"
_MAX_CONCURRENT_PROBES = 16


class KiminaProver(Config):
    """Lean 4 on Kimina Lean Servers over HTTP, which run the proofs themselves, not in sandboxes of this machine."""

    operational: ClassVar[frozenset[str]] = frozenset({"base_urls", "api_key_env", "concurrency", "patience_s"})
    name: Literal["kimina"] = "kimina"
    base_urls: Urls = Field(
        min_length=1, description="URL of a server, such as http://localhost:8000, or several with the same Lean"
    )
    api_key_env: str | None = Field(
        None, min_length=1, description="Environment variable that contains the servers' API key; empty: no key is sent"
    )
    concurrency: int = Field(
        8, ge=1, le=1024, description="Requests at once to each server; at most the number of its REPLs"
    )
    time_limit_s: float = Field(
        60.0, ge=1, le=86_400, description="Wall-clock seconds per proof, for problems that set no limit."
    )
    patience_s: float = Field(
        300.0, ge=0, le=86_400, description="Seconds that a proof waits while no server answers or has a free REPL"
    )
    confirm: bool = Field(
        True,
        description="Run every accepted proof again in a new REPL of a server, compare what it proves with the"
        " statement, and list its axioms; without this, correct proofs are marked as not confirmed",
    )
    axioms: AllowedAxioms = "standard"

    @field_validator("base_urls")
    @classmethod
    def _check_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return check_urls(urls, _KEY_FIELD)

    @property
    def probe(self) -> Probe:
        """See `tasks.provers.Prover.probe`."""
        return PROBE

    def check(self) -> None:
        """See `tasks.provers.Prover.check`."""
        _lean(self.base_urls, self.api_key_env)

    def check_theorem(self, theorem: TheoremCheck) -> None:
        """See `tasks.provers.Prover.check_theorem`."""
        check_theorem(theorem)

    def ingredients(self) -> Mapping[str, Any]:
        """See `tasks.provers.Prover.ingredients`."""
        mark = {} if self.confirm else {UNCONFIRMED: True}
        return {**version_ingredients(_lean(self.base_urls, self.api_key_env)), **mark}

    def description(self) -> str:
        """See `tasks.provers.Prover.description`."""
        count = len(self.base_urls)
        servers = f"{count} servers" if count > 1 else "1 server"
        return f"{version_text(_lean(self.base_urls, self.api_key_env))}, on {servers}, no independent checker"

    def place(self, text: str, theorem: TheoremCheck) -> PlacedProof:
        """See `tasks.provers.Prover.place`."""
        return place(text, theorem)

    def session(self) -> KiminaSession:
        """See `tasks.provers.Prover.session`."""
        session = _session(self)
        session.pool.listener = progress.get()
        return session


@cache
def _session(prover: KiminaProver) -> KiminaSession:
    """The one session of this process with these settings."""
    key = read_key(prover.api_key_env, _KEY_FIELD)
    pool = Pool(prover.base_urls, key, prover.concurrency, prover.patience_s)
    axioms = AXIOMS[prover.axioms] if prover.confirm else None
    session = KiminaSession(pool, prover.concurrency * len(prover.base_urls), prover.time_limit_s, axioms)
    atexit.register(session.close)
    return session


@cache
def _lean(urls: Sequence[str], api_key_env: str | None) -> str:
    """The version of Lean of all servers that answer.

    Raises:
        UserError: no server answers, one refuses requests, or they have several versions.
    """
    key = read_key(api_key_env, _KEY_FIELD)
    clients = [Client(url, key, 1) for url in urls]
    with ThreadPoolExecutor(min(_MAX_CONCURRENT_PROBES, len(clients))) as pool:
        found = list(pool.map(lean_version, clients))
    for client in clients:
        client.close()
    return _common_version(found)


def _common_version(found: Sequence[LeanVersion]) -> str:
    """The version that all servers which answer have; see `_lean`."""
    refusal = next((each.refusal for each in found if each.refusal), None)
    if refusal is not None:
        raise UserError(f"prover: kimina is refused: {refusal}; name the variable with the key in {_KEY_FIELD}")
    silent = [each.fault for each in found if each.fault]
    having = defaultdict(list)
    for each in found:
        if not each.fault:
            having[each.version].append(each.url)
    if not having:
        raise UserError(f"prover.base_urls: no server answers ({'; '.join(silent)}); start it, or correct the URL")
    if len(having) > 1:
        different = " and ".join(f"{version} ({', '.join(urls)})" for version, urls in sorted(having.items()))
        raise UserError(f"prover.base_urls: the servers have different versions of Lean: {different}; use one")
    if silent:
        progress.get().say(f"no answer from {'; '.join(silent)}; continuing with the other servers")
    return next(iter(having))
