"""From a theorem and a sample's text to whether it is proved, one prover a file.

A prover places the text in its statement, which only reads it. Then it tries the proof where it is cheap, such as in a
process that has already loaded the header (*proposing*), and runs what that accepts again where no other proof has
run (*confirming*). `attempt` is the order of the two.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from tasks.records import TheoremCheck, Verdict

UNCONFIRMED = "not confirmed"
"""The detail of a correct proof that was only proposed, and the ingredient of a verdict set that has such proofs."""
UNCONFIRMED_NOTE = "Correct proofs are not confirmed: the prover has only proposed them."
"""What tables and reports say of verdicts with this ingredient."""


class UnplaceableError(ValueError):
    """A text that is not the body of a proof, or a theorem that cannot be proved here; the message says why, in a few
    words."""


class TheoremFaultError(RuntimeError):
    """The header or the statement of a theorem does not load, so that no proof of it can be graded; the message says
    why, in one line."""


class ProverFailedError(RuntimeError):
    """The prover has failed, after its own retries: a process was lost, a server is away or overloaded. Nothing is
    known of the proof. The message says why, in one line."""


@dataclass(frozen=True, slots=True)
class PlacedProof:
    """A proof in its place. Equal ones have equal verdicts, and are run once.

    `header` and `proof` are in the pieces that the prover takes one by one: sentences, or a single text. `proof` is
    what follows the statement, to the end: what the sample supplies, and what opens and ends it.
    """

    header: tuple[str, ...]
    name: str
    statement: str
    proof: tuple[str, ...]

    @property
    def pieces(self) -> tuple[str, ...]:
        """All pieces, from the header to the end of the proof."""
        return (*self.header, self.statement, *self.proof)


class Attempt(NamedTuple):
    """What became of a proof, why in a few words, the CPU and wall-clock seconds that this took, and whether it is the
    theorem that does not load, for this proof and perhaps for every other."""

    verdict: Verdict
    detail: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0
    theorem_fails: bool = False


class ProverSession(Protocol):
    """A running prover: processes of this machine, or servers. Proofs never make its methods raise; what is wrong with
    the prover or the theorem does. All methods may be called from many threads at once.
    """

    @property
    def workers(self) -> int:
        """How many proofs it runs at once."""
        ...

    def load(self, theorem: TheoremCheck) -> None:
        """Make sure that the header and the statement of a theorem load.

        Raises:
            TheoremFaultError: they do not.
            ProverFailedError: nothing is known of the theorem.
        """
        ...

    def propose(self, proof: PlacedProof, limit_s: float | None) -> Attempt | None:
        """Run a proof where it is cheap, and where earlier proofs may have run.

        Args:
            proof: a proof in its place.
            limit_s: seconds that it may take (CPU seconds if the prover can measure them); None: the prover's setting.

        Returns:
            What became of it; None: this prover does not propose, and `confirm` decides alone.

        Raises:
            TheoremFaultError: the header or the statement does not load.
            ProverFailedError: nothing is known of the proof.
        """
        ...

    def confirm(self, proof: PlacedProof, limit_s: float | None) -> Attempt | None:
        """Run a proof where nothing else has run, compare what it proves with the statement, and list its axioms.

        Args:
            proof: a proof in its place.
            limit_s: as in `propose`.

        Returns:
            What became of it; None: this prover does not confirm. It proposes or confirms, or both.

        Raises:
            TheoremFaultError: the header or the statement does not load.
            ProverFailedError: nothing is known of the proof.
        """
        ...

    def close(self) -> None:
        """End its processes and connections; a later proof starts new ones."""
        ...


class Probe(NamedTuple):
    """A theorem, a body that proves it and one that does not: what a prover must tell apart if it works."""

    theorem: TheoremCheck
    right: str
    wrong: str


class Prover(Protocol):
    """The settings of a prover, which can start it. Verdicts depend on those that are not their defaults, and on
    `ingredients`. A class variable `operational` names settings that say where and how fast it runs: verdicts do not
    depend on them."""

    @property
    def name(self) -> str:
        """The name that selects it, such as `rocq`."""
        ...

    @property
    def probe(self) -> Probe:
        """A small theorem, with nothing to import if possible."""
        ...

    def check(self) -> None:
        """Make sure that it can run here; called before any work starts.

        Raises:
            UserError: it cannot; the message says what to install or to set.
        """
        ...

    def check_theorem(self, theorem: TheoremCheck) -> None:
        """Make sure, by reading it, that a proof of the theorem can be placed and confirmed; raises UnplaceableError
        where not."""
        ...

    def ingredients(self) -> Mapping[str, Any]:
        """What verdicts depend on in addition to the settings, as JSON has it: the prover's version, and whether there
        is an independent checker. A prover whose correct verdicts are only proposed adds `{UNCONFIRMED: True}`."""
        ...

    def description(self) -> str:
        """The prover that is installed here, or that a server runs, in a few words: its version, its independent
        checker, and known faults of this version."""
        ...

    def place(self, text: str, theorem: TheoremCheck) -> PlacedProof:
        """The proof in a sample's text; raises UnplaceableError where there is no proof."""
        ...

    def session(self) -> ProverSession:
        """The running prover; it is started when it is first used, and ends with this process."""
        ...


def attempt(session: ProverSession, proof: PlacedProof, limit_s: float | None = None) -> Attempt:
    """Propose a proof, and confirm it if that accepts it. `infrastructure` where the prover or the theorem is at fault.

    Args:
        session: the running prover.
        proof: a proof in its place.
        limit_s: seconds that each of the two may take; None: the prover's setting.
    """
    started = time.monotonic()
    used_s, proposed = 0.0, None
    try:
        proposed = session.propose(proof, limit_s)
        if proposed is not None:
            used_s = proposed.cpu_s
            if proposed.verdict is not Verdict.CORRECT:
                return proposed
        confirmed = session.confirm(proof, limit_s)
    except TheoremFaultError as error:
        confirmed = Attempt(Verdict.INFRASTRUCTURE, f"the theorem does not load: {error}", theorem_fails=True)
    except ProverFailedError as error:
        confirmed = Attempt(Verdict.INFRASTRUCTURE, str(error))
    except OSError as error:  # Such as a disk that is full, or too many open files.
        confirmed = Attempt(Verdict.INFRASTRUCTURE, f"the prover could not be run: {error}")
    if confirmed is None:
        fault = Attempt(Verdict.INFRASTRUCTURE, "the prover neither proposes nor confirms")
        return fault if proposed is None else proposed._replace(detail=UNCONFIRMED)
    return confirmed._replace(cpu_s=used_s + confirmed.cpu_s, wall_s=time.monotonic() - started)
